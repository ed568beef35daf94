"""What the paintings are made with: palettes, random fields, shapes, brush strokes and tesserae, as NumPy arrays.

A canvas has SIZE x SIZE pixels; positions and lengths on it are fractions of its side, x to the right and y downwards.
"""

import numpy as np
from numpy.random import Generator
from scipy.fft import irfft2, rfft2
from scipy.interpolate import make_interp_spline
from scipy.ndimage import distance_transform_edt, gaussian_filter
from skimage.color import lab2rgb, rgb2lab

Array = np.ndarray
SIZE = 720
Y, X = ((np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE).astype(np.float32)


def ramp(values: Array | float, colors: str) -> Array:
    """Colors (..., 3) for values in [0, 1], mixed in Lab between the hex colors listed in `colors`."""
    rgb = np.array([list(bytes.fromhex(color)) for color in colors.split()]) / 255
    at, stops = np.linspace(0, 1, 1024), np.linspace(0, 1, len(rgb))
    mixed = lab2rgb(np.stack([np.interp(at, stops, channel) for channel in rgb2lab(rgb).T], -1)).astype(np.float32)
    return mixed[(np.clip(values, 0, 1) * 1023).astype(int)]


def field(rng: Generator, cycles: float = 4, slope: float = 3, stretch: tuple[float, float] = (1, 1)) -> Array:
    """Smooth noise (SIZE, SIZE): white noise damped beyond `cycles` per canvas; mean 0, standard deviation 1.

    A stretch (down, right) above 1 lets it change more slowly in that direction.
    """
    down = np.fft.fftfreq(SIZE, 1 / SIZE)[:, None] * stretch[0]
    right = np.fft.rfftfreq(SIZE, 1 / SIZE) * stretch[1]
    noise = irfft2(rfft2(rng.standard_normal((SIZE, SIZE))) * (cycles**2 + down**2 + right**2) ** (-slope / 2))
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)


def disc(x: float, y: float, radius: float) -> Array:
    """Distance to a circle, negative inside."""
    return np.hypot(X - x, Y - y) - radius


def edge(distance: Array, softness: float = 1.5) -> Array:
    """Mask (SIZE, SIZE) of where `distance` is negative, its border `softness` pixels wide."""
    return np.clip(0.5 - distance * SIZE / softness, 0, 1)


def mix(below: Array, above: Array, mask: Array) -> Array:
    """Colors `above` laid over `below` where the mask is 1."""
    return below + (above - below) * np.clip(mask, 0, 1)[..., None]


def cover(below: Array, distance: Array, colors: str, shade: Array | float = 0.5, softness: float = 1.5) -> Array:
    """`below` with the inside of a shape painted over: the shades of `colors` where `distance` is negative."""
    return mix(below, ramp(shade, colors), edge(distance, softness))


def turned(x: float, y: float, angle: float) -> tuple[Array, Array]:
    """Coordinates (along, across) of a frame whose origin is at x, y and whose first axis points along `angle`."""
    right, down = np.cos(angle), np.sin(angle)
    return (X - x) * right + (Y - y) * down, (Y - y) * right - (X - x) * down


def curve(points: str) -> Array:
    """A smooth curve (160, 2) through points written as "x,y x,y ..." in thousandths of the canvas."""
    through = np.array([point.split(",") for point in points.split()], float) / 1000
    at = np.r_[0, np.cumsum(np.hypot(*np.diff(through, axis=0).T))]
    return make_interp_spline(at, through)(np.linspace(0, at[-1], 160))


def brush(
    rng: Generator,
    canvas: Array,
    target: Array,
    angle: Array,
    count: int,
    length: float,
    width: float,
    where: Array | None = None,
    jitter: float = 0.05,
    dry: float = 0.3,
) -> None:
    """Lay curved strokes on the canvas (SIZE, SIZE, rgb + relief), in place.

    A stroke follows `angle`, takes the color that `target` has at its middle, give or take `jitter`, and begins with
    probability `where`. The later of two strokes covers the other; the drier the brush, the more its bristles part.
    """
    steps, lanes = max(3, int(length * SIZE * 1.4)), max(3, int(width * SIZE * 1.5))  # closer than pixels: no holes
    heading = np.stack([np.sin(angle), np.cos(angle)], -1).astype(np.float32)
    point: Array = rng.uniform(-0.03 * SIZE, 1.03 * SIZE, (count, 2)).astype(np.float32)
    if where is not None:
        point = point[_at(where, point) > rng.random(count)]
    ahead = _at(heading, point)
    path, side = np.empty((2, len(point), steps, 2), np.float32)
    for step in range(steps):
        here = _at(heading, point)
        ahead = here * np.where((here * ahead).sum(1, keepdims=True) < 0, -1, 1)  # an angle has two directions
        path[:, step], side[:, step] = point, ahead[:, ::-1] * (1, -1)
        point = point + ahead / 1.4
    along, across = np.linspace(-1, 1, steps)[:, None], np.linspace(-1, 1, lanes)
    bristles = rng.standard_normal((len(point), lanes)).astype(np.float32)
    bristles = (bristles + np.roll(bristles, 1, axis=1)) / 1.4
    cap = np.clip((np.abs(along) - 1) * steps / lanes + 1, 0, 1)  # round ends
    wet = (cap**2 + across**2 < 1) & (bristles[:, None] < 2.2 - 2 * dry * (along + 1))  # (stroke, step, lane)
    spot = (path[:, :, None] + side[:, :, None] * across[:, None] * width * SIZE / 2).astype(np.int32)
    wet &= ((spot >= 0) & (spot < SIZE)).all(-1)
    samples = np.flatnonzero(wet)
    top = np.full(SIZE * SIZE, -1)
    top[(spot @ [SIZE, 1]).ravel()[samples]] = samples  # the last one stays
    painted = np.flatnonzero(top >= 0)
    stroke, _, lane = np.unravel_index(top[painted], wet.shape)
    own = _at(target, path[:, steps // 2]) + rng.normal(0, jitter, (len(point), 1))
    own = own + rng.normal(0, jitter / 2, own.shape)
    rough = bristles[stroke, lane]
    paint = np.c_[own[stroke] * (1 + 0.06 * rough)[:, None], np.sqrt(1 - across[lane] ** 2) + 0.25 * rough]
    canvas.reshape(-1, 4)[painted] = paint


def lit(canvas: Array, strength: float = 0.3) -> Array:
    """The colors of a canvas under light from the upper left that grazes its relief."""
    down, right = np.gradient(gaussian_filter(canvas[..., 3], 0.8))
    light = np.clip(down + right, -0.6, 0.6)[..., None]
    return canvas[..., :3] * (1 + strength * light) + 0.5 * strength * np.clip(light - 0.15, 0, 1)


def seams(pieces: Array) -> Array:
    """Distance of each pixel, in pixels, to the nearest border between two pieces (an integer each)."""
    inner = np.ones(pieces.shape, bool)
    inner[1:] &= pieces[1:] == pieces[:-1]
    inner[:, 1:] &= pieces[:, 1:] == pieces[:, :-1]
    return distance_transform_edt(inner)


def tesserae(rng: Generator, angle: Array, pitch: float) -> tuple[Array, Array]:
    """Square tiles turned by `angle`: (the tile of each pixel, the tiles' centers in pixels (tiles, 2)).

    Lloyd's method with a metric whose unit circle is a turned square (Hausner 2001, "Simulating decorative mosaics").
    """
    lattice = np.mgrid[0:1:pitch, 0:1:pitch].reshape(2, -1).T
    centers = (lattice + rng.uniform(0, pitch, lattice.shape)) * SIZE
    for stride in (2,) * 8 + (1,):  # coarse rounds move the centers, a fine one draws
        reach, side = int(1.5 * pitch * SIZE) // stride, SIZE // stride
        window = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, 1, -1)
        row, column = centers.T.astype(int)[..., None] // stride + window  # (tile, pixel near it)
        tilt = _at(angle, centers)[:, None]
        down, right = row * stride - centers[:, :1], column * stride - centers[:, 1:]
        u, v = (np.abs(right * np.cos(tilt + turn) + down * np.sin(tilt + turn)) for turn in (0, np.pi / 2))
        distance = 1000 * (np.maximum(u, v) + 0.05 * (u + v))
        near = (row >= 0) & (row < side) & (column >= 0) & (column < side)
        nearest = np.full(side * side, 2**62)
        key = distance.astype(int) * len(centers) + np.arange(len(centers))[:, None]
        np.minimum.at(nearest, (row * side + column)[near], key[near])
        tile = nearest % len(centers)
        if stride > 1:
            size = np.maximum(np.bincount(tile, minlength=len(centers)), 1)
            sums = [np.bincount(tile, at, len(centers)) for at in np.divmod(np.arange(side * side), side)]
            centers = np.stack([total / size for total in sums], -1) * stride + stride / 2
    return tile.reshape(SIZE, SIZE), centers


def _at(values: Array, points: Array) -> Array:
    """Values at the pixels nearest to the points (..., row and column)."""
    row, column = np.moveaxis(points, -1, 0).clip(0, SIZE - 1).astype(int)
    return values[row, column]
