"""What chapter 08 trains with several seeds, and what it measures of these nets."""

import ast
import math

import pytest
import torch
from notebook_parts import CHAPTERS, code_cells, read
from torch import Generator, nn

from cnnlab.chapters.ch08_nets import (
    OPTIONS,
    beyond_nyquist,
    cka,
    crop_sets,
    scores,
    trained,
    trained_as_in_the_paper,
)
from cnnlab.nets import weights_of
from cnnlab.training import Examples
from cnnlab.zoo.zfnets import filter_rms, zfnet


@pytest.fixture(scope="module")
def sets() -> tuple[Examples, Examples]:
    return crop_sets(4)


def test_the_same_seed_gives_the_same_net(sets: tuple[Examples, Examples]) -> None:
    train, held_out = sets
    assert train.images.shape == (64, 3, 72, 72)
    assert held_out.images.shape == (32, 3, 64, 64)
    one, again, other = (trained("as it is", train, seed, epochs=2, keep=(0, 1)) for seed in (0, 0, 1))
    assert list(one) == [0, 1, 2]
    filters = [weights_of(nets[2].model, "conv1") for nets in (one, again, other)]
    assert torch.equal(filters[0], filters[1])
    assert not torch.equal(filters[0], filters[2])
    first = weights_of(zfnet(Generator().manual_seed(0)), "conv1").detach()
    torch.testing.assert_close(weights_of(one[0].model, "conv1").cpu(), first)
    assert set(scores(one[2], train, held_out)) == {"learned", "held out"}


def test_a_net_without_dropout_has_its_dense_layers(sets: tuple[Examples, Examples]) -> None:
    net = trained("without dropout", sets[0], 0, epochs=1)[1]
    assert not any(isinstance(module, nn.Dropout) for module in net.model.modules())
    assert {"fc6", "fc7"} <= set(dict(net.model.named_children()))
    assert OPTIONS["both enlarged"] == OPTIONS["conv3 .. conv5 doubled"] | OPTIONS["fc6, fc7 threefold"]


def test_no_filter_exceeds_the_radius(sets: tuple[Examples, Examples]) -> None:
    free, bound = (trained_as_in_the_paper(sets[0], 0, epochs=1, radius=radius) for radius in (math.inf, 5e-3))
    assert filter_rms(weights_of(free.model, "conv1")).max() > 9e-3  # they begin at about 1e-2
    assert filter_rms(weights_of(bound.model, "conv1")).max() < 5.01e-3


def test_cka_is_1_for_turned_and_scaled_activations() -> None:
    activations = torch.rand(10, 6, generator=Generator().manual_seed(0))
    turned = 3 * activations @ torch.linalg.qr(torch.rand(6, 6, generator=Generator().manual_seed(1))).Q + 1
    assert cka(activations, turned) == pytest.approx(1, abs=1e-5)
    assert cka(activations, torch.rand(10, 6, generator=Generator().manual_seed(2))) < 0.9


def test_a_single_pixel_has_waves_of_all_frequencies() -> None:
    pixel, plain = torch.zeros(1, 3, 7, 7), torch.ones(1, 3, 64, 64)
    pixel[..., 3, 3] = 1
    assert beyond_nyquist(pixel, 2).item() == pytest.approx(3 / 4, abs=0.03)
    assert beyond_nyquist(pixel, 4).item() == pytest.approx(15 / 16, abs=0.03)
    assert beyond_nyquist(plain, 2).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("function", [cka, beyond_nyquist], ids=lambda function: function.__name__)
def test_the_notebook_measures_the_same(function) -> None:
    cells = code_cells(read(next(path for path in CHAPTERS if path.name.startswith("08"))))
    nodes = [node for cell in cells for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
    names: dict = {"torch": torch}
    exec(ast.unparse(next(node for node in nodes if node.name == function.__name__)), names)
    images = torch.rand(5, 3, 7, 7, generator=Generator().manual_seed(0))
    given = (images, images.square()) if function is cka else (images, 4)
    torch.testing.assert_close(torch.as_tensor(names[function.__name__](*given)), torch.as_tensor(function(*given)))
