"""Paintings made by formulas: style images that belong to the course itself."""

from functools import cache

import numpy as np
import torch
from numpy.random import Generator
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, gaussian_filter
from torch import Tensor

from cnnlab.brushes import SIZE, Array, X, Y, brush, curve, disc, edge, field, lit, mix, ramp, seams, tesserae
from cnnlab.images import crop_to


def swirls(rng: Generator) -> Array:
    """Wind and stars over a village at night."""
    eddies = [  # x, y, size, sense of turning, 1 if it shines
        (0.47, 0.34, 0.15, 1, 0), (0.68, 0.46, 0.09, -1, 0), (0.84, 0.15, 0.085, 1, 1), (0.30, 0.08, 0.03, 1, 1),
        (0.54, 0.08, 0.026, 1, 1), (0.27, 0.27, 0.036, 1, 1), (0.92, 0.41, 0.03, 1, 1), (0.31, 0.5, 0.028, 1, 1),
        (0.69, 0.24, 0.022, 1, 1), (0.05, 0.14, 0.034, 1, 1),
    ]  # fmt: skip
    wind = 0.25 * np.sin(9 * X + 2) + 0.35 * field(rng, 3, 4)
    east, south, phase, glow = np.cos(wind), np.sin(wind), 21 * Y + 1.2 * field(rng), np.zeros_like(X)
    for x, y, size, sense, shines in eddies:
        dx, dy = (X - x) / size, (Y - y) / size
        away = np.hypot(dx, dy) + 1e-3
        near = np.exp(-((away / 1.1) ** 2))
        inward = 0.25 * (1 - shines)
        east += 6 * near / away * (-dy * sense - dx * inward)
        south += 6 * near / away * (dx * sense - dy * inward)
        phase += 2 * near * np.cos(8 * away + np.arctan2(dy, dx) * (1 - shines))
        glow += shines * near * (0.9 + 0.1 * np.cos(9 * away))
    angle = np.arctan2(south, east)
    tone = (0.5 + 0.5 * np.sin(phase) + 0.15 * field(rng, 20)) * (0.85 - 0.5 * Y)
    target = mix(
        ramp(tone, "0a1440 12307a 2a62ad 6fa3c8 d5dfc0"),
        ramp(0.8 * glow, "4f8fb0 a9c08a f0c93f fbe06a fff6c8"),
        1.6 * glow,
    )
    target = mix(target, ramp(0.5, "f0941e"), edge(np.maximum(disc(0.84, 0.15, 0.045), -disc(0.82, 0.14, 0.036))))
    for base, lift, colours in (
        (0.62, 0.06, "14285c 2a4f8c 5a86b0"),
        (0.78, 0.03, "071020 10304a 1f5a66 5f9a70 b5b56a"),
    ):
        hill = base - lift * np.sin(6 * X + 9 * base) - 0.08 * X**2
        shade = 0.45 + 0.25 * np.sin(60 * (Y - hill) + 8 * X) + 0.2 * field(rng, 12)
        target = mix(target, ramp(shade, colours), edge(hill - Y))
        angle = np.where(hill < Y, np.arctan(np.gradient(hill, 1 / SIZE, axis=1)), angle)
    fine = np.clip(2 * glow, 0, 1)
    for x, y, w, tall in (
        (0.38, 0.8, 0.036, 0.03), (0.63, 0.76, 0.013, 0.1), (0.47, 0.775, 0.03, 0.03), (0.56, 0.79, 0.04, 0.035),
        (0.68, 0.785, 0.034, 0.03), (0.79, 0.76, 0.03, 0.028), (0.9, 0.775, 0.042, 0.04),
    ):  # fmt: skip
        wall = np.maximum(np.abs(X - x) - w, np.abs(Y - y) - 0.028)
        roof = np.maximum(np.abs(X - x) - w * (Y - y + 0.028 + tall) / tall, Y - y + 0.028)
        window = np.maximum(np.abs(X - x + 0.3 * w), np.abs(Y - y)) - 0.009
        for shape, colour in ((wall, "5f7fae"), (roof, "7d4238"), (window, "ffd34e")):
            target, fine = mix(target, ramp(0.5, colour), edge(shape)), np.maximum(fine, edge(shape))
            angle = np.where(shape < 0, np.pi / 2, angle)
    lean = X - 0.14 - 0.02 * np.sin(9 * Y)
    for side, top in ((0, 0.16), (0.055, 0.42)):
        flame = np.abs(lean - side) - 0.075 * np.clip(Y - top, 0, 1) ** 0.6 * (1 + 0.22 * np.sin(34 * Y + 25 * lean))
        cypress = ramp(0.4 + 0.35 * np.sin(90 * lean + 20 * Y), "04090c 12261d 2e4626 6a6430")
        target, angle = (
            mix(target, cypress, edge(flame)),
            np.where(flame < 0, np.pi / 2 + 0.5 * np.sin(22 * Y) + 4 * lean, angle),
        )
    canvas = np.dstack([0.6 * target, 0 * X])
    brush(rng, canvas, target, angle, 2500, 0.07, 0.016)
    brush(rng, canvas, target, angle, 5500, 0.045, 0.0085)
    brush(rng, canvas, target, angle, 30000, 0.016, 0.005, fine, 0.03)
    return lit(canvas)


def birches(rng: Generator) -> Array:
    """A birch wood in October."""
    leaves = 0.45 + 0.22 * field(rng, 14, 2.5, (1.8, 1)) + 0.1 * field(rng, 3)
    floor = ramp(leaves, "3b1f2b 7a2f1d b5481b d9822b edb750 8c8a3c")
    crowns = ramp(0.45 + 0.25 * field(rng, 8, 2.5) - 0.3 * Y, "1a3330 27402a 5b6b2c b08a2a e0b04a")
    gold = ramp(0.6 + 0.3 * field(rng, 12), "b5481b d9822b edb750 f7da7c")
    target = mix(crowns, floor, edge(0.36 + 0.02 * field(rng, 3) - Y, 40))
    canvas, angle = np.dstack([0.5 * target, 0 * X]), 0.5 * field(rng, 5)
    brush(rng, canvas, target, angle + 1.2, 4500, 0.02, 0.012, Y < 0.45, 0.07)
    brush(rng, canvas, target, angle, 7000, 0.014, 0.009, Y > 0.33, 0.09)
    for number, near in enumerate(np.linspace(0, 1, 22)):  # from the farthest tree to the nearest
        x = (0.618 * number + 0.1 * rng.uniform()) % 1
        lean, width, foot = rng.normal(0, 0.05), 0.01 + 0.052 * near**1.5, 0.38 + 0.58 * near**1.4
        across = (X - x - lean * (foot - Y) - 0.012 * np.sin(5 * Y + 9 * x)) / (width * (0.4 + 0.13 * Y))
        trunk = (np.abs(across) < 1) & (Y < foot)
        light = 0.65 + 0.3 * near - 0.45 * np.abs(across + 0.35) + 0.1 * field(rng, 20, 2, (1, 0.3))
        bark, scars = (
            ramp(light, "2b2a35 6f6a78 b7aea6 efe6d2 fffaf0"),
            ramp(0.3 + 0.2 * field(rng, 20), "15131a 3a2c2c 6b5a50"),
        )
        knots = trunk & (field(rng, 12, 2, (1, 0.4)) > 0.7)
        brush(rng, canvas, bark, 1.57 + lean + 0 * X, 14000, 0.03, 0.006, trunk, 0.03)
        brush(rng, canvas, scars, 0.2 * across, 2500, 0.3 * width, 0.004 + 0.004 * near, knots, 0.03)
        brush(rng, canvas, floor, angle, 700, 0.016, 0.011, edge(np.abs(Y - foot) - 0.02, 20), 0.1)
    brush(rng, canvas, floor, angle, 6000, 0.016, 0.011, np.clip(1.4 * Y - 0.5, 0, 1) ** 2, 0.1)
    brush(rng, canvas, gold, angle + 0.8, 3500, 0.012, 0.01, np.clip(field(rng, 5), 0, 1) * (Y < 0.4), 0.08)
    return lit(canvas)


def dots(rng: Generator) -> Array:
    """A river at sunset, in dots of divided colour."""
    shore = 0.47
    ripples = 0.02 * field(rng, 30, 2, (1, 0.15)) * np.clip(4 * (Y - shore), 0, 1)
    height = np.abs(Y - shore) + ripples  # above the shore line; the water shows it all upside down
    away = np.hypot(X - 0.64, 1.3 * (height - 0.1))
    target = ramp(1.2 * away + 0.05 * np.sin(50 * height + 6 * X), "fff3bd fdd06a f59a56 d96f7c 8b63a6 4d5ca3 34498c")
    target = mix(target, ramp(0.5, "fffbe6"), edge(away - 0.06, 5))
    for top, colours in ((0.08, "8a78b8 b08cbc"), (0.035, "4c6a9f 6f86ab")):
        hill = top + 0.03 * np.sin(9 * X + 40 * top) * np.cos(5 * X)
        target = mix(target, ramp(0.5 + 0.3 * field(rng, 20), colours), edge(height - hill, 3))
    poplars = ((0.06, 0.42, 0.06), (0.15, 0.36, 0.045), (0.22, 0.25, 0.036), (0.28, 0.17, 0.03), (0.94, 0.24, 0.05))
    for x, tall, wide in poplars:
        up = np.clip(height / tall, 0, 1)
        tree = np.abs(X - x - 0.008 * field(rng, 12, 2)) - wide * np.sqrt(up * (1 - up)) * (2 - 0.8 * up)
        shade = 0.4 + 0.25 * field(rng, 18, 2) + 0.3 * (X - x) / wide
        target = mix(target, ramp(shade, "16264a 1f4a55 3f7a58 b8b45a"), edge(tree, 4))
    sail = np.maximum(np.maximum(0.44 - X, X - 0.5 + 0.42 * height), 0.012 - height)
    target = mix(target, ramp(0.5, "fdf0d0"), edge(sail))
    target = mix(target, ramp(0.5, "3a2a4e"), edge(np.maximum(np.abs(X - 0.455) - 0.036 - height, height - 0.014)))
    target = mix(target, ramp(0.5, "2f4a86"), 0.13 * (Y > shore) + 0.3 * edge(height - 0.004))
    bank = Y - 0.87 + 0.2 * (1 - X) ** 3 - 0.02 * np.sin(8 * X)
    grass = 0.45 + 0.25 * field(rng, 7, 2.5) - 1.5 * bank
    target = mix(target, ramp(grass, "1c3050 2b5a58 5f8a4e c8b85a f5d07c"), edge(-bank, 4))
    canvas = np.dstack([0.9 * target, 0 * X])
    hues = ramp(np.linspace(0, 1, 5), "e8842f e2506a 3b5bb5 3f9a8c f5d45e")
    for size, count in ((0.017, 7000), (0.0135, 9000), (0.0115, 4500)):
        brush(rng, canvas, target, field(rng), count, size, size, jitter=0.05, dry=0)
        for hue in hues:  # pure colours beside the local one, for the eye to mix
            brush(rng, canvas, 0.6 * target + 0.4 * hue, field(rng), count // 16, size, size, jitter=0.04, dry=0)
    return lit(canvas, 0.2)


def wave(rng: Generator) -> Array:
    """A great wave, printed from wood blocks in indigo on cream."""
    sky = ramp(Y + 0.05 * field(rng, 5, 3, (1, 3)), "6f8a99 a9b3a6 d8cba4 eadfbf eadfbf e6cfa4 d9b98c")
    page = Image.fromarray((255 * sky).astype(np.uint8)).resize((2 * SIZE, 2 * SIZE))
    pen, indigo, cream = ImageDraw.Draw(page), "#14274d", "#f8f2e0"

    def area(points: Array, fill: str, line: int = 5) -> None:
        pen.polygon([tuple(point) for point in 2 * SIZE * np.asarray(points)], fill, indigo, line)

    def foam(path: Array, radii: Array) -> None:
        for grow, colour in ((0.0022, indigo), (0, cream)):
            for (x, y), radius in zip(2 * SIZE * path, 2 * SIZE * (radii + grow), strict=True):
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), colour)

    def claw(start: Array, heading: float, length: float, fingers: int = 2) -> None:
        t = np.linspace(0, 1, 24)
        turn = heading + 2.4 * t**1.5
        path = start + np.cumsum(np.stack([np.cos(turn), np.sin(turn)], -1), 0) * length / 24
        for at, side in ((5, 1.0), (9, -0.9), (13, 0.8), (17, -0.8)) if fingers and length > 0.03 else ():
            claw(path[at], turn[at] + side, 0.5 * length, fingers - 1)
        foam(path, 0.11 * length * (1 - t) ** 0.7)

    def sea(inner: list, outer: list, bands: int) -> None:
        inner, outer = curve(inner), curve(outer)
        cuts = np.linspace(0, 1, bands + 1) + np.r_[0, rng.uniform(-0.35, 0.35, bands - 1), 0] / bands
        for number, cut in enumerate(cuts[:-1]):
            fill = ("#14274d", "#234a84", "#d5e0da", "#234a84", "#14274d", "#5b8bb2", "#234a84")[number % 7]
            area(np.r_[inner + cut * (outer - inner), (inner + cuts[number + 1] * (outer - inner))[::-1]], fill, 2)

    def crest(ridge: list, count: int, low: float, high: float) -> None:
        lip = curve(ridge, count + 1)
        along = np.arctan2(*np.gradient(lip, axis=0).T[::-1])
        for place, angle, size in zip(lip[::-1], along[::-1], np.linspace(high, low, count + 1), strict=True):
            inward = np.array([-np.sin(angle), np.cos(angle)])
            place = place + rng.uniform(-0.1, 0.35) * size * inward
            foam(place[None], rng.uniform(0.12, 0.24, 1) * size)
            claw(place, angle + rng.uniform(0, 1.1), size * rng.uniform(0.7, 1.2))

    peak = curve(
        [(0.5, 0.8), (0.62, 0.725), (0.7, 0.655), (0.735, 0.615), (0.765, 0.615), (0.8, 0.655), (0.88, 0.725), (1, 0.8)]
    )
    area([(-1, 0.8), (2, 0.8), (2, 2), (-1, 2)], "#5b8bb2")
    area(peak, "#56759a")
    area(
        np.r_[peak[(peak[:, 1] < 0.68)], [(0.8, 0.7), (0.78, 0.675), (0.755, 0.705), (0.735, 0.67), (0.71, 0.7)]], cream
    )
    back = [
        (-0.1, 0.9),
        (0, 0.56),
        (0.1, 0.42),
        (0.19, 0.27),
        (0.31, 0.155),
        (0.44, 0.12),
        (0.56, 0.165),
        (0.64, 0.27),
        (0.655, 0.4),
    ]
    face = [
        (0.655, 0.4),
        (0.6, 0.3),
        (0.53, 0.29),
        (0.46, 0.36),
        (0.435, 0.49),
        (0.465, 0.63),
        (0.55, 0.745),
        (0.7, 0.815),
        (0.86, 0.83),
        (1.1, 0.8),
    ]
    sea(face, [*back[::-1], (0, 1.3)], 30)
    crest(back[2:], 46, 0.07, 0.13)
    for x, y, size in zip(rng.normal(0.66, 0.09, 90), rng.normal(0.4, 0.1, 90), rng.random(90), strict=True):
        foam(np.array([[x, y]]), np.array([0.001 + 0.004 * size**3]))
    boat = curve([(0.42, 0.77), (0.5, 0.835), (0.6, 0.85), (0.7, 0.82), (0.78, 0.745)])
    area(np.r_[boat, curve([(0.78, 0.745), (0.68, 0.795), (0.6, 0.81), (0.5, 0.8), (0.42, 0.77)])], "#d9a95c")
    swell = [(0.12, 1.05), (0.3, 1.0), (0.5, 0.93), (0.66, 0.83), (0.8, 0.79), (0.92, 0.83), (1.05, 0.93)]
    sea(swell, [(0.1, 1.1), (0.3, 1.1), (0.5, 1.1), (0.8, 1.1), (1.1, 1.1)], 12)
    crest(swell[2:6], 22, 0.03, 0.07)
    image = np.asarray(page.resize((SIZE, SIZE), Image.Resampling.BOX), np.float32) / 255
    return image * (1 + 0.03 * field(rng, 30, 1.5, (0.12, 1.5)) + 0.025 * field(rng, 50, 1.2))[..., None]


def glass(rng: Generator) -> Array:
    """A rose window: leaded pieces of coloured glass, lit from behind."""
    dx, dy = X - 0.5, Y - 0.5
    radius, turn = np.hypot(dx, dy), np.arctan2(dy, dx)
    petal, between = (np.abs((turn + shift) % (np.pi / 6) - np.pi / 12) for shift in (np.pi / 12, 0))  # twelvefold
    (u, v), (p, q) = ((radius * np.cos(fold), radius * np.sin(fold)) for fold in (petal, between))
    regions = [  # distance, negative inside, and the colours of the glass: each covers those before
        (radius - 1, "0a1a4a 1c4494 5a90d8"), (radius - 0.492, "f0a826 f8d060 fff0b8"), (radius - 0.47, "5c0f1c a01c2a dc4a36"),
        (radius - 0.43, "0b2c6e 1c58b4 6cb0e8"), (np.hypot(p - 0.375, q) - 0.042, "f0a826 f8d060 fff3bd"),
        (np.hypot(p - 0.375, q) - 0.02, "8e1230 c8243c f0704a"), (np.hypot((u - 0.265) / 2, v) - 0.06, "8e1230 cc2840 f47a58"),
        (np.hypot((u - 0.275) / 2, v) - 0.038, "ee9e20 f8cc58 fff0b0"), (np.hypot((u - 0.28) / 2, v) - 0.017, "155a48 38986c a4dc98"),
        (radius - 0.145, "12306e 2a6cc0 8fc4ea"), (np.hypot(p - 0.105, q) - 0.026, "155a48 38986c b4e4a4"),
        (radius - 0.076, "8e1230 d83a38 f88a50"), (radius - 0.036 - 0.008 * np.cos(12 * turn), "f4b030 fbe080 fffbe0"),
    ]  # fmt: skip
    region = np.max([number * (distance < 0) for number, (distance, _) in enumerate(regions)], axis=0)
    rays, reach = rng.uniform(0, np.pi / 12, 26), 0.68 * np.sqrt(rng.uniform(0.01, 1, 26))
    rays = np.concatenate([sign * rays + step * np.pi / 6 for sign in (-1, 1) for step in range(12)])
    seeds = np.ones(X.shape, bool)
    row, column = (0.5 + np.tile(reach, 24) * np.stack([np.sin(rays), np.cos(rays)])).clip(0, 0.999) * SIZE
    seeds[row.astype(int), column.astype(int)] = False
    nearest = distance_transform_edt(seeds, return_distances=False, return_indices=True)
    quarry = np.floor(14 * (dx + dy)) * 40 + np.floor(14 * (dx - dy))
    cell = np.where(
        (region == 0) | (region > 9),
        quarry * (region == 0) + np.floor((turn + np.pi / 12) * 6 / np.pi) * (region == 11),
        nearest[0] * SIZE + nearest[1],
    )
    piece = np.unique(region * 10.0**7 + cell, return_inverse=True)[1].reshape(X.shape)
    gap = gaussian_filter(seams(piece).astype(np.float32), 0.8) / SIZE
    streaks = np.where(piece % 2, field(rng, 10, 2.5, (1, 5)), field(rng, 10, 2.5, (5, 1)))
    tone = (
        rng.normal(0.42, 0.2, piece.max() + 1)[piece]
        + 0.09 * streaks
        + 7 * np.minimum(gap, 0.03)
        + 0.05 * field(rng, 40, 1.5)
    )
    shine = 1.2 - 0.8 * np.clip(radius - 0.1, 0, 1) - 0.2 * (region == 0)
    image = np.choose(region[..., None], [ramp(tone, colours) for _, colours in regions]) * shine[..., None]
    came = ramp(0.4 + 130 * (0.0045 - gap), "08080c 141419 34343c")
    image = mix(image, came, edge(gap - 0.0036, 2))
    return image + 0.4 * image * gaussian_filter(image, (9, 9, 0))


def mosaic(rng: Generator) -> Array:
    """Two fish in a ring, laid in tesserae that follow every outline."""
    dx, dy = X - 0.5, Y - 0.5
    radius, turn, square = np.hypot(dx, dy), np.arctan2(dy, dx), np.maximum(np.abs(dx), np.abs(dy))
    along = (turn % np.pi) / 2.45  # from the nose, 0, to the tips of the tail, 1, of either fish
    across = (radius - 0.225) / 0.105 - 0.15 * np.sin(3.3 * along)
    girth = 1.5 * np.sqrt(along) * np.clip(1 - 1.2 * along, 0, 1) ** 0.7
    tail = np.where((along > 0.76) & (along < 0.97 - 0.08 * np.cos(2.5 * across)), 4.2 * (along - 0.76), 0)
    fin = np.where((along > 0.3) & (along < 0.6), 0.5 + 1.3 * (along - 0.3), 0)
    fish = np.abs(across) < np.maximum(np.maximum(girth, tail), fin)
    outline = np.abs(distance_transform_edt(fish) - distance_transform_edt(~fish)) / SIZE
    ring, frame = np.abs(radius - 0.39), np.abs(square - 0.432)
    down, right = np.gradient(gaussian_filter(np.minimum(np.minimum(outline, ring), frame), 2))
    target = ramp(0.5 + 0.2 * field(rng, 8), "d3c196 efe4c6")
    water = ramp(0.45 + 0.4 * np.sin(75 * radius + 1.5 * np.sin(5 * turn)), "2f7186 5fa3aa a9cdc0 e4dcc0")
    scales = ramp(0.5 + 0.42 * across + 0.12 * np.sin(75 * along), "f6e3b0 eeb04e d9742c a83a26 5c1a2a")
    leaf = np.hypot(np.abs(dx) - 0.365, np.abs(dy) - 0.365)
    teeth = 0.445 + 0.04 * np.abs((16 * np.where(np.abs(dx) > np.abs(dy), Y, X)) % 2 - 1)
    eye = np.hypot((along - 0.13) * 2.45 * 0.225, (across - 0.2) * 0.105)
    for mask, colour in (
        (radius < 0.39, water), (fish, scales), (fish & (np.abs(along - 0.24 + 0.05 * across**2) < 0.018), ramp(0.5, "f6e3b0")),
        (outline < 0.006, ramp(0.5, "241a2a")), (eye < 0.025, ramp(0.5, "fbf3dc")), (eye < 0.012, ramp(0.5, "14121c")),
        (ring < 0.012, ramp(0.5, "7a2028")), (leaf < 0.045, ramp(0.5, "b0482c")), (leaf < 0.018, ramp(0.5, "f0c060")),
        (square > 0.432, ramp(0.5, "efe2c0")), (square > teeth, ramp(0.5, "1f3f60")), (frame < 0.007, ramp(0.5, "7a2028")),
    ):  # fmt: skip
        target = np.where(mask[..., None], colour, target)
    tile, centres = tesserae(rng, np.arctan2(down, right), 0.0125)
    colours = target[tuple(centres.clip(0, SIZE - 1).astype(int).T)]
    colours = colours * rng.normal(1, 0.08, (len(colours), 1)) + rng.normal(0, 0.02, colours.shape)
    depth = seams(tile)
    grout = ramp(0.5 + 0.2 * field(rng, 60), "5c5246 94876f")
    image = mix(colours[tile], grout, 1.6 - depth)
    return lit(np.dstack([image, 0.4 * np.minimum(depth, 3) + 0.1 * field(rng, 80, 1.5)]), 0.45)


def ink(rng: Generator) -> Array:
    """Bamboo before mountains that rise out of mist, ink on paper."""
    fibres = field(rng, 40, 1.5, (0.4, 1.6)) + field(rng, 40, 1.5, (1.6, 0.4))
    paper = ramp(0.55 + 0.06 * fibres + 0.12 * field(rng, 2), "d9c9a4 eadfc2 f6efdc")
    canvas = np.dstack([mix(paper, ramp(0.5, "c8402c"), 0.85 * edge(disc(0.3, 0.2, 0.065) + 0.001 * fibres, 3)), 0 * X])
    image = canvas[..., :3]
    for near, base in zip(np.linspace(0, 1, 6), (0.42, 0.49, 0.57, 0.68, 0.82, 1.0), strict=True):
        summit = np.exp(-(((X[:1] - 0.7 + 0.5 * near) / 0.15) ** 2))
        ridge = base - 0.07 * field(rng, 2.5, 2.5)[:1] - 0.22 * (1 - near) * summit
        below, tint = Y - ridge, ramp(near, "7d93a2 465561 181b1f")
        inside = edge(-below + 0.002 * field(rng, 60, 2), 2)
        wash = (
            inside
            * np.exp(-np.clip(below, 0, 1) / (0.06 + 0.05 * near))
            * (0.25 + 0.55 * near)
            * (1 + 0.3 * field(rng, 9, 2))
        )
        image[:] = mix(mix(image, paper, inside), tint * paper, wash)
        down = np.arctan2(1, np.gradient(ridge, 1 / SIZE, axis=1)) + 0.3 * field(rng, 9)
        where = np.clip(1.6 * inside * np.exp(-below / 0.05) * field(rng, 7, 2), 0, 1)
        brush(rng, canvas, 0.8 * image, down, 22000, 0.015 + 0.03 * near, 0.002 + 0.003 * near, where, 0.03, 0.8)
    dryness = 0.25 * field(rng, 50, 2, (6, 0.5))

    def blade(x: float, y: float, heading: float, length: float, width: float) -> Array:
        u, v = (((X - x) * np.cos(turn) + (Y - y) * np.sin(turn)) / length for turn in (heading, heading + np.pi / 2))
        return length * (np.abs(v - 0.15 * u**2) - width / length * np.sin(np.pi * np.clip(u, 0, 1) ** 0.6)) + 1e-3

    for x, width, dark in ((0.93, 0.011, 0.5), (0.84, 0.016, 0.92)):
        stem = X - x - 0.05 * (Y - 0.5) ** 2 - 0.02 * Y
        joint = np.abs((Y + 0.35 * x) % 0.17 - 0.085)
        stalk = np.maximum(np.abs(stem) - width * (1 + 0.25 * (joint > 0.08)), joint - 0.082)
        density = edge(stalk, 3) * (0.55 + dryness + 0.4 * np.abs(stem) / width)
        for y in (0.02, 0.1, 0.2, 0.33, 0.42):
            side, reach = rng.choice([-1, -1, 1]), rng.uniform(0.03, 0.11)
            twig, strength = (x + side * reach, y + 0.4 * reach), rng.uniform(0.65, 1)
            parts = [blade(x, y, np.arctan2(0.4, side), 1.08 * reach, 0.003)]
            parts += [
                blade(*twig, 1.57 - side * rng.uniform(-0.5, 1.3), rng.uniform(0.1, 0.2), 0.013) for _ in range(5)
            ]
            density = np.maximum(density, strength * edge(np.minimum.reduce(parts), 2) * (0.95 + dryness))
        image[:] = mix(image, ramp(0.5, "14161a"), dark * density)
    return image


def circles(rng: Generator) -> Array:
    """Circles, triangles and lines that sound together."""
    paper = ramp(0.5 + 0.13 * field(rng, 3) + 0.04 * field(rng, 60, 1.2), "d8c294 efe3c4 f8f1de")
    canvas = np.dstack([paper, 0 * X])
    image = canvas[..., :3]

    def glaze(distance: Array, colours: str, depth: float, softness: float = 1.5) -> None:
        wash = ramp(0.5 + 0.3 * (X - Y) + 0.12 * field(rng, 7, 2.5), colours) * (
            0.5 + 0.5 * image
        )  # what lies below shines through
        rim = 0.8 + 0.2 * np.exp(np.minimum(distance, 0) / 0.012)  # pigment gathers at the edge
        image[:] = mix(image, wash, depth * rim * edge(distance, softness))

    def line(ax: float, ay: float, bx: float, by: float) -> tuple[Array, Array]:
        length = np.hypot(bx - ax, by - ay)
        return ((X - ax) * (bx - ax) + (Y - ay) * (by - ay)) / length**2, (
            (X - ax) * (by - ay) - (Y - ay) * (bx - ax)
        ) / length

    for x, y, radius, colours in (
        (0.25, 0.3, 0.3, "f3b39a fae3cf"), (0.7, 0.62, 0.28, "9cc4d0 dce8e6"), (0.62, 0.2, 0.2, "f7dc84 fbf2cf"), (0.2, 0.8, 0.2, "c4b4dc ece6ef"),
    ):  # fmt: skip
        glaze(disc(x, y, radius), colours, 0.9, 110)
    for ax, ay, bx, by, cx, cy, colours in (
        (0.36, 0.95, 0.55, 0.3, 0.66, 0.88, "e8b030 f8e08a"), (0.3, 0.72, 0.95, 0.38, 0.5, 0.6, "2a8a92 90d0c4"), (0.05, 0.95, 0.3, 0.5, 0.36, 0.92, "cc4a2c f4a070"),
        (0.7, 0.1, 0.97, 0.14, 0.8, 0.45, "e08aa6 f8d0d4"), (0.4, 0.3, 0.5, 0.05, 0.57, 0.35, "2450a0 78a0d4"),
    ):  # fmt: skip
        sides = [line(*ends)[1] for ends in ((ax, ay, bx, by), (bx, by, cx, cy), (cx, cy, ax, ay))]
        glaze(np.maximum.reduce(sides), colours, 0.85)
    for x, y, radius, colours in (
        (0.27, 0.29, 0.17, "c8321e f08050"), (0.27, 0.29, 0.125, "16164a 40408c"), (0.25, 0.27, 0.06, "8a3fa8 d080d8"), (0.72, 0.64, 0.15, "1a6a90 6cc0cc"),
        (0.72, 0.64, 0.1, "f0a826 fae08a"), (0.72, 0.64, 0.05, "b8242c f07058"), (0.6, 0.2, 0.075, "f0a826 fae08a"), (0.645, 0.225, 0.05, "0e6a5a 60c0a0"),
        (0.17, 0.78, 0.09, "5a348c a080d0"), (0.88, 0.28, 0.045, "16164a 40408c"), (0.44, 0.86, 0.055, "e0602a f8b070"), (0.9, 0.88, 0.06, "b8244c f07890"),
        (0.42, 0.52, 0.035, "16164a 40408c"), (0.52, 0.44, 0.02, "c8321e f08050"), (0.08, 0.56, 0.03, "f0a826 fae08a"), (0.93, 0.52, 0.02, "0e6a5a 60c0a0"),
    ):  # fmt: skip
        glaze(disc(x, y, radius), colours, 0.92)
    brush(rng, canvas, image, 2 * field(rng, 2), 16000, 0.03, 0.008, jitter=0.02)
    black = np.zeros_like(X)
    for ax, ay, bx, by, width in (
        (0.02, 0.7, 0.98, 0.1, 0.006), (0.1, 0.98, 0.62, 0.02, 0.004), (0.3, 0.05, 0.95, 0.95, 0.003), (0.45, 0.98, 0.98, 0.5, 0.005),
        (0.02, 0.42, 0.5, 0.62, 0.003), (0.06, 0.12, 0.5, 0.02, 0.004), (0.05, 0.15, 0.48, 0.05, 0.002), (0.74, 0.93, 0.97, 0.75, 0.002),
    ):  # fmt: skip
        t, offset = line(ax, ay, bx, by)
        black = np.maximum(black, edge(np.abs(offset) - width * (0.2 + 0.6 * t)) * (t > 0) * (t < 1))
    for x, y, radius, width, arc in (
        (0.27, 0.29, 0.19, 0.005, 2.2),
        (0.72, 0.64, 0.165, 0.003, 4),
        (0.72, 0.64, 0.18, 0.006, 2.2),
        (0.5, 0.75, 0.3, 0.004, 0.8),
        (0.6, 0.2, 0.1, 0.003, 4),
    ):
        black = np.maximum(black, edge(np.abs(disc(x, y, radius)) - width / 2) * (np.arctan2(Y - y, X - x) < arc))
    for x, y, tilt in ((0.84, 0.3, 0.3), (0.5, 0.68, -0.5)):
        u, v = ((X - x) * np.cos(turn) + (Y - y) * np.sin(turn) for turn in (tilt, tilt + np.pi / 2))
        black = np.maximum(black, (np.maximum(np.abs(u), np.abs(v)) < 0.07) & ((u // 0.0234 + v // 0.0234) % 2 == 0))
    image[:] = mix(image, ramp(0.5, "17151c"), 0.93 * black)
    return lit(canvas, 0.12)


PAINTERS = {painter.__name__: painter for painter in (swirls, birches, dots, wave, glass, mosaic, ink, circles)}
PAINTINGS: tuple[str, ...] = tuple(PAINTERS)


def painting(name: str, size: int | tuple[int, int] | None = None) -> Tensor:
    """A painting by formulas, (1, 3, H, W); the same at every call.

    Args:
        name: one of `PAINTINGS`.
        size: pixels of a square, or (H, W): the middle of the canvas in these proportions; None: 512 x 512.

    Raises:
        ValueError: for an unknown name; the message lists the valid ones.
    """
    if name not in PAINTERS:
        raise ValueError(f"unknown painting {name!r}: there are {', '.join(PAINTINGS)}")
    return crop_to(_canvas(name), 512 if size is None else size).clone()


@cache
def _canvas(name: str) -> Tensor:
    image = PAINTERS[name](np.random.default_rng(sum(name.encode())))  # (SIZE, SIZE, 3)
    return torch.from_numpy(image.clip(0, 1).astype(np.float32)).permute(2, 0, 1)[None]
