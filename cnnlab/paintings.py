"""Paintings made by formulas: style images that belong to the course itself."""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.fft import irfft2, rfft2
from scipy.interpolate import PchipInterpolator, make_interp_spline
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.spatial import cKDTree
from skimage.color import lab2rgb, rgb2lab

Array = NDArray[np.float32]
SIZE = 720  # every painting is painted on a canvas of SIZE x SIZE pixels, in coordinates from 0 to 1
Y, X = ((np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE).astype(np.float32)


def ramp(values, colours):
    """Colours (..., 3) for values in [0, 1], mixed in Lab between the hex colours listed in `colours`."""
    rgb = np.array([list(bytes.fromhex(colour)) for colour in colours.split()]) / 255
    at, stops = np.linspace(0, 1, 1024), np.linspace(0, 1, len(rgb))
    table = lab2rgb(np.stack([np.interp(at, stops, channel) for channel in rgb2lab(rgb).T], -1))
    return table.astype(np.float32)[(np.clip(values, 0, 1) * 1023).astype(int)]


def field(rng, cycles=4.0, slope=3.0, stretch=(1.0, 1.0)):
    """Smooth random field: a white spectrum damped beyond `cycles` per canvas; mean 0, deviation 1."""
    fy = np.fft.fftfreq(SIZE, 1 / SIZE)[:, None] * stretch[0]
    fx = np.fft.rfftfreq(SIZE, 1 / SIZE)[None] * stretch[1]
    noise = irfft2(rfft2(rng.standard_normal((SIZE, SIZE))) * (cycles**2 + fy**2 + fx**2) ** (-slope / 2))
    noise -= noise.mean()
    return (noise / noise.std()).astype(np.float32)


def mix(below, above, mask):
    """`above` over `below` where mask (H, W) is 1."""
    return below + (above - below) * np.clip(mask, 0, 1)[..., None]


def edge(distance, softness=1.5):
    """Mask of the inside (distance < 0), antialiased over `softness` pixels."""
    return np.clip(0.5 - distance * SIZE / softness, 0, 1)


def disc(x, y, radius):
    """Distance to a circle, negative inside."""
    return np.hypot(X - x, Y - y) - radius


def brush(rng, canvas, target, angle, count, length, width, where=None, jitter=0.05, dry=0.3):
    """Lay curved strokes on the canvas (H, W, rgb + relief), in place, along `angle`, coloured as `target` at their middle."""
    steps, lanes = max(3, int(length * SIZE * 1.4)), max(3, int(width * SIZE * 1.5))
    heading = np.stack([np.sin(angle), np.cos(angle)], -1)
    point = rng.uniform(-0.03 * SIZE, 1.03 * SIZE, (count, 2)).astype(np.float32)
    nearest = tuple(point.clip(0, SIZE - 1).astype(int).T)
    point = point if where is None else point[where[nearest] > rng.random(count)]
    before = heading[tuple(point.clip(0, SIZE - 1).astype(int).T)]
    path, side = np.empty((2, len(point), steps, 2), np.float32)
    for step in range(steps):
        toward = heading[tuple(point.clip(0, SIZE - 1).astype(int).T)]
        before = toward * np.where((toward * before).sum(1, keepdims=True) < 0, -1, 1)  # never turn back
        path[:, step], side[:, step] = point, before[:, ::-1] * (1, -1)
        point = point + before / 1.4
    along, across = np.linspace(-1, 1, steps)[:, None], np.linspace(-1, 1, lanes)
    cap = np.clip((np.abs(along) - 1) * steps / lanes + 1, 0, 1)  # round ends
    bristles = rng.standard_normal((len(point), lanes)).astype(np.float32)
    bristles = (bristles + np.roll(bristles, 1, 1)) / 1.4
    keep = (cap**2 + across**2 < 1) & (bristles[:, None] < 2.2 - dry * (along + 1) * 2)
    row, column = (
        (path[:, :, None] + side[:, :, None] * across[:, None] * width * SIZE / 2)
        .astype(np.int32)
        .transpose(3, 0, 1, 2)
    )
    keep &= (row >= 0) & (row < SIZE) & (column >= 0) & (column < SIZE)
    samples = np.flatnonzero(keep)
    top = np.full(SIZE * SIZE, -1)
    top[(row * SIZE + column).ravel()[samples]] = samples  # the last stroke wins
    painted = np.flatnonzero(top >= 0)
    stroke, _, lane = np.unravel_index(top[painted], keep.shape)
    middle = path[:, steps // 2].clip(0, SIZE - 1).astype(int)
    own = target[tuple(middle.T)] + rng.normal(0, jitter, (len(point), 1)) + rng.normal(0, jitter / 2, (len(point), 3))
    rough = bristles[stroke, lane]
    paint = np.c_[own[stroke] * (1 + 0.06 * rough)[:, None], np.sqrt(1 - across[lane] ** 2) + 0.25 * rough]
    canvas.reshape(-1, 4)[painted] = paint


def lit(canvas, strength=0.3):
    """The canvas's colours under light from the upper left that grazes its relief."""
    down, right = np.gradient(gaussian_filter(canvas[..., 3], 0.8))
    light = np.clip(down + right, -0.6, 0.6)[..., None]
    return canvas[..., :3] * (1 + strength * light) + 0.5 * strength * np.clip(light - 0.15, 0, 1)


def swirls(rng):
    """Night wind over a village."""
    vortices = [(0.5, 0.36, 0.15), (0.68, 0.47, 0.09)]
    stars = [(0.84, 0.14, 0.085)] + [
        (0.12, 0.12, 0.04),
        (0.33, 0.1, 0.03),
        (0.55, 0.12, 0.034),
        (0.25, 0.3, 0.045),
        (0.93, 0.38, 0.03),
        (0.13, 0.47, 0.03),
        (0.36, 0.52, 0.026),
        (0.68, 0.26, 0.022),
    ]
    hills = 0.7 + 0.05 * np.sin(7 * X + 1) - 0.12 * (X - 0.3)
    wind = 0.25 * np.sin(9 * X + 2) + 0.35 * field(rng, 3, 4)
    east, south, glow = np.cos(wind), np.sin(wind), np.zeros_like(X)
    phase = 7 * Y + 0.4 * field(rng, 4, 3)
    for x, y, size in vortices + stars:
        dx, dy = X - x, Y - y
        r = np.hypot(dx, dy) + 1e-3
        spin = 1 if (x, y, size) != vortices[1] else -1
        pull = 6 * np.exp(-((r / size / 1.1) ** 2))
        inward = 0.25 if (x, y, size) in vortices else 0
        east += pull * (-dy * spin - dx * inward) / r
        south += pull * (dx * spin - dy * inward) / r
        phase += pull * 0.12 * np.cos(25 * r / size / 3 + np.arctan2(dy, dx) * (inward > 0))
        if inward == 0:
            glow += np.exp(-((r / size / 0.9) ** 2)) * (0.85 + 0.15 * np.cos(r / size * 9))
    angle = np.arctan2(south, east)
    tone = 0.5 + 0.5 * np.sin(phase * 3) + 0.15 * field(rng, 20, 3)
    sky = ramp(0.75 * tone * (1.15 - 0.7 * Y), "0a1440 12307a 2a62ad 6fa3c8 c9d9c2")
    sky = mix(sky, ramp(glow, "4f8fb0 a9c08a f0c93f fbe06a fff3b8"), 1.6 * glow)
    land = ramp(0.5 + 0.25 * np.sin(40 * (Y - hills) + 6 * X) + 0.15 * field(rng, 9, 3), "071020 10304a 1f5560 4f8a70")
    slope = np.arctan(np.gradient(hills[0], 1 / SIZE))[None] * np.ones_like(X)
    ground = Y > hills
    target, angle = np.where(ground[..., None], land, sky), np.where(ground, slope, angle)
    trunk = 0.13 + 0.02 * np.sin(9 * Y)
    flame = np.abs(X - trunk) < 0.085 * np.clip(Y - 0.18, 0, 1) ** 0.6 * (
        1 + 0.2 * np.sin(34 * Y + 20 * np.sign(X - trunk))
    )
    target = np.where(
        flame[..., None], ramp(0.4 + 0.3 * np.sin(90 * (X - trunk) + 20 * Y), "04090c 12261d 2e4626 5a5a2c"), target
    )
    angle = np.where(flame, np.pi / 2 + 0.5 * np.sin(22 * Y) + 4 * (X - trunk), angle)
    canvas = np.dstack([target * 0.6, 0 * X])
    brush(rng, canvas, target, angle, 2500, 0.07, 0.016)
    brush(rng, canvas, target, angle, 5000, 0.05, 0.009)
    return lit(canvas)


def birches(rng):
    """A birch wood in October."""
    depth = np.clip((Y - 0.3) / 0.7, 0, 1)
    leaves = field(rng, 14, 2.5, (1.8, 1))
    floor = ramp(0.45 + 0.22 * leaves + 0.1 * field(rng, 3, 3), "3b1f2b 7a2f1d b5481b d9822b edb750 8c8a3c")
    crowns = ramp(0.35 + 0.25 * field(rng, 8, 2.5) - 0.3 * Y, "12231f 27402a 5b6b2c b08a2a e0b04a")
    target = mix(crowns, floor, edge(0.36 + 0.02 * field(rng, 3, 3) - Y, 40))
    canvas = np.dstack([0.5 * target, 0 * X])
    angle = 0.5 * field(rng, 5, 3)
    brush(rng, canvas, target, angle + 1.2, 4000, 0.02, 0.012, Y < 0.45, 0.07)
    brush(rng, canvas, target, angle, 6000, 0.014, 0.009, Y > 0.33, 0.09)
    for far in np.linspace(1, 0, 22):
        x, width, foot = rng.uniform(0, 1), 0.012 + 0.05 * (1 - far) ** 1.5, 0.38 + 0.58 * (1 - far) ** 1.4
        across = (X - x - 0.012 * np.sin(5 * Y + 9 * x)) / (width * (0.8 + 0.25 * Y)) * 2
        trunk = (np.abs(across) < 1) & (Y < foot)
        bark = ramp(
            0.95 - 0.45 * np.abs(across + 0.35) - 0.3 * far + 0.1 * field(rng, 20, 2, (1, 0.3)),
            "2b2a35 6f6a78 b7aea6 efe6d2 fffaf0",
        )
        scars = ramp(0.3 + 0.2 * field(rng, 20), "15131a 3a2c2c 6b5a50")
        brush(rng, canvas, bark, np.full_like(X, 1.55), 12000, 0.03, 0.006, trunk, 0.03)
        brush(
            rng,
            canvas,
            scars,
            0.2 * across,
            2500,
            width * 0.3,
            0.004 + 0.004 * (1 - far),
            trunk & (field(rng, 12, 2, (1, 0.4)) > 0.7),
            0.03,
        )
    brush(rng, canvas, floor, angle, int(7000), 0.016, 0.011, depth**2, 0.1)
    gold = ramp(0.6 + 0.3 * field(rng, 12), "b5481b d9822b edb750 f7da7c")
    brush(rng, canvas, gold, angle + 0.8, 2500, 0.012, 0.01, np.clip(field(rng, 5, 3), 0, 1) * (Y < 0.4), 0.08)
    return lit(canvas)


def dots(rng):
    """A river at sunset, in dots of complementary colours."""
    horizon, sun = 0.47, (0.64, 0.36)
    wobble = 0.012 * field(rng, 25, 2.5, (1, 0.2)) * (Y > horizon)
    mirror = np.where(Y > horizon, 2 * horizon - Y, Y) + wobble  # the water shows the sky upside down
    away = np.hypot(X - sun[0], 1.3 * (mirror - sun[1]))
    target = ramp(1.25 * away + 0.06 * np.sin(50 * mirror + 6 * X), "fff3bd fdd06a f59a56 d96f7c 8b63a6 4d5ca3 34498c")
    target = mix(target, ramp(0 * X, "fffbe6 fffbe6"), edge(away - 0.055, 5))
    for base, height, seed in ((0.4, 0.035, "8a78b8 a58cba"), (0.44, 0.02, "4c6a9f 6f86ab")):
        hill = base + height * np.sin(9 * X + 40 * base) * np.cos(5 * X)
        target = mix(target, ramp(0.5 + 0.3 * field(rng, 20), seed), edge(hill - mirror, 3))
    for x, tall, wide in (
        (0.06, 0.42, 0.06),
        (0.15, 0.36, 0.045),
        (0.22, 0.25, 0.035),
        (0.28, 0.17, 0.03),
        (0.94, 0.2, 0.05),
    ):
        up = (horizon - mirror) / tall
        tree = (
            np.abs(X - x - 0.006 * field(rng, 9, 2))
            - wide * np.sqrt(np.clip(up * (1 - up), 0, 1)) * (1.3 - 0.5 * up) * 1.5
        )
        target = mix(
            target, ramp(0.4 + 0.2 * field(rng, 14, 2) + 3 * (X - x), "182a4e 1f4a55 3f7a58 a8a552"), edge(tree, 4)
        )
    target = mix(target, ramp(0 * X, "243a6b 2e4a7c"), 0.35 * (Y > horizon) + 0.25 * edge(np.abs(Y - horizon) - 0.004))
    bank = 0.86 - 0.16 * (X < 2) * (1 - X) ** 3 + 0.02 * np.sin(8 * X)
    target = mix(
        target,
        ramp(0.4 + 0.3 * field(rng, 6, 2.5) - (Y - bank), "1c3050 2b5a58 6d8f4e c8b85a f0c56c"),
        edge(bank - Y, 4),
    )
    canvas = np.dstack([ramp(0.5 + 0 * X, "e9dcc0 e9dcc0"), 0 * X])
    hues = ramp(np.array([0, 0.25, 0.5, 0.75, 1]), "e8842f e2506a 3b5bb5 3f9a8c f5d45e")
    for size, count in ((0.013, 14000), (0.009, 16000), (0.007, 16000)):
        brush(rng, canvas, target, 0.3 * field(rng), count, size, size, jitter=0.09, dry=0)
        for hue in hues:  # divided colour: pure hues beside the local one
            brush(rng, canvas, 0.65 * target + 0.35 * hue, 0 * X, count // 12, size, size, jitter=0.08, dry=0)
    return lit(canvas, 0.15)


def glass(rng):
    """A rose window: leaded pieces of coloured glass, lit from behind."""
    radius, turn = np.hypot(X - 0.5, Y - 0.5), np.arctan2(Y - 0.5, X - 0.5)
    fold = np.abs((turn + np.pi / 12) % (np.pi / 6) - np.pi / 12)  # twelve petals, each its own mirror image
    u, v = radius * np.cos(fold), radius * np.sin(fold)
    half = np.abs((turn + np.pi / 12 + np.pi / 12) % (np.pi / 6) - np.pi / 12)
    regions = [  # (distance, colours from the middle of the region outwards), later ones on top
        (radius - 9, "0c1c4e 16368a 3f6fc4"),
        (radius - 0.485, "5c0f1c 9d1a26 d8432f"),
        (radius - 0.44, "0b2c6e 1c58b4 5fa4e0"),
        (np.hypot(radius * np.cos(half) - 0.385, radius * np.sin(half)) - 0.04, "f2b632 f8d873 fff3bd"),
        (np.hypot((u - 0.27) / 1.9, v) - 0.058, "8e1230 c8243c f0704a"),
        (np.hypot((u - 0.28) / 1.9, v) - 0.034, "f0a020 f9cf5a fff0b0"),
        (np.hypot((u - 0.285) / 1.9, v) - 0.014, "1d6b4a 3fa06a a4d88c"),
        (radius - 0.155, "12306e 2a6cc0 8fc4ea"),
        (np.hypot(radius * np.cos(half) - 0.105, radius * np.sin(half)) - 0.026, "1b7a58 46b07a c0e8a0"),
        (radius - 0.075, "a01830 d83a38 f88a50"),
        (radius - 0.035 * (1 + 0.25 * np.cos(12 * turn)), "f4b030 fbe080 fffbe0"),
    ]
    region = np.zeros(X.shape, int)
    for number, (distance, _) in enumerate(regions):
        region = np.where(distance < 0, number, region)
    seeds = np.ones_like(X)
    points = rng.random((700, 2))
    seeds[tuple((points * SIZE).astype(int).T)] = 0
    nearest = distance_transform_edt(seeds, return_distances=False, return_indices=True)
    piece = (nearest[0] * SIZE + nearest[1]) + region * SIZE**2
    _, piece = np.unique(piece, return_inverse=True)
    piece = piece.reshape(X.shape)
    lead = np.zeros_like(X)
    for axis in (0, 1):
        lead = np.maximum(lead, np.diff(piece, axis=axis, append=np.take(piece, [-1], axis)) != 0)
    gap = distance_transform_edt(lead == 0) / SIZE
    bright = rng.normal(0.5, 0.22, piece.max() + 1)[piece]
    streaks = field(rng, 10, 2.5, (1, 4)) * np.cos(piece) + field(rng, 10, 2.5, (4, 1)) * np.sin(piece)
    tone = bright + 0.1 * streaks + 4 * np.minimum(gap, 0.03) + 0.05 * field(rng, 40, 1.5)
    image = np.zeros((SIZE, SIZE, 3), np.float32)
    for number, (_, colours) in enumerate(regions):
        image = np.where((region == number)[..., None], ramp(tone, colours), image)
    image *= (1.15 - 0.9 * np.clip(radius - 0.15, 0, 1))[..., None]
    came = edge(gap - 0.0035, 2)
    image = mix(image, ramp(0.5 + 90 * (0.0035 - gap), "0b0b10 17171d 3a3a42"), came)
    return image + 0.35 * gaussian_filter(image, (9, 9, 0)) * image


def ink(rng):
    """Mountains in mist, ink on paper."""
    fibres = field(rng, 40, 1.5, (0.4, 1.6)) + field(rng, 40, 1.5, (1.6, 0.4))
    paper = ramp(0.55 + 0.06 * fibres + 0.12 * field(rng, 2, 3), "d9c9a4 eadfc2 f6efdc")
    image = mix(paper, ramp(0 * X, "c8402c c8402c"), 0.85 * edge(disc(0.7, 0.2, 0.062) + 0.0008 * fibres, 3))
    for near, base in zip(np.linspace(0, 1, 6), (0.36, 0.42, 0.53, 0.62, 0.76, 0.93)):
        peaks = field(rng, 2.2, 1.9)[0]
        ridge = base - (0.09 - 0.02 * near) * peaks - 0.1 * np.exp(-(((X[0] - rng.uniform(0.1, 0.9)) / 0.16) ** 2))
        below = Y - ridge
        inside = edge(-below + 0.002 * field(rng, 60, 2), 2)
        image = mix(image, paper, inside)
        texture = field(rng, 14, 1.8, (0.6, 1.4)) * np.clip(below * 30, 0, 1)
        wash = np.exp(-np.clip(below, 0, 1) / (0.07 + 0.03 * near)) * (0.3 + 0.6 * near)
        rim = np.exp(-np.clip(below, 0, 1) / 0.006) * (0.1 + 0.2 * near)
        density = np.clip(wash * (1 + 0.35 * texture) + rim, 0, 1) * inside
        image *= 1 - density[..., None] * (1 - ramp(near + 0 * X, "6d8496 3c4a55 15181c"))
    return image


def mosaic(rng):
    """Two fish in a ring, laid in tesserae that follow every outline."""
    dx, dy = X - 0.5, Y - 0.5
    radius, turn = np.hypot(dx, dy), np.arctan2(dy, dx)
    along = (turn % np.pi) / 2.35  # 0 at the nose, 1 at the end of the tail of either fish
    across = (radius - 0.235) / 0.1 - 0.12 * np.sin(6 * along)
    body = np.abs(across) - 0.9 * np.sqrt(np.clip(along * 1.25, 0, 1)) * np.clip(1 - along * 1.18, 0, 1) ** 0.6 * 1.25
    tail = np.where((along > 0.78) & (along < 1), np.abs(across) - 4.2 * (along - 0.78), 1)
    fin = np.where((along > 0.3) & (along < 0.62), np.abs(across) - 0.55 - 1.1 * (along - 0.3), 1)
    square = np.maximum(np.abs(dx), np.abs(dy))
    fish = np.minimum(np.minimum(body, tail), fin) < 0
    frame = square > 0.43
    inside = distance_transform_edt(fish) - distance_transform_edt(~fish)
    medallion = (0.395 - radius) * SIZE
    flow = np.where(np.abs(inside) < 0.04 * SIZE, inside, np.where(radius < 0.395, medallion, medallion))
    flow = np.where(frame, square * SIZE, flow)
    down, right = np.gradient(gaussian_filter(flow, 2))
    angle = np.arctan2(down, right)
    water = ramp(0.45 + 0.35 * np.sin(60 * (0.395 - radius) + 2 * np.sin(6 * turn)), "d9ceb0 b7d0c4 7fb4b5 3f8391")
    scales = ramp(0.5 + 0.5 * across, "f1d9a0 e8a23c d1602a 8e2f24 3a1c2a")
    target = np.where((radius < 0.395)[..., None], water, ramp(0.5 + 0.2 * field(rng, 8), "d8c9a2 efe4c6"))
    target = np.where(fish[..., None], scales, target)
    target = np.where((np.abs(inside) < 3.5)[..., None], ramp(0 * X, "1d1b26 1d1b26"), target)
    target = np.where((np.abs(radius - 0.395) < 0.012)[..., None], ramp(0 * X, "6e1f24 6e1f24"), target)
    wave = np.sin(2 * np.pi * 9 * np.where(np.abs(dx) > np.abs(dy), Y, X)) * 0.014 + 0.465
    target = np.where(
        frame[..., None],
        np.where((square > wave)[..., None], ramp(0 * X, "20405c 20405c"), ramp(0 * X, "efe2c0 efe2c0")),
        target,
    )
    target = np.where((np.abs(square - 0.437) < 0.008)[..., None], ramp(0 * X, "6e1f24 6e1f24"), target)
    pitch = 0.0145
    lattice = np.mgrid[0:1:pitch, 0:1:pitch].reshape(2, -1).T
    seeds = (lattice + rng.uniform(0, pitch, lattice.shape)) * SIZE
    for step in range(14):
        stride = 2 if step < 13 else 1
        reach = int(pitch * SIZE * 1.5) // stride
        window = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
        middle = seeds.clip(0, SIZE - 1).astype(int)
        tilt = angle[tuple(middle.T)][:, None]
        row, column = middle.T[:, :, None] // stride + window[:, None]
        dy_, dx_ = row * stride - seeds[:, :1], column * stride - seeds[:, 1:]
        a, b = dx_ * np.cos(tilt) + dy_ * np.sin(tilt), dy_ * np.cos(tilt) - dx_ * np.sin(tilt)
        metric = np.maximum(np.abs(a), np.abs(b)) + 0.05 * (np.abs(a) + np.abs(b))
        width = SIZE // stride
        ok = (row >= 0) & (row < width) & (column >= 0) & (column < width)
        key = (metric * 1000).astype(np.int64) * len(seeds) + np.arange(len(seeds))[:, None]
        owner = np.full(width * width, 2**60)
        np.minimum.at(owner, (row * width + column)[ok], key[ok])
        owner %= len(seeds)
        yy, xx = np.divmod(np.arange(width * width), width)
        size = np.maximum(np.bincount(owner, minlength=len(seeds)), 1)
        if stride == 2:
            seeds = np.stack([np.bincount(owner, v, len(seeds)) / size for v in (yy, xx)], -1) * stride + stride / 2
    owner = owner.reshape(SIZE, SIZE)
    tone = (
        target[tuple(seeds.clip(0, SIZE - 1).astype(int).T)]
        + rng.normal(0, 0.045, (len(seeds), 1))
        + rng.normal(0, 0.02, (len(seeds), 3))
    )
    gap = np.zeros(X.shape, bool)
    gap[:-1] |= owner[1:] != owner[:-1]
    gap[:, :-1] |= owner[:, 1:] != owner[:, :-1]
    depth = distance_transform_edt(~gap)
    image = mix(tone[owner], ramp(0.5 + 0.2 * field(rng, 60), "6d6252 a1937a"), np.clip(1.6 - depth, 0, 1))
    return lit(np.dstack([image, np.minimum(depth, 3) * 0.4 + 0.1 * field(rng, 80, 1.5)]), 0.5)


def curve(points, count=160):
    """Smooth curve (count, 2) through the points (x, y)."""
    points = np.array(points, float)
    at = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    return make_interp_spline(at, points)(np.linspace(0, at[-1], count))


def wave(rng):
    """A great wave, printed from wood blocks."""
    sky = ramp(0.9 * Y**1.2 + 0.03 * field(rng, 5, 3), "e9dfc3 e0d2ae cdbd97 a9a48f 7d8a8c")
    print_ = Image.fromarray((sky.clip(0, 1) * 255).astype(np.uint8)).resize((2 * SIZE, 2 * SIZE))
    draw = ImageDraw.Draw(print_)

    def area(points, colour):
        draw.polygon([tuple(p) for p in np.asarray(points) * 2 * SIZE], colour)

    def foam(path, radii):
        for grow, colour in ((0.0032, "#14274d"), (0, "#f4ecd6")):
            for (x, y), r in zip(path * 2 * SIZE, (radii + grow) * 2 * SIZE):
                draw.ellipse((x - r, y - r, x + r, y + r), colour)

    def claw(x, y, heading, length, level):
        t = np.linspace(0, 1, 24)
        turn = heading + 1.9 * t**1.5 * (1 if level % 2 else 0.8)
        path = np.c_[x + np.cumsum(np.cos(turn)) * length / 24, y + np.cumsum(np.sin(turn)) * length / 24]
        if level:
            for at, side in ((8, -0.9), (13, 0.7), (17, -0.7)):
                claw(*path[at], turn[at] + side, length * 0.55, level - 1)
        foam(path, 0.16 * length * (1 - t) ** 0.8)

    def sea(inner, outer, bands):
        inner, outer = curve(inner), curve(outer)
        edges = np.linspace(0, 1, bands + 1) ** 1.1
        colours = ["#14274d", "#27508a", "#cfdcd8", "#27508a", "#14274d", "#5f8fb3"]
        for number, (low, high) in enumerate(zip(edges[:-1], edges[1:])):
            low, high = ((1 - e) * inner + e * outer for e in (low, high))
            area(np.r_[low, high[::-1]], colours[number % len(colours)])
        draw.line([tuple(p) for p in outer * 2 * SIZE], "#14274d", 6)
        draw.line([tuple(p) for p in inner * 2 * SIZE], "#14274d", 6)

    # the mountain
    slope = curve([(0.56, 0.79), (0.66, 0.715), (0.735, 0.645), (0.755, 0.645), (0.83, 0.72), (0.94, 0.79)])
    area(slope, "#3f5f86")
    snow = slope[(slope[:, 1] < 0.69)]
    area(np.r_[snow, [(0.775, 0.685), (0.76, 0.7), (0.745, 0.68), (0.725, 0.7), (0.715, 0.68)]], "#f4ecd6")
    lip = [
        (0.645, 0.36),
        (0.61, 0.24),
        (0.52, 0.15),
        (0.4, 0.125),
        (0.27, 0.19),
        (0.15, 0.32),
        (0.06, 0.46),
        (-0.03, 0.56),
        (-0.2, 0.9),
        (0, 1.2),
    ]
    face = [
        (0.645, 0.36),
        (0.59, 0.29),
        (0.52, 0.3),
        (0.455, 0.38),
        (0.44, 0.5),
        (0.475, 0.64),
        (0.56, 0.74),
        (0.7, 0.795),
        (0.85, 0.77),
        (1.05, 0.68),
    ]
    sea(face, lip, 19)
    crest = curve(lip[:6], 60)
    for number in range(0, 56, 1):
        x, y = crest[number] + (0.012, 0.022) + rng.normal(0, 0.006, 2)
        foam(np.array([[x, y]]), np.array([0.022 + 0.012 * rng.random()]))
    for number in range(50, -1, -3):
        x, y = crest[number] + rng.normal(0, 0.008, 2) + (0.01, 0.02)
        claw(x, y, 0.2 + 0.5 * rng.random() + 0.5 * (1 - number / 50), 0.09 + 0.05 * rng.random(), 1)
    for x, y, r in zip(rng.normal(0.62, 0.14, 90), rng.normal(0.3, 0.16, 90), 0.0015 + 0.004 * rng.random(90) ** 2):
        foam(np.array([[x, y]]), np.array([r])) if False else draw.ellipse(
            [(v + d * r) * 2 * SIZE for d, v in ((-1, x), (-1, y), (1, x), (1, y))], "#f4ecd6"
        )
    image = np.asarray(print_.resize((SIZE, SIZE), Image.Resampling.BOX), np.float32) / 255
    grain = field(rng, 30, 1.5, (1.5, 0.12)) + field(rng, 50, 1.2)
    return image * (1 + 0.025 * grain[..., None])


def circles(rng):
    """Circles, triangles and lines that sound together."""
    image = ramp(0.5 + 0.13 * field(rng, 3, 3) + 0.04 * field(rng, 60, 1.2), "d8c294 efe3c4 f8f1de")

    def glaze(image, mask, colours, depth=0.9, tone=0.5):
        """A translucent layer of colour: it multiplies what lies below, darker at its rim like watercolour."""
        wash = ramp(tone + 0.12 * field(rng, 7, 2.5), colours)
        return image * (1 - depth * mask[..., None] * (1 - wash))

    def triangle(ax, ay, bx, by, cx, cy):
        points = [(ax, ay), (bx, by), (cx, cy)]
        sides = [
            ((X - px) * (qy - py) - (Y - py) * (qx - px)) / np.hypot(qx - px, qy - py)
            for (px, py), (qx, qy) in zip(points, points[1:] + points[:1])
        ]
        return np.maximum.reduce(
            [side * np.sign(sides[0][int(cy * SIZE) % SIZE, int(cx * SIZE) % SIZE]) * -1 for side in sides]
        )

    def stroke(distance, width):
        return edge(np.abs(distance) - width / 2)

    for x, y, r, colours in (
        (0.25, 0.3, 0.3, "f6c9b0 fae3cf"),
        (0.7, 0.62, 0.28, "b8d0dc dce8e6"),
        (0.62, 0.2, 0.2, "f7e29a fbf2cf"),
        (0.2, 0.8, 0.2, "d6cbe4 ece6ef"),
    ):
        image = glaze(image, edge(disc(x, y, r), 90), colours)
    for x, y, r, colours, depth in (
        (0.27, 0.29, 0.17, "d2452e e8643c", 0.85),
        (0.27, 0.29, 0.125, "2a2a6e 3a3a86", 0.9),
        (0.25, 0.27, 0.06, "8a4fb0 b06cc8", 0.4),
        (0.72, 0.64, 0.15, "2f7f9e 5fb0c0", 0.8),
        (0.72, 0.64, 0.1, "f0b93c f8d873", 0.85),
        (0.72, 0.64, 0.05, "c83c34 e05a48", 0.9),
        (0.6, 0.2, 0.075, "f2b632 f6cf6a", 0.9),
        (0.645, 0.225, 0.05, "1f7a6a 4aa890", 0.8),
        (0.17, 0.78, 0.09, "6a4a9c 8f70bc", 0.8),
        (0.88, 0.28, 0.045, "20264e 343c6c", 0.9),
        (0.44, 0.86, 0.055, "e07a3a f09a58", 0.85),
        (0.9, 0.88, 0.06, "c83c5a e0607a", 0.8),
        (0.42, 0.52, 0.035, "20264e 343c6c", 0.95),
        (0.52, 0.44, 0.02, "c83c34 c83c34", 0.95),
        (0.08, 0.56, 0.03, "f0b93c f0b93c", 0.9),
    ):
        d = disc(x, y, r)
        image = glaze(image, edge(d) * (0.75 + 0.25 * np.exp(np.clip(d, -1, 0) / 0.012)), colours, depth)
    for points, colours, depth in (
        ((0.36, 0.95, 0.55, 0.3, 0.66, 0.88), "f2c84a f6dc86", 0.75),
        ((0.3, 0.72, 0.95, 0.42, 0.5, 0.6), "3a9a9e 80c4bc", 0.6),
        ((0.05, 0.95, 0.3, 0.5, 0.36, 0.92), "d8603c ec8c60", 0.7),
        ((0.7, 0.1, 0.97, 0.14, 0.8, 0.45), "e89ab0 f4c4cc", 0.7),
        ((0.5, 0.06, 0.56, 0.35, 0.4, 0.3), "2f5fa8 6a92c8", 0.7),
    ):
        image = glaze(image, edge(triangle(*points)), colours, depth)
    black = np.zeros_like(X)
    for ax, ay, bx, by, width in (
        (0.02, 0.7, 0.98, 0.1, 0.006),
        (0.1, 0.98, 0.62, 0.02, 0.004),
        (0.3, 0.05, 0.95, 0.95, 0.003),
        (0.45, 0.98, 0.98, 0.5, 0.005),
        (0.02, 0.42, 0.5, 0.62, 0.003),
        (0.06, 0.12, 0.5, 0.02, 0.004),
    ):
        length = np.hypot(bx - ax, by - ay)
        t = ((X - ax) * (bx - ax) + (Y - ay) * (by - ay)) / length
        n = ((X - ax) * (by - ay) - (Y - ay) * (bx - ax)) / length
        black = np.maximum(
            black, edge(np.maximum(np.abs(n) - width * (0.2 + 0.8 * t / length), np.abs(t - length / 2) - length / 2))
        )
    for x, y, r, width in (
        (0.27, 0.29, 0.19, 0.005),
        (0.72, 0.64, 0.165, 0.003),
        (0.72, 0.64, 0.18, 0.006),
        (0.5, 0.75, 0.3, 0.004),
        (0.6, 0.2, 0.1, 0.003),
    ):
        black = np.maximum(black, stroke(disc(x, y, r), width) * (np.arctan2(Y - y, X - x) < 2.2 if r > 0.17 else 1))
    for cx, cy, tilt in ((0.84, 0.3, 0.3), (0.5, 0.68, -0.5)):
        u, v = (X - cx) * np.cos(tilt) + (Y - cy) * np.sin(tilt), (Y - cy) * np.cos(tilt) - (X - cx) * np.sin(tilt)
        board = (np.maximum(np.abs(u), np.abs(v)) < 0.07) & ((np.floor(u / 0.0234) + np.floor(v / 0.0234)) % 2 == 0)
        black = np.maximum(black, board)
    image = mix(image, ramp(0 * X, "17151c 17151c"), 0.93 * black)
    weave = np.sin(X * SIZE * 1.3) + np.sin(Y * SIZE * 1.3)
    return image * (1 + 0.02 * field(rng, 90, 1.2))[..., None]


PAINTERS = {painter.__name__: painter for painter in (swirls, birches, dots, wave, glass, mosaic, ink, circles)}
PAINTINGS = tuple(PAINTERS)


@cache
def canvas(name):
    """The whole painting (1, 3, SIZE, SIZE)."""
    image = PAINTERS[name](np.random.default_rng(sum(map(ord, name))))
    return torch.from_numpy(np.clip(image, 0, 1).astype(np.float32)).permute(2, 0, 1)[None]


def painting(name: str, size: int | tuple[int, int] | None = None) -> torch.Tensor:
    """A painting by name, as an image (1, 3, H, W) in [0, 1].

    An int asks for a square, (H, W) for the middle of the canvas in that aspect ratio, None for 512 x 512.
    A ValueError lists the names when there is no such painting.
    """
    if name not in PAINTERS:
        raise ValueError(f"name: no painting is called {name!r}; there are {', '.join(PAINTINGS)}")
    height, width = (size or 512, size or 512) if not isinstance(size, tuple) else size
    if height < 1 or width < 1:
        raise ValueError(f"size: {size} should be at least 1 pixel high and wide")
    scale = SIZE / max(height, width)
    rows, columns = round(height * scale), round(width * scale)
    top, left = (SIZE - rows) // 2, (SIZE - columns) // 2
    part = canvas(name)[:, :, top : top + rows, left : left + columns]
    return torch.nn.functional.interpolate(part, (height, width), mode="bicubic", antialias=True).clamp(0, 1)
