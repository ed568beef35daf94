"""The panels of chapters 01, 02 and 03: every control works, and mistakes are answered in words."""

import ast
import time
from types import ModuleType

import ipywidgets as widgets
from notebook_parts import NOTEBOOKS, read, tagged
from torch import nn

from cnnlab.chapters.ch01_kernels import KERNELS
from cnnlab.chapters.ch02_drawing import DIGIT_STROKES
from cnnlab.material.photos import photo
from cnnlab.teaching.panel import Panel
from cnnlab.zoo.load import load_net


def panels(number: str, **known: object) -> list[Panel]:
    """Make the panels of a chapter: run its setup cells, then the sections that show panels, which may need `known`."""
    notebook = read(next(path for path in NOTEBOOKS if path.name.startswith(number)))
    module = ModuleType("chapter")
    for cell in tagged(notebook, "setup"):
        exec(compile(cell.source, "setup", "exec"), module.__dict__)
    module.__dict__.update(known)
    shown, inside = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            inside = cell.source.startswith(("## Play", "## Draw"))
        elif inside and cell.cell_type == "code":
            *before, last = ast.parse(cell.source).body
            panel = isinstance(last, ast.Expr) and cell.source.splitlines()[-1].startswith("Panel(")
            exec(compile(ast.Module(before if panel else [*before, last], []), "cell", "exec"), module.__dict__)
            if panel:
                shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), module.__dict__))
    return shown


def finished(panel: Panel) -> Panel:
    panel.wait(60)
    assert panel.error is None, panel.status
    return panel


def test_the_panel_of_chapter_01_filters_and_refuses_what_is_no_kernel() -> None:
    (panel,) = panels("01", photos={"cat": photo("cat", 224)})
    before = finished(panel).shown
    panel.controls["preset"].value = KERNELS["blur"]
    assert panel.controls["kernel"].value == KERNELS["blur"]
    assert finished(panel).shown.tobytes() != before.tobytes()
    for name, value in {"stride": 8, "padding": "", "pooling": "average 2"}.items():
        panel.controls[name].value = value
        assert finished(panel).status == "done"
    panel.controls["kernel"].value = "1 2"
    panel.wait(60)
    assert panel.status == "error: kernel must have 3, 5 or 7 rows, one on each line, not 1"


def test_the_panels_of_chapter_02_train_and_read_a_drawing() -> None:
    train, drawing = panels("02")
    train.controls["filters"].value, train.controls["epochs"].value = 2, 1
    train.run()
    while train.shown is None and train.error is None:
        time.sleep(0.01)
    train.stop()
    assert finished(train).status.startswith("stopped at step")
    train.controls["digit"].value = 9
    train.controls["rate"].value = 1.0  # far too large: words, and the panel stays usable
    train.controls["pooling"].value = "average"
    train.run()
    train.wait(60)
    assert train.shown is not None
    before = finished(drawing).shown
    drawing.controls["strokes"].dots[0, 8].click()
    after = finished(drawing).shown
    assert before.tobytes() != after.tobytes()
    drawing.controls["example"].value = DIGIT_STROKES["8"]
    assert finished(drawing).controls["strokes"].value == DIGIT_STROKES["8"]


def test_the_panel_of_chapter_03_excites_a_neuron() -> None:
    (panel,) = panels("03")
    for layer, number, start in (("logits", 3, "noise"), ("conv2", 49, "gray"), ("dense1", 99, "7")):
        values = {"layer": layer, "number": number, "start": start, "steps": 3, "L1": 20, "TV": 5, "blurred": 0.5}
        for name, value in values.items():
            panel.controls[name].value = value
        panel.run()
        assert finished(panel).status.startswith("done")
    panel.controls["layer"].value = "logits"
    panel.run()
    panel.wait(60)
    assert panel.status == "error: number: logits has 10 of them, 0 to 9"
    assert isinstance(panel.controls["number"], widgets.IntSlider)
    assert not any(isinstance(layer, nn.Dropout) for layer in load_net("mnist", device="cpu").model)
