"""The panel of chapter 17 takes any loaded net: its layers and channels follow the net, and Run draws their pattern."""

import ast

from notebook_parts import NOTEBOOKS, code_cells, read, tagged
from torch import Generator

from cnnlab import Net, load_net
from cnnlab.teaching.panel import Panel


def the_panel() -> Panel:
    notebook = read(next(path for path in NOTEBOOKS if path.name.startswith("17")))
    space: dict = {"__name__": "__main__"}
    for cell in tagged(notebook, "setup"):
        exec(compile(cell.source, "setup", "exec"), space)
    space |= {"net": Net(space["ResNet"](Generator().manual_seed(0)), device="cpu")}
    space["effnet"] = load_net("squeezenet", "cpu")  # any net will do
    for cell in code_cells(notebook):
        if cell.id == "own-panel":
            exec(compile(cell.source, "cell", "exec"), space)
        if cell.id == "own-panel-show":
            *before, last = ast.parse(cell.source).body
            exec(compile(ast.Module(before, []), "cell", "exec"), space)
            return eval(compile(ast.Expression(last.value), "cell", "eval"), space)
    raise AssertionError("chapter 17 shows no panel")


def test_the_controls_follow_the_net_and_every_kind_of_layer_runs() -> None:
    panel = the_panel()
    controls = panel.controls
    assert controls["layer"].options[2:5] == ("conv1", "norm1", "relu")  # in the order in which they run
    controls["steps"].value = 5
    for network, layer, count in (("our own", "logits", 16), ("SqueezeNet", "fire5", 256), ("our own", "conv1", 24)):
        controls["network"].value = network
        controls["layer"].value = layer
        assert controls["number"].max == count - 1
        controls["number"].value = count - 1
        panel.run()
        panel.wait(60)
        assert panel.error is None, panel.status
        assert panel.shown is not None
    panel.reset()
    assert controls["layer"].value == "layer3.1.add"
    assert controls["number"].max == 95
