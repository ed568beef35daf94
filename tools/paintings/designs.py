"""Paintings that are constructed: a woodcut, a stained-glass window, a mosaic, an abstract composition."""

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, gaussian_filter

from tools.paintings.brushes import (
    SIZE,
    Array,
    X,
    Y,
    brush,
    curve,
    disc,
    edge,
    field,
    lit,
    mix,
    ramp,
    seams,
    tesserae,
    turned,
)


def wave(rng: Generator) -> Array:
    """A great wave, printed from wood blocks in indigo on cream."""
    sky = ramp(Y + 0.05 * field(rng, 5, 3, (1, 3)), "6f8a99 a9b3a6 d8cba4 eadfbf eadfbf e6cfa4 d9b98c")
    page = Image.fromarray((255 * sky).astype(np.uint8)).resize((2 * SIZE, 2 * SIZE))  # halved at the end: smooth edges
    pen, indigo, cream = ImageDraw.Draw(page), "#14274d", "#f8f2e0"

    def area(outline: Array, color: str, line: int = 5) -> None:
        pen.polygon([tuple(point) for point in 2 * SIZE * outline], color, indigo, line)

    def foam(path: Array, radii: Array) -> None:
        for grow, color in ((0.0022, indigo), (0, cream)):
            for (x, y), radius in zip(2 * SIZE * path, 2 * SIZE * (radii + grow), strict=True):
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), color)

    def claw(start: Array, heading: float, length: float, fingers: int = 2) -> None:
        t = np.linspace(0, 1, 24)
        turn = heading + 2.4 * t**1.5
        path = start + np.cumsum(np.stack([np.cos(turn), np.sin(turn)], -1), 0) * length / 24
        for at, side in ((5, 1.0), (9, -0.9), (13, 0.8), (17, -0.8)) if fingers and length > 0.03 else ():
            claw(path[at], turn[at] + side, 0.5 * length, fingers - 1)
        foam(path, 0.11 * length * (1 - t) ** 0.7)

    def crest(lip: Array, small: float, large: float) -> None:
        along = np.arctan2(*np.gradient(lip, axis=0).T[::-1])
        for point, angle, size in zip(lip[::-1], along[::-1], np.linspace(large, small, len(lip)), strict=True):
            start = point + rng.uniform(-0.1, 0.35) * size * np.array([-np.sin(angle), np.cos(angle)])
            foam(start[None], rng.uniform(0.12, 0.24, 1) * size)
            claw(start, angle + rng.uniform(0, 1.1), size * rng.uniform(0.7, 1.2))

    def sea(inner: Array, outer: Array, bands: int) -> None:
        cuts = np.linspace(0, 1, bands + 1) + np.r_[0, rng.uniform(-0.35, 0.35, bands - 1), 0] / bands
        borders = inner + cuts[:, None, None] * (outer - inner)
        for number in range(bands):
            color = ("14274d", "234a84", "d5e0da", "234a84", "14274d", "5b8bb2", "234a84")[number % 7]
            area(np.r_[borders[number], borders[number + 1][::-1]], f"#{color}", 2)

    peak = curve("500,800 620,725 700,655 735,615 765,615 800,655 880,725 1000,800")
    back = curve("655,400 640,270 560,165 440,120 310,155 190,270 100,420 0,560 -150,1000 0,1300")
    face = curve("655,400 600,300 530,290 460,360 435,490 465,630 550,745 700,815 860,830 1100,800")
    swell = curve("120,1050 300,1000 500,930 660,830 800,790 920,830 1050,930")
    boat = np.r_[curve("420,770 500,835 600,850 700,820 780,745"), curve("780,745 680,795 600,810 500,800 420,770")]
    area(np.array([(-1, 0.8), (2, 0.8), (2, 2), (-1, 2)]), "#5b8bb2")
    area(peak, "#56759a")
    area(np.r_[peak[peak[:, 1] < 0.68], [(0.8, 0.7), (0.78, 0.675), (0.755, 0.705), (0.735, 0.67), (0.71, 0.7)]], cream)
    sea(face, back, 30)
    crest(back[73::-2], 0.07, 0.13)
    for spot, size in zip(rng.normal((0.66, 0.4), 0.1, (90, 2)), rng.random((90, 1)), strict=True):
        foam(spot[None], 0.001 + 0.004 * size[0:1] ** 3)
    area(boat, "#d9a95c")
    sea(swell, swell * (1, 0) + (0, 1.1), 12)
    crest(swell[60:135:3], 0.03, 0.07)
    image = np.asarray(page.resize((SIZE, SIZE), Image.Resampling.BOX), np.float32) / 255
    return image * (1 + 0.03 * field(rng, 30, 1.5, (0.12, 1.5)) + 0.025 * field(rng, 50, 1.2))[..., None]


def glass(rng: Generator) -> Array:
    """A rose window: leaded pieces of colored glass, lit from behind."""
    dx, dy = X - 0.5, Y - 0.5
    radius, turn = np.hypot(dx, dy), np.arctan2(dy, dx)
    petal, between = (np.abs((turn + shift) % (np.pi / 6) - np.pi / 12) for shift in (np.pi / 12, 0))  # twelvefold
    (u, v), (p, q) = ((radius * np.cos(fold), radius * np.sin(fold)) for fold in (petal, between))
    regions = [  # distance, negative inside, and the colors of the glass: each covers those before
        (radius - 1, "0a1a4a 1c4494 5a90d8"),
        (radius - 0.492, "f0a826 f8d060 fff0b8"),
        (radius - 0.47, "5c0f1c a01c2a dc4a36"),
        (radius - 0.43, "0b2c6e 1c58b4 6cb0e8"),
        (np.hypot(p - 0.375, q) - 0.042, "f0a826 f8d060 fff3bd"),
        (np.hypot(p - 0.375, q) - 0.02, "8e1230 c8243c f0704a"),
        (np.hypot((u - 0.265) / 2, v) - 0.06, "8e1230 cc2840 f47a58"),
        (np.hypot((u - 0.275) / 2, v) - 0.038, "ee9e20 f8cc58 fff0b0"),
        (np.hypot((u - 0.28) / 2, v) - 0.017, "155a48 38986c a4dc98"),
        (radius - 0.145, "12306e 2a6cc0 8fc4ea"),
        (np.hypot(p - 0.105, q) - 0.026, "155a48 38986c b4e4a4"),
        (radius - 0.076, "8e1230 d83a38 f88a50"),
        (radius - 0.036 - 0.008 * np.cos(12 * turn), "f4b030 fbe080 fffbe0"),
    ]
    region = np.max([number * (distance < 0) for number, (distance, _) in enumerate(regions)], axis=0)
    # Larger regions are cut into the Voronoi cells of points that repeat, mirrored, around the rose.
    rays, reach = rng.uniform(0, np.pi / 12, 26), 0.68 * np.sqrt(rng.uniform(0.01, 1, 26))
    rays = np.concatenate([sign * rays + step * np.pi / 6 for sign in (-1, 1) for step in range(12)])
    points = (0.5 + np.tile(reach, 24) * np.stack([np.sin(rays), np.cos(rays)])).clip(0, 0.999) * SIZE
    empty = np.ones(X.shape, bool)
    empty[tuple(points.astype(int))] = False
    row, column = distance_transform_edt(empty, return_distances=False, return_indices=True)
    lattice = np.floor(14 * (dx + dy)) * 40 + np.floor(14 * (dx - dy))
    cell = np.select([region == 0, region == 11, region > 9], [lattice, turn * 6 // np.pi, 0], row * SIZE + column)
    piece = np.unique(region * 10.0**7 + cell, return_inverse=True)[1].reshape(X.shape)
    gap = gaussian_filter(seams(piece), 0.8) / SIZE
    streaks = np.where(piece % 2, field(rng, 10, 2.5, (1, 5)), field(rng, 10, 2.5, (5, 1)))
    tone = rng.normal(0.42, 0.2, piece.max() + 1)[piece] + 7 * np.minimum(gap, 0.03) + 0.14 * streaks
    shine = 1.2 - 0.8 * np.clip(radius - 0.1, 0, 1) - 0.2 * (region == 0)
    image = np.choose(region[..., None], [ramp(tone, colors) for _, colors in regions]) * shine[..., None]
    image = mix(image, ramp(0.4 + 130 * (0.0045 - gap), "08080c 141419 34343c"), edge(gap - 0.0036, 2))  # lead
    return image + 0.4 * image * gaussian_filter(image, (9, 9, 0))  # light spills over


def mosaic(rng: Generator) -> Array:
    """Two fish in a ring, laid in tesserae that follow every outline."""
    dx, dy = X - 0.5, Y - 0.5
    radius, turn, square = np.hypot(dx, dy), np.arctan2(dy, dx), np.maximum(np.abs(dx), np.abs(dy))
    along = (turn % np.pi) / 2.45  # from the nose, 0, to the tips of the tail, 1, of either fish
    across = (radius - 0.225) / 0.105 - 0.15 * np.sin(3.3 * along)
    girth = 1.5 * np.sqrt(along) * np.clip(1 - 1.2 * along, 0, 1) ** 0.7
    tail = 4.8 * (along - 0.76) * (along < 0.95 - 0.04 * np.cos(2.5 * across))
    fin = (0.5 + 1.3 * (along - 0.3)) * ((along > 0.3) & (along < 0.6))
    fish = np.abs(across) < np.maximum(np.maximum(girth, tail), fin)
    outline = np.abs(distance_transform_edt(fish) - distance_transform_edt(~fish)) / SIZE
    ring, frame = np.abs(radius - 0.39), np.abs(square - 0.432)
    down, right = np.gradient(gaussian_filter(np.minimum(np.minimum(outline, ring), frame), 2))
    waves = 0.45 + 0.4 * np.sin(75 * radius + 1.5 * np.sin(5 * turn))
    flower = np.hypot(np.abs(dx) - 0.365, np.abs(dy) - 0.365)
    teeth = 0.445 + 0.04 * np.abs((16 * np.where(np.abs(dx) > np.abs(dy), Y, X)) % 2 - 1)
    eye = np.hypot(0.55 * (along - 0.13), 0.105 * (across - 0.2))
    target = ramp(0.5 + 0.2 * field(rng, 8), "d3c196 efe4c6")
    for inside, colors, shade in (
        (radius < 0.39, "2f7186 5fa3aa a9cdc0 e4dcc0", waves),
        (fish, "f6e3b0 eeb04e d9742c a83a26 5c1a2a", 0.5 + 0.42 * across + 0.12 * np.sin(75 * along)),
        (fish & (np.abs(along - 0.24 + 0.05 * across**2) < 0.018), "f6e3b0", 0),  # gills
        (outline < 0.006, "241a2a", 0),
        (eye < 0.025, "fbf3dc", 0),
        (eye < 0.012, "14121c", 0),
        (flower < 0.045, "b0482c", 0),
        (flower < 0.018, "f0c060", 0),
        (square > 0.432, "efe2c0", 0),
        (square > teeth, "1f3f60", 0),
        (np.minimum(ring / 1.7, frame) < 0.007, "7a2028", 0),
    ):
        target = np.where(inside[..., None], ramp(shade, colors), target)
    tile, centers = tesserae(rng, np.arctan2(down, right), 0.0125)
    colors = target[tuple(centers.clip(0, SIZE - 1).astype(int).T)]
    stones = colors * rng.normal(1, 0.08, (len(colors), 1)) + rng.normal(0, 0.02, colors.shape)
    depth = seams(tile)
    image = mix(stones[tile], ramp(0.5 + 0.2 * field(rng, 60), "5c5246 94876f"), 1.6 - depth)
    return lit(np.dstack([image, 0.4 * np.minimum(depth, 3) + 0.1 * field(rng, 80, 1.5)]), 0.45)


def circles(rng: Generator) -> Array:
    """Circles, triangles and lines that sound together."""
    canvas = np.dstack([ramp(0.5 + 0.13 * field(rng, 3), "d8c294 efe3c4 f8f1de"), 0 * X])
    image, angle, shade, black = (
        canvas[..., :3],
        2 * field(rng, 2),
        0.5 + 0.3 * (X - Y) + 0.12 * field(rng, 7, 2.5),
        0 * X,
    )
    hues = [
        "c8321e f08050", "16164a 40408c", "f0a826 fae08a", "1a6a90 6cc0cc",
        "7a3fa0 b888d0", "e0602a f8b070", "0e6a5a 60c0a0", "d8708e f8c0c8",
    ]  # fmt: skip

    def glaze(distance: Array, hue: int, depth: float = 0.95, softness: float = 1.5) -> None:
        wash = ramp(shade, hues[hue % 8]) * (0.65 + 0.35 * image)  # what lies below shines through
        image[:] = mix(image, wash, depth * edge(distance, softness))
        if depth > 0.5:  # the brush goes round a shape
            angle[:] = np.where(distance < 0.015, np.arctan2(*np.gradient(distance)) + np.pi / 2, angle)

    for hue, (x, y) in zip((0, 2, 3, 7), rng.uniform(0.15, 0.85, (4, 2)), strict=True):
        glaze(disc(x, y, 0.3), hue, 0.3, 140)
    for number in range(5):  # a triangle: where three half planes meet
        (x, y), heading = rng.uniform(0.2, 0.8, 2), rng.uniform(0, 6.3)
        sides = [turned(x, y, heading + turn)[0] for turn in (0, rng.uniform(1.7, 2), -rng.uniform(1.7, 2))]
        glaze(np.maximum.reduce(sides) - rng.uniform(0.05, 0.085), 3 * number + 2)
    discs = [(0.28, 0.3, 0.17), (0.71, 0.64, 0.15)] + [(*rng.uniform(0.05, 0.95, 2), 0.08 * 0.9**n) for n in range(13)]
    for number, (x, y, radius) in enumerate(discs):
        for ring in range(3 if radius > 0.06 else 1):
            glaze(disc(x, y, radius * (1 - 0.32 * ring)), 3 * number + ring)
    brush(rng, canvas, image, angle, 26000, 0.022, 0.006, jitter=0.02)
    for x, y, heading, reach in rng.uniform((0.25, 0.25, -1.3, 0.2), (0.75, 0.75, 1.3, 0.6), (9, 4)):
        along, across = turned(x, y, heading)
        bar = np.maximum(np.abs(across) - 0.0035 * (0.6 + 0.5 * along / reach), np.abs(along) - reach)
        black = np.maximum(black, edge(bar))
    for x, y, radius in (discs[:2] + discs[:4]) * 2:
        arc = np.cos(np.arctan2(Y - y, X - x) - rng.uniform(0, 6.3)) > -rng.uniform(0, 1)
        ring = np.abs(disc(x, y, radius * rng.choice([1.1, 1.2, 1.8]))) - rng.uniform(0.001, 0.003)
        black = np.maximum(black, arc * edge(ring))
    for x, y in ((0.82, 0.28), (0.36, 0.74)):  # boards of black squares
        u, v = turned(x, y, rng.uniform(0, 1.5))
        black = np.maximum(black, (np.maximum(np.abs(u), np.abs(v)) < 0.07) & ((u // 0.0234 + v // 0.0234) % 2 == 0))
    image[:] = mix(image, ramp(0.5, "17151c"), 0.93 * black)
    return lit(canvas, 0.15)
