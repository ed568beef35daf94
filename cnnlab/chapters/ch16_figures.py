"""Figures of chapter 16: boards, sounds and sentences."""

from collections.abc import Mapping, Sequence
from functools import partial
from html import escape
from itertools import chain, repeat

import ipywidgets as widgets
import numpy as np
import traitlets
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from torch import Tensor

from cnnlab.chapters.ch16_vowels import RATE, SAMPLES, Spectrogram
from cnnlab.plots.base import BLUE, CYAN, GRAY, GREEN, ORANGE, RED, new_chart, new_figure

COLORS = {"plain": BLUE, "along frequency": BLUE, "along the words": BLUE, "enlarged": ORANGE, "along time": ORANGE,
          "along the embedding": ORANGE, "bag of words": GRAY}  # fmt: skip
WOOD, LINES, INK, IVORY = "#e3b46c", "#6b4a1c", "#141414", "#fbfbf6"  # a board, its lines, its stones


def draw_board(axis: Axes, seen: Tensor, heat: Tensor | None = None, title: str = "", black: bool = True) -> None:
    """Draw a board, or a window of one, as a net sees it.

    Args:
        seen: (3, H, W), what `planes` gives: own stones, the other's stones, points that exist (elsewhere is no wood).
        heat: (H, W), drawn as red squares. A larger value is redder; the largest has the full color.
        title: text above the board.
        black: whether own stones are the black ones.
    """
    rows, columns = seen.shape[1:]
    own, other, wood = (plane.detach().cpu().numpy() > 0.5 for plane in seen)
    shares = np.zeros((rows, columns)) if heat is None else (heat / heat.max().clamp(min=1e-9)).detach().cpu().numpy()
    around = np.pad(wood, 1, constant_values=max(rows, columns) < 9)  # the lines of a window go on beyond it
    for y, x in np.argwhere(wood):
        axis.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, color=WOOD, linewidth=0))
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):  # half a line to each neighbor
            if around[1 + y + dy, 1 + x + dx]:
                axis.plot((x, x + dx / 2), (y, y + dy / 2), color=LINES, linewidth=0.7, zorder=1)
        if (rows, columns) == (9, 9) and (y, x) in ((2, 2), (2, 6), (6, 2), (6, 6), (4, 4)):
            axis.add_patch(Circle((x, y), 0.1, color=LINES, zorder=1.5))
        if (share := float(shares[y, x])) > 0.03:
            axis.add_patch(Rectangle((x - 0.42, y - 0.42), 0.84, 0.84, color=RED, alpha=0.85 * share, zorder=3, lw=0))
        if own[y, x] or other[y, x]:
            color = INK if own[y, x] == black else IVORY
            axis.add_patch(Circle((x, y), 0.45, facecolor=color, edgecolor=INK, linewidth=0.6, zorder=2))
    axis.set(xlim=(-0.55, columns - 0.45), ylim=(rows - 0.45, -0.55), aspect="equal", xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    axis.set_title(title, fontsize=9.5)


def show_boards(
    boards: Tensor, heats: Tensor | None = None, titles: Sequence[str] = (), *, columns: int = 4, side: float = 2.1
) -> Figure:
    """Show boards or windows of them (N, 3, H, W), each with its heat (N, H, W) and its title; `side` is in inches."""
    rows = -(-len(boards) // columns)
    figure = new_figure(columns * side, rows * (side + 0.22 * bool(titles)))
    for index, axis in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axis.set_axis_off()
        if index < len(boards):
            draw_board(axis, boards[index], None if heats is None else heats[index], titles[index] if titles else "")
    return figure


def draw_spectrogram(axis: Axes, values: Tensor, title: str = "", formants: Sequence[float] = ()) -> None:
    """Draw a spectrogram (bands, frames) with axes in Hz and ms; `formants`, in Hz, have a mark at the left."""
    times = np.linspace(0, 1000 * SAMPLES / RATE, values.shape[1])
    frequencies, ticks = Spectrogram(bands=len(values)).frequencies.numpy(), [200, 500, 1000, 2000, 5000]
    axis.pcolormesh(times, frequencies, values.detach().cpu().numpy(), cmap="magma", vmin=0, vmax=1)
    for hertz in formants:
        axis.plot(times[0], hertz, ">", color=CYAN, markersize=7, clip_on=False, zorder=5)
    axis.set_yscale("log")
    axis.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.set_xticks([times[0], times.mean(), times[-1]])
    axis.minorticks_off()
    axis.tick_params(labelsize=8, length=2)
    axis.set_title(title, fontsize=9.5)


def show_spectrograms(
    pictures: Tensor, titles: Sequence[str] = (), formants: Sequence[Sequence[float]] = (), *, columns: int = 5
) -> Figure:
    """Show spectrograms (N, 1, bands, frames) in rows of `columns`; `formants` has a list for each of them."""
    rows = -(-len(pictures) // columns)
    figure = new_figure(1.75 * columns + 0.4, 1.75 * rows + 0.25)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    texts, marks = chain(titles, repeat("")), chain(formants, repeat(()))
    for axis, picture, text, mark in zip(axes.flat, pictures, texts, marks, strict=False):
        draw_spectrogram(axis, picture[0], text, mark)
    axes[rows // 2, 0].set_ylabel("Hz", fontsize=9)
    axes[-1, columns // 2].set_xlabel("ms", fontsize=9)
    return figure


def show_ranges(
    series: Mapping[str, np.ndarray], x: Sequence[float] | Sequence[str], xlabel: str, *, guessing: float = 0,
    ylabel: str = "accuracy, %", trained: Sequence[float] = (),
) -> Figure:  # fmt: skip
    """Show shares (trainings, points) over x, numbers or names: a line is the mean, its band has all trainings.

    `guessing` is the share that is reached without learning. `trained` is the range of x that was seen in training: it
    is shaded, and x is logarithmic.
    """
    figure, axis = new_chart(6.6, 3.1)
    positions = range(len(x)) if isinstance(x[0], str) else x
    if trained:
        axis.axvspan(*trained, color=GRAY, alpha=0.2, linewidth=0, label="heard in training")
        axis.set_xscale("log")
    for name, values in series.items():
        color = COLORS.get(name, GREEN)
        axis.plot(positions, 100 * values.mean(0), "o-", color=color, linewidth=2, label=name)
        axis.fill_between(positions, 100 * values.min(0), 100 * values.max(0), color=color, alpha=0.18, linewidth=0)
    if guessing:
        axis.axhline(100 * guessing, color=GRAY, linestyle=":", label="guessing")
    axis.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, 103))
    axis.set_xticks(positions, [value if isinstance(value, str) else f"{value:g}" for value in x])
    axis.minorticks_off()
    axis.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def draw_reading(axis: Axes, words: Sequence[str], maps: Tensor) -> None:
    """Draw which filter fires where, (filters, positions); position i is the n-gram that begins with word i."""
    axis.imshow(maps.detach().cpu().numpy(), cmap="magma", aspect="auto", vmin=0)
    width = len(words) - maps.shape[1] + 1
    labels = [" ".join(words[start : start + width]) for start in range(maps.shape[1])]
    axis.set_xticks(range(len(labels)), labels, rotation=40, ha="right", rotation_mode="anchor", fontsize=8.5)
    axis.set(ylabel="filter", yticks=range(0, len(maps), 2))


def ngram_table(rows: Sequence[tuple[str, float, Sequence[str]]]) -> str:
    """Write a table in HTML: a line per filter, with its name, its vote, and the n-grams on which it fires most.

    A vote is the weight of the filter in the decision; a line is the darker, the stronger its vote.
    """
    cells = []
    for name, vote, grams in rows:
        color = to_hex((GRAY, min(abs(vote), 1) * 0.6), keep_alpha=True)
        texts = (escape(name), f"{vote:+.2f}", "&emsp;".join(f"<i>{escape(gram)}</i>" for gram in grams))
        style = f'style="text-align: left; background: {color}"'
        cells.append("<tr>" + "".join(f"<td {style}>{text}</td>" for text in texts) + "</tr>")
    return "<table><tr><th>filter</th><th>vote</th><th>strongest n-grams</th></tr>" + "".join(cells) + "</table>"


class StonePad(widgets.GridBox):
    """A board of buttons: a click puts a black stone, a second one makes it white, a third removes it.

    Its `value` is the board as text: rows of X, O and . with line breaks between them.
    """

    value = traitlets.Unicode()

    def __init__(self, value: str) -> None:
        rows = value.split()
        self.points = []
        layout = {"width": "34px", "height": "30px", "margin": "0"}
        for y, x in np.ndindex(len(rows), len(rows[0])):
            button = widgets.Button(tooltip=f"row {y + 1}, column {x + 1}", layout=layout)
            button.on_click(partial(self._click, y, x))
            self.points.append(button)
        super().__init__(self.points, layout={"grid_template_columns": f"repeat({len(rows[0])}, 34px)"})
        self.observe(self._paint, "value")
        self.value = "\n".join(rows)

    def _click(self, y: int, x: int, _: widgets.Button) -> None:
        rows = [list(row) for row in self.value.split()]
        rows[y][x] = {".": "X", "X": "O", "O": "."}[rows[y][x]]
        self.value = "\n".join(map("".join, rows))

    def _paint(self, _: object = None) -> None:
        for button, stone in zip(self.points, "".join(self.value.split()), strict=True):
            button.description = "·" if stone == "." else "●"
            button.style.button_color = WOOD
            button.style.text_color = {"X": INK, "O": IVORY, ".": LINES}[stone]
