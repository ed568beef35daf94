"""Draw a digit by connecting dots: strokes, the image of them, and a widget that is made of buttons alone."""

from collections.abc import Sequence
from functools import partial

import ipywidgets as widgets
import numpy as np
import torch
import traitlets
from scipy.interpolate import make_interp_spline
from torch import Tensor

Dot = tuple[int, int]  # column, row
Strokes = tuple[tuple[Dot, ...], ...]
COLUMNS, ROWS = 7, 9  # dots of the pad
SIZE = 28  # pixels of an image
# The ten digits as one may write them.
DIGIT_STROKES: dict[str, Strokes] = {
    "0": (((3, 0), (1, 2), (1, 6), (3, 8), (5, 6), (5, 2), (3, 0)),),
    "1": (((3, 0), (3, 4), (3, 8)),),
    "2": (((1, 2), (3, 0), (5, 2), (3, 5), (1, 8)), ((1, 8), (3, 8), (5, 8))),
    "3": (((1, 1), (3, 0), (5, 2), (3, 4)), ((3, 4), (5, 6), (3, 8), (1, 7))),
    "4": (((2, 0), (1, 2), (1, 4)), ((1, 4), (3, 4), (5, 4)), ((5, 0), (5, 4), (5, 8))),
    "5": (((1, 0), (1, 4)), ((1, 4), (3, 3), (5, 5), (4, 8), (1, 8)), ((1, 0), (5, 0))),
    "6": (((4, 0), (2, 3), (1, 6), (3, 8), (5, 6), (3, 5), (1, 6)),),
    "7": (((1, 0), (5, 0)), ((5, 0), (3, 4), (2, 8))),
    "8": (((3, 4), (1, 2), (3, 0), (5, 2), (3, 4), (1, 6), (3, 8), (5, 6), (3, 4)),),
    "9": (((5, 2), (3, 4), (1, 2), (3, 0), (5, 2), (5, 5), (4, 8)),),
}


def draw(strokes: Strokes, pen: float = 2.6, centered: bool = True) -> Tensor:
    """Draw strokes in white on black, (1, 1, 28, 28).

    Args:
        strokes: each one a tuple of dots (column, row) that a smooth line connects. A single dot is a point.
        pen: width of the line in pixels.
        centered: as MNIST's digits are: scaled into the middle 20 of 28 pixels, with the center of mass in the middle.
            Else the whole pad of dots fills the image.
    """
    lines = [_smooth(stroke) for stroke in strokes if stroke]
    if not lines:
        return torch.zeros(1, 1, SIZE, SIZE)
    points = torch.cat(lines)  # (n, 2)
    middle, unit = torch.tensor([(COLUMNS - 1) / 2, (ROWS - 1) / 2]), 0.9 * SIZE / ROWS
    if centered:
        mids = torch.cat([(line[1:] + line[:-1]) / 2 for line in lines])  # (m, 2)
        lengths = torch.cat([(line[1:] - line[:-1]).norm(dim=1, keepdim=True) for line in lines])  # (m, 1)
        middle = (mids * lengths).sum(0) / lengths.sum() if lengths.sum() else points.mean(0)
        unit = (20 / 28 * SIZE - pen) / float((points.amax(0) - points.amin(0)).max().clamp(min=1))
    points = (points - middle) * unit + (SIZE - 1) / 2
    grid = torch.stack(torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="xy"), dim=-1).float()
    distance = torch.cdist(grid.view(-1, 2), points).amin(1).view(1, 1, SIZE, SIZE)  # to the nearest point of a line
    return (pen / 2 + 0.5 - distance).clamp(0, 1)


def _smooth(stroke: Sequence[Dot]) -> Tensor:
    """Give 24 points per dot on a smooth line through the dots of a stroke, (n, 2)."""
    dots = np.array(stroke, dtype=float)
    if len(dots) > 1:
        steps = np.linalg.norm(np.diff(dots, axis=0), axis=1) ** 0.5  # "centripetal": uneven distances make no loops
        along = np.concatenate([[0], steps.cumsum()])
        spline = make_interp_spline(along, dots, k=min(len(dots) - 1, 3))
        dots = spline(np.linspace(0, along[-1], 24 * len(dots)))
    return torch.from_numpy(dots).float()


class DotPad(widgets.VBox):
    """A pad of dots to click: a line connects them in turn. A second click on the last dot lifts the pen.

    Its `value` is the strokes. It consists of ordinary buttons: it needs no script of its own, and the keyboard works.
    """

    value = traitlets.Tuple()

    def __init__(self, value: Strokes = ()) -> None:
        self.dots: dict[Dot, widgets.Button] = {}
        layout = {"width": "40px", "height": "32px", "margin": "0"}
        for row, column in np.ndindex(ROWS, COLUMNS):
            button = widgets.Button(tooltip=f"column {column + 1}, row {row + 1}", layout=layout)
            button.on_click(partial(self._click, (column, row)))
            self.dots[column, row] = button
        self.tools = {}
        layout = {"width": "auto", "margin": "0", "flex": "1 1 auto"}
        for name, act in {"lift the pen": self.lift, "undo": self.undo, "clear": self.clear}.items():
            self.tools[name] = widgets.Button(description=name, layout=layout)
            self.tools[name].on_click(lambda _, act=act: act())
        layout = {"grid_template_columns": f"repeat({COLUMNS}, 40px)", "grid_gap": "4px"}
        grid = widgets.GridBox(list(self.dots.values()), layout=layout)
        super().__init__([grid, widgets.HBox(list(self.tools.values()), layout={"width": "304px", "grid_gap": "4px"})])
        self.observe(self._paint, "value")
        self.value = value

    def lift(self) -> None:
        """Begin a new stroke with the next dot."""
        if self.value and self.value[-1]:
            self.value = (*self.value, ())

    def undo(self) -> None:
        """Take the last dot away."""
        strokes = tuple(stroke for stroke in self.value if stroke)
        if strokes:
            kept = strokes[-1][:-1]
            self.value = (*strokes[:-1], kept) if kept or len(strokes) > 1 else ()

    def clear(self) -> None:
        """Empty the pad."""
        self.value = ()

    def _click(self, dot: Dot, _: widgets.Button) -> None:
        *before, last = self.value or ((),)
        if last and last[-1] == dot:
            self.lift()
        else:
            self.value = (*before, (*last, dot))

    def _paint(self, _: object = None) -> None:
        used = {dot for stroke in self.value for dot in stroke}
        last = self.value[-1][-1] if self.value and self.value[-1] else None
        for dot, button in self.dots.items():
            button.button_style = "warning" if dot == last else "primary" if dot in used else ""
            button.description = "●" if dot in used else "·"
