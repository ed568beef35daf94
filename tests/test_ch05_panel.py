"""The panel of chapter 05 works under one ReLU rule while a cell uses the same net under others."""

from threading import Barrier
from typing import Any

import pytest
import torch
from notebook_parts import NOTEBOOKS, read, tagged
from torch import Tensor

from cnnlab.descent import gradient
from cnnlab.nets import Net
from cnnlab.objectives import neuron
from cnnlab.techniques.patches import Patch, project, strongest_patches
from cnnlab.zoo.load import load_net

CELLS = (
    "net = load_net(", "cat = photo(", "views = {", "crops = cut_crops(", "def sheet(", "def play(", "panel = Panel(",
)  # fmt: skip
CHANNELS = (10, 100, 230, 290, 376)  # of fire7; the panel begins with another one


@pytest.fixture
def chapter() -> dict[str, Any]:
    """The names of the chapter after the cells that the panel needs, on the CPU, with three photographs of 16."""
    notebook = read(next(path for path in NOTEBOOKS if path.name.startswith("05")))
    names: dict[str, Any] = {}
    for cell in tagged(notebook, "setup"):
        exec(compile(cell.source, "setup", "exec"), names)
    names |= {"load_net": lambda name, device="cpu": load_net(name, device), "PHOTOS": ("cat", "coffee", "camera")}
    for words in CELLS:
        (source,) = (c.source for c in notebook.cells if c.cell_type == "code" and f"\n{words}" in f"\n{c.source}")
        exec(compile(source, words, "exec"), names)
    names["panel"].wait(60)  # it is live: it begins at once
    assert names["panel"].error is None, names["panel"].status
    return names


def test_a_cell_uses_the_net_under_another_rule_while_the_panel_works(chapter: dict[str, Any]) -> None:
    panel, net, views = chapter["panel"], chapter["net"], chapter["views"]
    assert views["backprop"] is net
    assert panel.controls["view"].value is views["deconvnet"]
    nine = {number: strongest_patches(chapter["scanned"], "fire7", number) for number in CHANNELS}
    objective, images = neuron("fire5", *chapter["strongest"]), chapter["cat"].expand(8, -1, -1, -1)
    in_one_thread = [project(views["deconvnet"], "fire7", number, nine[number]) for number in CHANNELS]
    of_the_cell = {name: gradient(views[name], objective, images)[1] for name in ("guided", "backprop")}
    assert not torch.equal(*of_the_cell.values())
    start, in_the_panel = Barrier(2), []

    def project_together(view: Net, layer: str, channel: int, patches: list[Patch]) -> list[Tensor]:
        start.wait(60)
        in_the_panel.append(project(view, layer, channel, patches))
        return in_the_panel[-1]

    chapter["project"] = project_together  # the panel calls it in its thread
    for number in CHANNELS:
        panel.controls["channel"].value = number
        start.wait(60)
        for name, expected in of_the_cell.items():
            assert torch.equal(gradient(views[name], objective, images)[1], expected)
        panel.wait(60)
        assert panel.error is None, panel.status
    for projections, expected in zip(in_the_panel, in_one_thread, strict=True):
        assert len(projections) == len(expected) > 0
        assert all(map(torch.equal, projections, expected))
