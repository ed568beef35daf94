"""The digits' network: its frame and shipped weights, its figures, the pad to draw on, the panels of its chapters."""

import ast
import hashlib
import time
from pathlib import Path
from types import ModuleType

import ipywidgets as widgets
import matplotlib.pyplot as plt
import pytest
import torch
from notebook_parts import NOTEBOOKS, read, tagged
from torch import Generator, nn

from cnnlab import plots_mnist
from cnnlab.datasets import mnist
from cnnlab.drawing import DIGIT_STROKES, DotPad, draw, smooth
from cnnlab.mnist import CHECKPOINT, mnist_cnn, train_mnist_cnn
from cnnlab.nets import Net, load_net
from cnnlab.pictures import picture
from cnnlab.training import accuracy, recorded_sha256
from cnnlab.widgets import Panel


@pytest.fixture(scope="module")
def net() -> Net:
    return load_net("mnist", device="cpu")


def test_the_shapes_and_the_parameters_of_the_lecture() -> None:
    chain = mnist_cnn(Generator().manual_seed(0))
    x, shapes = torch.zeros(2, 1, 28, 28), []
    for layer in chain:
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    assert list(dict.fromkeys(shapes)) == [
        (25, 26, 26), (25, 13, 13), (50, 11, 11), (50, 5, 5), (1250,), (100,), (10,)
    ]  # fmt: skip
    assert " ".join(Net(chain).layers) == "conv1 relu1 pool1 conv2 relu2 pool2 flatten dense1 relu3 logits"
    assert chain.conv2.weight[0].numel() == 225


@pytest.mark.parametrize("pooling", ["max", "average", "none"])
@pytest.mark.parametrize("kernel", [1, 3, 6, 9])
def test_any_choice_gives_ten_logits(kernel: int, pooling: str) -> None:
    chain = mnist_cnn(Generator().manual_seed(0), (2, 3), kernel, pooling, dense=4)
    assert chain(torch.zeros(1, 1, 28, 28)).shape == (1, 10)


def test_a_choice_that_does_not_fit_is_refused() -> None:
    for wrong in ({"kernel": 10}, {"pooling": "min"}):
        with pytest.raises(ValueError, match="pooling must be one of max, average, none and kernel 1 to 9"):
            mnist_cnn(Generator(), **wrong)


def test_the_shipped_weights_are_the_recorded_ones_and_read_98_percent(net: Net) -> None:
    assert hashlib.sha256(CHECKPOINT.read_bytes()).hexdigest() == recorded_sha256(CHECKPOINT.name)
    with pytest.raises(RuntimeError, match="no hash of other.safetensors"):
        recorded_sha256("other.safetensors")
    assert accuracy(net.chain, mnist()[1]) >= 0.98
    assert net.labels == tuple("0123456789")


def test_one_epoch_of_the_recipe_is_worth_much() -> None:
    train, held_out = mnist()
    generator = Generator().manual_seed(0)
    chain = mnist_cnn(generator)
    train_mnist_cnn(chain, train, generator, epochs=1).finish(progress=False)
    assert accuracy(chain, held_out) > 0.85


def test_make_checkpoints_writes_weights_and_their_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import make_checkpoints

    few = tuple(type(half)(half.images[:100], half.labels[:100]) for half in mnist())
    monkeypatch.setattr(make_checkpoints, "mnist", lambda: few)
    (tmp_path / "SHA256SUMS").write_text("00  mnist.safetensors\n11  other\n")
    make_checkpoints.make_mnist(tmp_path / "mnist.safetensors", epochs=1)
    made = hashlib.sha256((tmp_path / "mnist.safetensors").read_bytes()).hexdigest()
    assert (tmp_path / "SHA256SUMS").read_text() == f"{made}  mnist.safetensors\n11  other\n"


def test_figures_are_drawn_without_pyplot(net: Net) -> None:
    image, before = draw(DIGIT_STROKES["5"]), plt.get_fignums()
    rows = {"a": torch.rand(2, 1, 28, 28), "change": torch.rand(2, 1, 28, 28) - 0.5}
    figures = [
        plots_mnist.show_layers(net, image),
        plots_mnist.show_training([2.0, 1.0, 0.5], [0.5, 0.9]),
        plots_mnist.show_training([], []),
        plots_mnist.show_sizes({"one": [(10, 0.5)], "other": [(10, 0.5), (20, 0.6)]}),
        plots_mnist.show_above(torch.rand(20, 3), torch.rand(3), ["1", "2", "3"], "a"),
        plots_mnist.show_rows(rows, ["x", "y"]),
        plots_mnist.show_answer(net, image),
        plots_mnist.show_confusion(torch.eye(10, dtype=torch.long)),
    ]
    assert all(picture(figure).getextrema() != ((255, 255),) * 3 for figure in figures)
    assert plt.get_fignums() == before


def test_a_mosaic_lays_maps_out_row_by_row() -> None:
    maps = torch.arange(3 * 2 * 2.0).view(3, 2, 2)
    sheet = torch.from_numpy(plots_mnist.mosaic(maps, columns=2))
    nan = float("nan")
    expected = torch.tensor(
        [[0, 1, nan, 4, 5], [2, 3, nan, 6, 7], [nan] * 5, [8, 9, nan, nan, nan], [10, 11, nan, nan, nan]]
    )
    torch.testing.assert_close(sheet, expected, equal_nan=True)


def test_a_smooth_line_goes_through_its_dots_and_straight_ones_stay_straight() -> None:
    stroke = torch.tensor([[0.0, 0], [2, 5], [4, 1], [4, 7]])
    torch.testing.assert_close(smooth(stroke, 5)[::5], stroke)
    straight = smooth(torch.tensor([[0.0, 0], [1, 1], [2, 2]]))
    torch.testing.assert_close(straight[:, 0], straight[:, 1])
    assert smooth(torch.tensor([[3.0, 4]])).tolist() == [[3, 4]]


def test_a_drawing_is_centred_where_a_digit_is() -> None:
    for strokes in (DIGIT_STROKES["3"], DIGIT_STROKES["4"]):
        image = draw(strokes)[0, 0]
        rows = image.sum(1).nonzero()[:, 0]
        assert 19 <= rows.max() - rows.min() + 1 <= 21  # 20 of 28 pixels, and their rim
    corner = (((0, 0), (1, 0), (1, 1), (0, 1), (0, 0)),)
    ring = draw(corner)[0, 0]
    assert (ring.sum(1) * torch.arange(28)).sum() / ring.sum() == pytest.approx(13.5, abs=0.5)
    assert not draw(corner, centred=False)[0, 0, 14:, 14:].any()
    assert not draw(()).any()
    assert not draw(((),)).any()


def test_the_net_reads_our_ten_drawings(net: Net) -> None:
    drawn = torch.cat([draw(strokes) for strokes in DIGIT_STROKES.values()])
    assert net.probabilities(drawn).argmax(1).tolist() == list(range(10))


def test_a_pad_takes_strokes_from_clicks() -> None:
    pad = DotPad()
    for dot in ((1, 0), (3, 4), (3, 4), (5, 5), (2, 2)):  # the second click on a dot lifts the pen
        pad.dots[dot].click()
    assert pad.value == (((1, 0), (3, 4)), ((5, 5), (2, 2)))
    assert pad.dots[2, 2].button_style == "warning"  # the last one
    assert pad.dots[1, 0].button_style == "primary"
    assert pad.dots[0, 0].button_style == ""
    pad.tools["undo"].click()
    pad.tools["undo"].click()
    assert pad.value == (((1, 0), (3, 4)), ())  # the pen stays lifted
    pad.tools["lift the pen"].click()
    pad.dots[6, 8].click()
    assert pad.value == (((1, 0), (3, 4)), ((6, 8),))
    pad.tools["clear"].click()
    assert pad.value == ()
    pad.tools["undo"].click()
    pad.tools["lift the pen"].click()
    assert pad.value == ()
    assert {button.button_style for button in pad.dots.values()} == {""}


def panels(number: str) -> list[Panel]:
    """The panels of a chapter, from its setup and the cells of the sections that show them."""
    notebook = read(next(path for path in NOTEBOOKS if path.name.startswith(number)))
    module = ModuleType("chapter")
    for cell in tagged(notebook, "setup"):
        exec(compile(cell.source, "setup", "exec"), module.__dict__)
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


def test_the_panels_of_chapter_2_train_and_read_a_drawing() -> None:
    train, drawing = panels("02")
    train.controls["filters"].value, train.controls["epochs"].value = 2, 1
    train.run()
    while train.shown is None and train.error is None:
        time.sleep(0.01)
    train.stop()
    assert finished(train).status.startswith("stopped at step")
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


def test_the_panel_of_chapter_3_pleases_a_neuron() -> None:
    (panel,) = panels("03")
    for layer, number, start in (("logits", 3, "noise"), ("conv2", 49, "grey"), ("dense1", 99, "7")):
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
    assert not any(isinstance(layer, nn.Dropout) for layer in load_net("mnist", device="cpu").chain)
