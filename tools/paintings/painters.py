"""Paintings made with brush strokes or washes; PAINTERS lists these and the designs.

A painter takes a NumPy generator and gives the canvas (SIZE, SIZE, rgb), about [0, 1]: a few values lie outside.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from tools.paintings.brushes import SIZE, Array, X, Y, brush, cover, disc, edge, field, lit, mix, ramp, turned
from tools.paintings.designs import circles, glass, mosaic, wave


def swirls(rng: Generator) -> Array:
    """Wind and stars over a village at night."""
    eddies = [  # x, y, size, sense of turning, 1 if it shines
        (0.47, 0.34, 0.15, 1, 0), (0.68, 0.46, 0.09, -1, 0), (0.84, 0.15, 0.085, 1, 1), (0.30, 0.08, 0.03, 1, 1),
        (0.54, 0.08, 0.026, 1, 1), (0.27, 0.27, 0.036, 1, 1), (0.92, 0.41, 0.03, 1, 1), (0.31, 0.5, 0.028, 1, 1),
        (0.69, 0.24, 0.022, 1, 1), (0.05, 0.14, 0.034, 1, 1),
    ]  # fmt: skip
    wind = 0.25 * np.sin(9 * X + 2) + 0.35 * field(rng, 3, 4)
    east, south, phase, glow = np.cos(wind), np.sin(wind), 21 * Y + 1.2 * field(rng), 0 * X
    for x, y, size, sense, shines in eddies:
        dx, dy, inward = (X - x) / size, (Y - y) / size, 0.25 * (1 - shines)
        away = np.hypot(dx, dy) + 1e-3
        near = np.exp(-((away / 1.1) ** 2))
        east += 6 * near / away * (-dy * sense - dx * inward)
        south += 6 * near / away * (dx * sense - dy * inward)
        phase += 2 * near * np.cos(8 * away + np.arctan2(dy, dx) * (1 - shines))
        glow += shines * near * (0.9 + 0.1 * np.cos(9 * away))
    angle = np.arctan2(south, east)
    tone = (0.5 + 0.5 * np.sin(phase) + 0.15 * field(rng, 20)) * (0.85 - 0.5 * Y)
    light = ramp(0.8 * glow, "4f8fb0 a9c08a f0c93f fbe06a fff6c8")
    target = mix(ramp(tone, "0a1440 12307a 2a62ad 6fa3c8 d5dfc0"), light, 1.6 * glow)
    target = cover(target, np.maximum(disc(0.84, 0.15, 0.045), -disc(0.82, 0.14, 0.036)), "f0941e")
    hills = ((0.62, 0.06, "14285c 2a4f8c 5a86b0"), (0.78, 0.03, "071020 10304a 1f5a66 5f9a70 b5b56a"))
    for base, lift, colors in hills:
        hill = base - lift * np.sin(6 * X + 9 * base) - 0.08 * X**2
        shade = 0.45 + 0.25 * np.sin(60 * (Y - hill) + 8 * X) + 0.2 * field(rng, 12)
        target = cover(target, hill - Y, colors, shade)
        angle = np.where(hill < Y, np.arctan(np.gradient(hill, 1 / SIZE, axis=1)), angle)
    fine = np.clip(2 * glow, 0, 1)
    for x, y, stories in (
        (0.38, 0.8, 3), (0.63, 0.76, 10), (0.47, 0.775, 3), (0.56, 0.79, 4),
        (0.68, 0.785, 3), (0.79, 0.76, 3), (0.9, 0.775, 4),
    ):  # fmt: skip
        half, eaves = (0.013 if stories == 10 else 0.011 * stories), Y - y + 0.028  # the narrow one is the church
        wall = np.maximum(np.abs(X - x) - half, np.abs(Y - y) - 0.028)
        roof = np.maximum(np.abs(X - x) - half * (1 + 100 * eaves / stories), eaves)
        window = np.maximum(np.abs(X - x + 0.3 * half), np.abs(Y - y)) - 0.009
        for shape, color in ((wall, "5f7fae"), (roof, "7d4238"), (window, "ffd34e")):
            target, fine = cover(target, shape, color), np.maximum(fine, edge(shape))
            angle = np.where(shape < 0, np.pi / 2, angle)
    stem = X - 0.14 - 0.02 * np.sin(9 * Y)
    for side, top in ((0, 0.16), (0.055, 0.42)):  # the two flames of a cypress
        flame = np.abs(stem - side) - 0.075 * np.clip(Y - top, 0, 1) ** 0.6 * (1 + 0.22 * np.sin(34 * Y + 25 * stem))
        target = cover(target, flame, "04090c 12261d 2e4626 6a6430", 0.4 + 0.35 * np.sin(90 * stem + 20 * Y))
        angle = np.where(flame < 0, np.pi / 2 + 0.5 * np.sin(22 * Y) + 4 * stem, angle)
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
    rings = field(rng, 14, 2, (1, 0.35))
    for number, near in enumerate(np.linspace(0, 1, 22)):  # from the farthest tree to the nearest
        x, lean = (0.618 * number + 0.1 * rng.uniform()) % 1, rng.normal(0, 0.05)
        width, foot = 0.004 + 0.026 * near**1.5, 0.38 + 0.58 * near**1.4
        across = (X - x - lean * (foot - Y) - 0.012 * np.sin(5 * Y + 9 * x)) / (width * (0.9 + 0.3 * Y))
        trunk = (np.abs(across) < 1) & (foot > Y)
        light = 0.65 + 0.3 * near - 0.45 * np.abs(across + 0.35) + 0.1 * rings
        bark, scars = ramp(light, "2b2a35 6f6a78 b7aea6 efe6d2 fffaf0"), ramp(0.3 + 0.2 * rings, "15131a 3a2c2c 6b5a50")
        brush(rng, canvas, bark, 1.57 + lean + 0 * X, 14000, 0.03, 0.006, trunk, 0.03)
        brush(rng, canvas, scars, 0.2 * across, 2500, 0.6 * width, 0.004 + 0.004 * near, trunk & (rings > 0.7), 0.03)
        brush(rng, canvas, floor, angle, 700, 0.016, 0.011, edge(np.abs(Y - foot) - 0.02, 20), 0.1)
    brush(rng, canvas, floor, angle, 6000, 0.016, 0.011, np.clip(1.4 * Y - 0.5, 0, 1) ** 2, 0.1)
    brush(rng, canvas, gold, angle + 0.8, 3500, 0.012, 0.01, np.clip(field(rng, 5), 0, 1) * (Y < 0.4), 0.08)
    return lit(canvas)


def dots(rng: Generator) -> Array:
    """A river at sunset, in dots of divided color."""
    water = np.clip(4 * Y - 1.88, 0, 1)
    height = np.abs(Y - 0.47) + 0.02 * water * field(rng, 30, 2, (1, 0.15))  # the water mirrors everything, waving
    away = np.hypot(X - 0.64, 1.3 * (height - 0.1))
    target = ramp(1.2 * away + 0.05 * np.sin(50 * height + 6 * X), "fff3bd fdd06a f59a56 d96f7c 8b63a6 4d5ca3 34498c")
    target = cover(target, away - 0.06, "fffbe6", softness=5)
    for top, colors in ((0.08, "8a78b8 b08cbc"), (0.035, "4c6a9f 6f86ab")):
        hill = top + 0.03 * np.sin(9 * X + 40 * top) * np.cos(5 * X)
        target = cover(target, height - hill, colors, 0.5 + 0.3 * field(rng, 20), 3)
    poplars = ((0.06, 0.42, 0.06), (0.15, 0.36, 0.045), (0.22, 0.25, 0.036), (0.28, 0.17, 0.03), (0.94, 0.24, 0.05))
    for x, tall, wide in poplars:
        up = np.clip(height / tall, 0, 1)
        tree = np.abs(X - x - 0.008 * field(rng, 12, 2)) - wide * np.sqrt(up * (1 - up)) * (2 - 0.8 * up)
        shade = 0.4 + 0.25 * field(rng, 18, 2) + 0.3 * (X - x) / wide
        target = cover(target, tree, "16264a 1f4a55 3f7a58 b8b45a", shade, 4)
    sail, hull = np.maximum(0.44 - X, X - 0.5 + 0.42 * height), np.abs(X - 0.455) - 0.036 - height
    target = cover(target, np.maximum(sail, 0.012 - height), "fdf0d0")
    target = cover(target, np.maximum(hull, height - 0.014), "3a2a4e")
    target = mix(target, ramp(0.5, "2f4a86"), 0.13 * (water > 0) + 0.3 * edge(height - 0.004))
    bank = 0.87 - 0.2 * (1 - X) ** 3 + 0.02 * np.sin(8 * X) - Y
    target = cover(target, bank, "1c3050 2b5a58 5f8a4e c8b85a f5d07c", 0.45 + 0.25 * field(rng, 7, 2.5) + 1.5 * bank, 4)
    canvas = np.dstack([0.9 * target, 0 * X])
    for size, count in ((0.017, 7000), (0.0135, 9000), (0.0115, 4500)):
        brush(rng, canvas, target, field(rng), count, size, size, jitter=0.05, dry=0)
        for hue in ramp(np.linspace(0, 1, 5), "e8842f e2506a 3b5bb5 3f9a8c f5d45e"):  # pure colors, for the eye to mix
            brush(rng, canvas, 0.6 * target + 0.4 * hue, field(rng), count // 16, size, size, jitter=0.04, dry=0)
    return lit(canvas, 0.2)


def ink(rng: Generator) -> Array:
    """Bamboo before mountains that rise out of mist, ink on paper."""
    fibers = field(rng, 40, 1.5, (0.4, 1.6)) + field(rng, 40, 1.5, (1.6, 0.4))
    paper = ramp(0.55 + 0.06 * fibers + 0.12 * field(rng, 2), "d9c9a4 eadfc2 f6efdc")
    canvas = np.dstack([mix(paper, ramp(0.5, "c8402c"), 0.85 * edge(disc(0.3, 0.2, 0.065) + 0.001 * fibers, 3)), 0 * X])
    image = canvas[..., :3]
    for near, base in zip(np.linspace(0, 1, 6), (0.42, 0.49, 0.57, 0.68, 0.82, 1.0), strict=True):
        summit = (1 - near) * np.exp(-(((X[:1] - 0.7 + 0.5 * near) / 0.15) ** 2))
        ridge = base - 0.07 * field(rng, 2.5, 2.5)[:1] - 0.22 * summit
        below, tint = Y - ridge, ramp(near, "7d93a2 465561 181b1f")
        inside = edge(0.002 * field(rng, 60, 2) - below, 2)
        wash = np.exp(-np.clip(below, 0, 1) / (0.06 + 0.05 * near)) * (1 + 0.3 * field(rng, 9, 2))  # fades into mist
        image[:] = mix(mix(image, paper, inside), tint * paper, inside * wash * (0.25 + 0.55 * near))
        down = np.arctan2(1, np.gradient(ridge, 1 / SIZE, axis=1)) + 0.3 * field(rng, 9)
        where = np.clip(1.6 * inside * np.exp(-below / 0.05) * field(rng, 7, 2), 0, 1)
        brush(rng, canvas, 0.8 * image, down, 22000, 0.015 + 0.03 * near, 0.002 + 0.003 * near, where, 0.03, 0.8)
    dry = 0.25 * field(rng, 50, 2, (6, 0.5))

    def blade(x: float, y: float, heading: float, length: float, width: float) -> Array:
        along, across = turned(x, y, heading)
        breadth = width * np.sin(np.pi * np.clip(along / length, 0, 1) ** 0.6)
        return np.abs(across - 0.15 * along**2 / length) - breadth + 1e-3

    for x, width, dark in ((0.93, 0.011, 0.5), (0.84, 0.016, 0.92)):
        stem, joint = np.abs(X - x - 0.05 * (Y - 0.5) ** 2 - 0.02 * Y), np.abs((Y + 0.35 * x) % 0.17 - 0.085)
        stalk = np.maximum(stem - width * (1 + 0.25 * (joint > 0.08)), joint - 0.082)
        density = edge(stalk, 3) * (0.55 + dry + 0.4 * stem / width)
        for y in (0.02, 0.1, 0.2, 0.33, 0.42):
            side, reach = rng.choice([-1, -1, 1]), rng.uniform(0.03, 0.11)
            spray = [blade(x, y, np.arctan2(0.4, side), 1.08 * reach, 0.003)]
            for heading, length in zip(rng.uniform(-0.5, 1.3, 5), rng.uniform(0.1, 0.2, 5), strict=True):
                spray.append(blade(x + side * reach, y + 0.4 * reach, 1.57 - side * heading, length, 0.013))
            density = np.maximum(density, rng.uniform(0.65, 1) * edge(np.minimum.reduce(spray), 2) * (0.95 + dry))
        image[:] = mix(image, ramp(0.5, "14161a"), dark * density)
    return image


# name -> the painter, and the seed of its random numbers
PAINTERS: dict[str, tuple[Callable[[Generator], Array], int]] = {
    "swirls": (swirls, 678), "birches": (birches, 11), "dots": (dots, 442), "ink": (ink, 7),
    "wave": (wave, 435), "glass": (glass, 534), "mosaic": (mosaic, 657), "circles": (circles, 1),
}  # fmt: skip
