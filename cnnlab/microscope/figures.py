"""A channel's page as a figure, for a notebook."""

from matplotlib.figure import Figure

from cnnlab.microscope.page import sheet_of
from cnnlab.microscope.reading import Microscope
from cnnlab.plots.base import draw_image, new_figure

CAPTIONS = ("excites it most", "from another noise", "excites it least", "its texture")


def show_page(microscope: Microscope, layer: str, channel: int) -> Figure:
    """Show what the microscope has of a channel: pictures, patches, projections, votes, weights. Chapter 04.

    A layer or a channel without a page raises a ValueError.
    """
    record, size = microscope.record(layer, channel), microscope.size
    image = sheet_of(microscope.page(layer, channel))
    figure = new_figure(8, 5.4, placed=True)
    for column, caption in enumerate(CAPTIONS):
        axis = figure.add_axes((0.01 + 0.2475 * column, 0.575, 0.2375, 0.352))
        draw_image(axis, image[..., :size, column * size : (column + 1) * size], caption)
    strips = figure.add_axes((0.01, 0.205, 0.98, 0.3226))
    draw_image(strips, image[..., size:, : 9 * 56], "its strongest patches, and what excited it in each")
    lines = [_line("votes for", record.get("votes"), microscope.labels)]
    before = microscope.before(layer)
    lines.append(_line("is made of", record.get("made_of"), [], f"{before} ", " %") if before else "")
    together = ", ".join(f"{name} {number} ({r})" for name, number, r in record["together"][:5])
    lines.append(f"fires with: {together}" if together else "")
    figure.text(0.01, 0.18, "\n".join(filter(None, lines)), va="top", fontsize=10, linespacing=1.5)
    return figure


def _line(what: str, pairs: list | None, names: list[str], prefix: str = "", unit: str = "") -> str:
    texts = [f"{names[int(i)] if names else f'{prefix}{int(i)}'} {value:+.2g}{unit}" for i, value in pairs or []]
    return f"{what}: {', '.join([*texts[:3], *texts[-1:]])}" if texts else ""
