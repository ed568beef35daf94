"""Draw a digit by connecting dots: strokes, the picture of them, and a widget made of buttons alone."""

from functools import partial
from types import SimpleNamespace

import ipywidgets as widgets
import torch
import traitlets
from torch import Tensor

Dot = tuple[int, int]  # column, row
Strokes = tuple[tuple[Dot, ...], ...]

COLUMNS, ROWS = 7, 9  # dots of the pad
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


def smooth(stroke: Tensor, parts: int = 24) -> Tensor:
    """A smooth line through the points of a stroke (n, 2): (parts * (n - 1) + 1, 2).

    Between p1 and p2, of p0 p1 p2 p3 in a row, for t in [0, 1]: (Catmull & Rom 1974, "A class of local interpolating
    splines") p1 + t (p2 - p0) / 2 + t^2 (2 p0 - 5 p1 + 4 p2 - p3) / 2 + t^3 (3 p1 - p0 - 3 p2 + p3) / 2.
    """
    padded = torch.cat([stroke[:1], stroke, stroke[-1:]])[:, None]  # (n + 2, 1, 2)
    p0, p1, p2, p3 = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]  # (n - 1, 1, 2) each
    t = (torch.arange(parts) / parts)[:, None]  # (parts, 1)
    line = p1 + t * (p2 - p0) / 2 + t**2 * (2 * p0 - 5 * p1 + 4 * p2 - p3) / 2 + t**3 * (3 * p1 - p0 - 3 * p2 + p3) / 2
    return torch.cat([line.flatten(0, 1), stroke[-1:]])


def draw(strokes: Strokes, size: int = 28, pen: float = 2.6, centred: bool = True) -> Tensor:
    """The picture of the strokes, white on black, (1, 1, size, size).

    Args:
        strokes: each a tuple of dots (column, row) that a smooth line connects; a single dot is a point.
        size: rows and columns.
        pen: width of the line in pixels.
        centred: as MNIST's digits are: scaled into the middle 20 of 28 pixels, the centre of mass in the middle. Else
            the whole pad of dots fills the picture.
    """
    lines = [smooth(torch.tensor(stroke, dtype=torch.float32)) for stroke in strokes if stroke]
    if not lines:
        return torch.zeros(1, 1, size, size)
    points = torch.cat(lines)  # (n, 2)
    middle, unit = torch.tensor([(COLUMNS - 1) / 2, (ROWS - 1) / 2]), 0.9 * size / ROWS
    if centred:
        pieces = [(line[1:] + line[:-1]) / 2 for line in lines], [(line[1:] - line[:-1]).norm(dim=1) for line in lines]
        mids, lengths = (torch.cat(part) for part in pieces)  # (n, 2), (n,)
        middle = (mids * lengths[:, None]).sum(0) / lengths.sum() if lengths.sum() else points.mean(0)
        unit = (20 / 28 * size - pen) / float((points.amax(0) - points.amin(0)).max().clamp(min=1))
    points = (points - middle) * unit + (size - 1) / 2
    grid = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="xy"), dim=-1).float()
    distance = torch.cdist(grid.view(-1, 2), points).amin(1).view(1, 1, size, size)  # to the nearest point of a line
    return (pen / 2 + 0.5 - distance).clamp(0, 1)


class DotPad(widgets.VBox):
    """A pad of dots to click: a line connects them in turn; a second click on the last dot lifts the pen.

    Its `value` is the strokes. It is made of ordinary buttons, so that it needs no script of its own, and the keyboard
    works.
    """

    value = traitlets.Tuple()
    description = traitlets.Unicode("draw")

    def __init__(self, value: Strokes = ()) -> None:
        self.style = SimpleNamespace()  # a panel sets a label's width there, but a pad has no label beside it
        self.dots = {
            (column, row): widgets.Button(
                tooltip=f"column {column + 1}, row {row + 1}", layout={"width": "40px", "height": "32px", "margin": "0"}
            )
            for row in range(ROWS)
            for column in range(COLUMNS)
        }
        for dot, button in self.dots.items():
            button.on_click(partial(self._click, dot))
        self.tools = {}
        for name, act in {"lift the pen": self.lift, "undo": self.undo, "clear": self.clear}.items():
            self.tools[name] = widgets.Button(
                description=name, layout={"width": "auto", "margin": "0", "flex": "1 1 auto"}
            )
            self.tools[name].on_click(lambda _, act=act: act())
        grid = widgets.GridBox(
            list(self.dots.values()), layout={"grid_template_columns": f"repeat({COLUMNS}, 40px)", "grid_gap": "4px"}
        )
        super().__init__([grid, widgets.HBox(list(self.tools.values()), layout={"width": "304px", "grid_gap": "4px"})])
        self.observe(self._paint, "value")
        self.value = value

    def lift(self) -> None:
        """Begin a new stroke with the next dot."""
        if self.value and self.value[-1]:
            self.value = (*self.value, ())

    def undo(self) -> None:
        """Take the last dot back."""
        strokes = tuple(stroke for stroke in self.value if stroke)
        if strokes:
            kept = strokes[-1][:-1]
            self.value = (*strokes[:-1], kept) if kept or len(strokes) > 1 else ()

    def clear(self) -> None:
        """Begin with an empty pad."""
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


class StonePad(widgets.GridBox):
    """A board of buttons: a click puts a black stone, a second one makes it white, a third takes it off.

    Its `value` is the board as text, rows of X, O and . between line breaks.
    """

    value = traitlets.Unicode()
    description = traitlets.Unicode("board")

    def __init__(self, value: str) -> None:
        rows = value.split()
        self.style = SimpleNamespace()
        layout = {"width": "34px", "height": "30px", "margin": "0"}
        self.points = [
            widgets.Button(tooltip=f"row {y + 1}, column {x + 1}", layout=layout)
            for y in range(len(rows))
            for x in range(len(rows[0]))
        ]  # fmt: skip
        for index, button in enumerate(self.points):
            button.on_click(partial(self._click, index))
        super().__init__(self.points, layout={"grid_template_columns": f"repeat({len(rows[0])}, 34px)"})
        self.observe(self._paint, "value")
        self.value = "\n".join(rows)

    def _click(self, index: int, _: widgets.Button) -> None:
        rows = self.value.split()
        y, x = divmod(index, len(rows[0]))
        stone = {".": "X", "X": "O", "O": "."}[rows[y][x]]
        self.value = "\n".join((*rows[:y], rows[y][:x] + stone + rows[y][x + 1 :], *rows[y + 1 :]))

    def _paint(self, _: object = None) -> None:
        for button, stone in zip(self.points, "".join(self.value.split()), strict=True):
            button.description = "·" if stone == "." else "●"
            button.style.button_color = "#e3b46c"
            button.style.text_color = {"X": "#000000", "O": "#ffffff", ".": "#6b4a1c"}[stone]
