"""What a panel shows, as Pillow pictures: images, figures and the curve of a run; and how it saves them."""

import io
import math
import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from PIL import Image, ImageDraw
from torch import Tensor

from cnnlab.files import to_pil, write_whole
from cnnlab.plots.base import BLUE
from cnnlab.plots.sheets import tile

Drawable = Tensor | Image.Image | Figure
SIDE = 448  # pixels of the picture in a panel: twice the usual 224
SMALL = 64  # images of at most so many pixels are shown enlarged


def picture(content: Drawable) -> Image.Image:
    """Draw images, a Pillow picture or a matplotlib Figure as one RGB picture.

    Images (B, C, H, W) in [0, 1] with C = 1 or 3 are laid out row by row in a nearly square grid. Images of at most
    `SMALL` pixels are enlarged by a whole factor, so that each pixel stays a sharp square.
    Raises ValueError for anything else.
    """
    if isinstance(content, Figure):
        canvas = FigureCanvasAgg(content)  # pyplot would not do: it belongs to the main thread
        canvas.draw()
        return Image.frombytes("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba())).convert("RGB")
    if isinstance(content, Image.Image):
        sheet, side = content.convert("RGB"), max(content.size)
    elif isinstance(content, Tensor) and content.ndim == 4 and content.shape[1] in (1, 3) and len(content):
        side, columns = max(content.shape[2:]), math.ceil(math.sqrt(len(content)))
        sheet = to_pil(tile(content, columns, gap=1 + side // 64)).convert("RGB")
    else:
        found = f"a tensor {tuple(content.shape)}" if isinstance(content, Tensor) else type(content).__name__
        allowed = "images (B, C, H, W) with C = 1 or 3, a Pillow picture or a Figure; `start` may also return a Run"
        raise ValueError(f"a panel shows {allowed}; this is {found}")
    factor = SIDE // max(sheet.size) if side <= SMALL else 1
    if factor > 1:
        sheet = sheet.resize((sheet.width * factor, sheet.height * factor), Image.Resampling.NEAREST)
    return sheet


def curve(values: Sequence[float], total: int, width: int) -> Image.Image:
    """Plot the objective at steps 1, 2, ... on an axis that ends at `total`; `width` is in pixels of the screen."""
    figure = Figure(figsize=(width / 100, 1.4), dpi=200)  # twice the pixels of the screen look sharp
    axes = figure.add_axes((0.21, 0.27, 0.74, 0.59))  # above it is space for a common factor of the numbers
    axes.plot(range(1, len(values) + 1), values, color=BLUE, linewidth=1.5)
    axes.set_xlim(1, max(total, 2))
    axes.set_xlabel("step", fontsize=8, labelpad=1)
    axes.set_ylabel("objective", fontsize=8)
    axes.yaxis.set_label_coords(0.045, 0.55, figure.transFigure)  # at the edge it does not move
    axes.tick_params(labelsize=7.5, length=2, pad=2)
    axes.yaxis.get_offset_text().set_fontsize(7.5)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True) if values else NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(3) if values else NullLocator())
    axes.spines[["top", "right"]].set_visible(False)
    return picture(figure)


def note(text: str) -> Image.Image:
    """Draw an empty picture with a few words in the middle."""
    blank = Image.new("RGB", (SIDE, SIDE), "#f4f4f4")
    ImageDraw.Draw(blank).text((SIDE / 2, SIDE / 2), text, "#666666", anchor="mm", font_size=20)
    return blank


def encode(image: Image.Image) -> bytes:
    """Return the bytes of a PNG file of at most 2 x `SIDE` pixels a side: a sharp screen shows no more."""
    small, buffer = image.copy(), io.BytesIO()
    small.thumbnail((2 * SIDE, 2 * SIDE))  # a smaller picture stays as it is
    small.save(buffer, "PNG", compress_level=1)  # a large file, but quick: we make ten a second
    return buffer.getvalue()


def write_new(title: str, image: Image.Image) -> Path:
    """Write a new PNG file named after the title, with -1, -2, ... if that exists; the whole file or nothing."""
    stem = re.sub(r"\W+", "-", title.lower()).strip("-") or "picture"
    paths = (Path(f"{stem}-{number}.png" if number else f"{stem}.png") for number in count())
    return write_whole(next(path for path in paths if not path.exists()), image.save)
