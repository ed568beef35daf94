"""Figures of boards, sounds and sentences; none uses pyplot, so that a panel may draw in its thread."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from torch import Tensor

from cnnlab.plots_mnist import BLUE, GREY, ORANGE
from cnnlab.vowels import RATE, SAMPLES, Spectrogram

WOOD, LINES, HEAT = "#e3b46c", "#6b4a1c", "#c8102e"


def draw_board(axis: Axes, seen: Tensor, heat: Tensor | None = None, title: str = "", black: bool = True) -> None:
    """A board, or a window of one, as a net sees it, (3, H, W): own stones, the other's, points that exist.

    Args:
        axis: where.
        seen: what `planes` gives; no wood where the third plane is 0.
        heat: (H, W), shown as red squares, the larger the redder; the largest value is the darkest.
        title: above it.
        black: whether own stones are the black ones.
    """
    rows, columns = seen.shape[1:]
    own, other, wood = (plane.detach().cpu().numpy() > 0.5 for plane in seen)
    top = max(float(heat.max()), 1e-9) if heat is not None else 1.0
    for y, x in np.argwhere(wood):
        axis.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, color=WOOD, linewidth=0))
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):  # half a line to each neighbour, beyond the window too
            inside = 0 <= y + dy < rows and 0 <= x + dx < columns
            if wood[y + dy, x + dx] if inside else max(rows, columns) < 9:
                axis.plot((x, x + dx / 2), (y, y + dy / 2), color=LINES, linewidth=0.7, zorder=1)
        if (rows, columns) == (9, 9) and (y, x) in ((2, 2), (2, 6), (6, 2), (6, 6), (4, 4)):
            axis.add_patch(Circle((x, y), 0.1, color=LINES, zorder=1.5))
        if heat is not None and heat[y, x] > 0.03 * top:
            share = float(heat[y, x]) / top
            axis.add_patch(Rectangle((x - 0.42, y - 0.42), 0.84, 0.84, color=HEAT, alpha=0.85 * share, zorder=3, lw=0))
        if own[y, x] or other[y, x]:
            color = "#141414" if own[y, x] == black else "#fbfbf6"
            axis.add_patch(Circle((x, y), 0.45, facecolor=color, edgecolor="#3a3a3a", linewidth=0.6, zorder=2))
    axis.set(xlim=(-0.55, columns - 0.45), ylim=(rows - 0.45, -0.55), aspect="equal", xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    axis.set_title(title, fontsize=9.5)


def show_boards(
    boards: Tensor, heats: Tensor | None = None, titles: Sequence[str] = (), *, columns: int = 4, side: float = 2.1
) -> Figure:
    """Boards or windows of them, (N, 3, H, W), each with its heat of (N, H, W) and its title; `side` is in inches."""
    rows = -(-len(boards) // columns)
    figure = Figure(figsize=(columns * side, rows * (side + 0.22 * bool(titles))), dpi=100, layout="constrained")
    for index, axis in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axis.set_axis_off()
        if index < len(boards):
            draw_board(axis, boards[index], None if heats is None else heats[index], titles[index] if titles else "")
    return figure


def draw_spectrogram(axis: Axes, values: Tensor, title: str = "", formants: Sequence[float] = ()) -> None:
    """A spectrogram (bands, frames) with its axes in Hz and ms; `formants`, in Hz, are marked at the left."""
    frequencies = Spectrogram(bands=len(values)).frequencies.numpy()

    def band(hertz: float) -> float:
        return float(np.interp(np.log(hertz), np.log(frequencies[::-1]), np.arange(len(values))[::-1]))

    axis.imshow(values.detach().cpu().numpy(), cmap="magma", aspect="auto", vmin=0, vmax=1)
    ticks = [200, 500, 1000, 2000, 5000]
    axis.set_yticks([band(tick) for tick in ticks], [f"{tick:,}" for tick in ticks], fontsize=8)
    long = 1000 * SAMPLES / RATE
    axis.set_xticks([share * (values.shape[1] - 1) for share in (0, 0.5, 1)], [f"{long * s:.0f}" for s in (0, 0.5, 1)])
    axis.tick_params(labelsize=8, length=2)
    for hertz in formants:
        axis.plot(-0.3, band(hertz), marker=">", color="#35c4c4", markersize=7, clip_on=False, zorder=5)
    axis.set_title(title, fontsize=9.5)


def show_spectrograms(
    pictures: Tensor, titles: Sequence[str] = (), formants: Sequence[Sequence[float]] = (), *, columns: int = 5
) -> Figure:
    """Spectrograms (N, 1, bands, frames) in rows of `columns`; `formants` are marked, a list for each."""
    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(1.75 * columns + 0.4, 1.75 * rows + 0.25), dpi=100, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for index, (axis, picture) in enumerate(zip(axes.flat, pictures, strict=False)):
        marks = formants[index] if index < len(formants) else ()
        draw_spectrogram(axis, picture[0], titles[index] if index < len(titles) else "", marks)
    axes[rows // 2, 0].set_ylabel("Hz", fontsize=9)
    axes[-1, columns // 2].set_xlabel("ms", fontsize=9)
    return figure


def show_ranges(series: Mapping[str, np.ndarray], x: Sequence[float], xlabel: str, trained: Sequence[float]) -> Figure:
    """Accuracies (seeds, points) over x: the mean as a line, all seeds as a band; `trained` is shaded."""
    figure = Figure(figsize=(6.6, 3.1), dpi=100, layout="constrained")
    axis = figure.subplots()
    axis.axvspan(*trained, color=GREY, alpha=0.2, linewidth=0, label="heard in training")
    for color, (name, values) in zip((BLUE, ORANGE, "#3a8f5c"), series.items(), strict=False):
        axis.plot(x, 100 * values.mean(0), "o-", color=color, linewidth=2, label=name)
        axis.fill_between(x, 100 * values.min(0), 100 * values.max(0), color=color, alpha=0.18, linewidth=0)
    axis.axhline(20, color=GREY, linestyle=":")
    axis.text(x[-1], 22, "guessing", color="#707070", fontsize=8, ha="right")
    axis.set(xlabel=xlabel, ylabel="accuracy, %", xscale="log", ylim=(0, 103))
    axis.set_xticks(x, [f"{value:g}" for value in x])
    axis.minorticks_off()
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def draw_bars(axis: Axes, chances: Tensor, names: Sequence[str]) -> None:
    """Probabilities (classes,) as bars, the largest in another colour."""
    top = int(chances.argmax())
    axis.barh(list(names), chances.tolist(), color=[ORANGE if index == top else BLUE for index in range(len(names))])
    axis.text(float(chances[top]) + 0.02, top, f"{chances[top]:.0%}", va="center")
    axis.set(xlim=(0, 1.2), xticks=[])
    axis.invert_yaxis()
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def draw_reading(axis: Axes, words: Sequence[str], maps: Tensor, title: str = "") -> None:
    """Which filter fires where, (filters, places): place i is the n-gram that begins with word i."""
    axis.imshow(maps.detach().cpu().numpy(), cmap="magma", aspect="auto", vmin=0)
    width = len(words) - maps.shape[1] + 1
    labels = [" ".join(words[start : start + width]) for start in range(maps.shape[1])]
    axis.set_xticks(range(len(labels)), labels, rotation=40, ha="right", rotation_mode="anchor", fontsize=8.5)
    axis.set(ylabel="filter", yticks=range(0, len(maps), 2))
    axis.set_title(title, fontsize=10)


def ngram_table(rows: Sequence[tuple[str, float, Sequence[str]]]) -> str:
    """HTML: a line for each filter, its name, the weight of its vote, and the n-grams on which it fires most."""
    cells = []
    for name, vote, grams in rows:
        color = f"rgba({'58, 143, 92' if vote > 0 else '200, 16, 46'}, {min(abs(vote), 1) * 0.6:.2f})"
        texts = (escape(name), f"{vote:+.2f}", "&emsp;".join(f"<i>{escape(gram)}</i>" for gram in grams))
        style = f'style="text-align: left; background: {color}"'
        cells.append("<tr>" + "".join(f"<td {style}>{text}</td>" for text in texts) + "</tr>")
    return "<table><tr><th>filter</th><th>vote</th><th>strongest n-grams</th></tr>" + "".join(cells) + "</table>"
