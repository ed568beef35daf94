"""What all figures share: the colors, a new Figure, and images and bars on an axis."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

BLUE, ORANGE, GREEN, RED, CYAN, GRAY = "#4878a8", "#e07b39", "#3a8f5c", "#c8102e", "#30c0ff", "#9a9a9a"


def new_figure(width: float, height: float, title: str = "", *, dpi: int = 100, placed: bool = False) -> Figure:
    """Make an empty Figure of `width` x `height` inches, with a title above everything.

    pyplot is not used: it belongs to the main thread, and a panel draws in its own thread. `placed` says that the
    caller gives each axis its position; this is faster than a layout that matplotlib finds.
    """
    figure = Figure(figsize=(width, height), dpi=dpi, layout=None if placed else "constrained")
    if title:
        figure.suptitle(title, fontsize=12)
    return figure


def new_chart(width: float, height: float) -> tuple[Figure, Axes]:
    """Make a Figure of `width` x `height` inches with one tidy axis."""
    figure = new_figure(width, height)
    axis = figure.subplots()
    tidy(axis)
    return figure, axis


def tidy(*axes: Axes) -> None:
    """Hide the upper and the right edge of charts, and draw a pale grid."""
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)


def draw_image(axis: Axes, image: Tensor, title: str = "", *, signed: bool = False) -> None:
    """Draw an image (1, C, H, W) or (C, H, W) in [0, 1] without ticks and edges.

    An image that is `signed` has one channel in [-1, 1]: red is above 0, blue is below.
    """
    values = (image[0] if image.ndim == 4 else image).detach().cpu()
    low, colors = (-1, "RdBu_r") if signed else (0, "gray")
    array = values.clamp(low, 1).permute(1, 2, 0).squeeze(2).numpy()  # (H, W, 3), or (H, W) for one channel
    axis.imshow(array, cmap=colors, vmin=low, vmax=1, interpolation=interpolation(image))
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    axis.set_title(title, fontsize=10)


def interpolation(image: Tensor) -> str:
    """Name how `imshow` draws an image (..., H, W): the pixels of a small image stay sharp squares."""
    return "nearest" if max(image.shape[-2:]) < 100 else "antialiased"


def draw_bars(
    axis: Axes, values: Mapping[str, float], *, highlight: str = "", before: Mapping[str, float] | None = None,
    form: str = ".1%",
) -> None:  # fmt: skip
    """Draw a horizontal bar for each value, the first at the top, with its number at its end.

    Args:
        values: name -> number, at least 0; the axis reaches at least to 1.
        highlight: the name of the bar that is orange.
        before: name -> earlier number, which is drawn as a mark.
        form: the format of the numbers.
    """
    end = max(1.0, *values.values())
    for row, (name, value) in enumerate(values.items()):
        axis.barh(row, value, color=ORANGE if name == highlight else BLUE)
        axis.text(value + 0.02 * end, row, f"{value:{form}}", va="center")
        if before and name in before:
            axis.plot([before[name]] * 2, [row - 0.4, row + 0.4], color=ORANGE, linewidth=2)
    axis.set_yticks(range(len(values)), list(values))
    axis.set(xlim=(0, 1.2 * end), xticks=[])
    axis.invert_yaxis()
    axis.tick_params(left=False)
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def draw_probabilities(axis: Axes, chances: Tensor, names: Sequence[str], before: Tensor | None = None) -> None:
    """Draw the probabilities (classes,) as vertical bars, the largest in orange, with its number.

    `before` has earlier probabilities (classes,), which are drawn as thin gray bars.
    """
    top = int(chances.argmax())
    numbers = range(len(names))
    axis.bar(numbers, chances.tolist(), color=[ORANGE if number == top else BLUE for number in numbers])
    if before is not None:
        axis.bar([number + 0.45 for number in numbers], before.tolist(), width=0.12, color=GRAY)
    axis.text(top, float(chances[top]) + 0.04, f"{chances[top]:.1%}", ha="center", va="bottom")
    axis.set(xlim=(-0.6, len(names) - 0.3), ylim=(0, 1.35), yticks=[])
    axis.set_xticks(numbers, names)
    axis.tick_params(length=0)
    axis.spines[["left", "top", "right"]].set_visible(False)
