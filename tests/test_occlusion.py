"""Incremental occlusion equals running every covered image through the whole net."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cnnlab.material.photos import photo
from cnnlab.nets import Net
from cnnlab.objectives import Objective, channel, cross_entropy, logit, neuron, total_variation
from cnnlab.techniques.occlusion import BATCH, cover, occlusion_map, positions
from cnnlab.zoo.load import load_net


def plain(net: Net, image: Tensor, objective: Objective, patch: int, stride: int, fill: float = 0.5) -> Tensor:
    rows, columns = positions(image, patch, stride)
    covered = torch.cat([cover(image, top, left, patch, fill) for top in rows for left in columns])
    with torch.no_grad():
        return objective.score(covered, net.activations(covered, objective.layers)).view(len(rows), len(columns))


@pytest.fixture(scope="module")
def squeezenet() -> Net:
    return load_net("squeezenet", device="cpu")


@pytest.mark.parametrize(
    "objective", [cross_entropy(285), channel("fire5", 3) + 0.1 * neuron("pool3", 5), neuron("fire8", 7, 2, 3)], ids=str
)
def test_squeezenet(squeezenet: Net, objective: Objective) -> None:
    image = photo("cat", (112, 130))
    result = occlusion_map(squeezenet, image, objective, patch=24, stride=20, fill=0.2, progress=False)
    expected = plain(squeezenet, image, objective, 24, 20, fill=0.2)
    assert result.shape == expected.shape == (5, 6)
    assert expected.std() > 0
    assert (result - expected).abs().max() < 1e-4


CHAINS: dict[str, Callable[[], nn.Sequential]] = {
    "strides and paddings": lambda: nn.Sequential(
        nn.Conv2d(3, 4, (5, 3), stride=(3, 2), padding=(1, 2)), nn.BatchNorm2d(4), nn.ReLU(),
        nn.Conv2d(4, 6, 2, stride=3),
    ),
    "a stride larger than the kernel": lambda: nn.Sequential(nn.Conv2d(3, 4, 1, stride=3), nn.MaxPool2d(2, padding=1)),
    "pools": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.MaxPool2d(3, 2, padding=1, ceil_mode=True), nn.AvgPool2d(2), nn.Conv2d(4, 4, 3, groups=2)
    ),
    "global pooling": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(3, 2), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(4, 6)
    ),
    "what it knows no short way through": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=2, dilation=2), nn.AvgPool2d(3, 2, padding=1), nn.Conv2d(4, 4, 3, padding="same"),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 6),
    ),
}  # fmt: skip


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS.keys())
@pytest.mark.parametrize(("patch", "stride"), [(1, 9), (7, 5), (30, 1)])
def test_any_chain(chain: Callable[[], nn.Sequential], patch: int, stride: int) -> None:
    torch.manual_seed(0)
    net = Net(chain(), device="cpu")
    image = torch.rand(1, 3, 30, 37)
    last = net.layers[-1]
    for target in (logit(0, last), logit(3, last)) if "5" in net.layers else (neuron(last, 1), channel(last, 3)):
        result = occlusion_map(net, image, target, patch=patch, stride=stride, progress=False)
        assert torch.allclose(result, plain(net, image, target, patch, stride), atol=1e-5)


def test_bad_input_is_named(squeezenet: Net) -> None:
    image = photo("cat", 64)
    with pytest.raises(ValueError, match="image must be a single one"):
        occlusion_map(squeezenet, image.repeat(2, 1, 1, 1), logit(1))
    with pytest.raises(ValueError, match="objective must be of layers only"):
        occlusion_map(squeezenet, image, logit(1) + total_variation())
    with pytest.raises(ValueError, match="patch must be 1 to 64 pixels"):
        occlusion_map(squeezenet, image, logit(1), patch=65)
    with pytest.raises(ValueError, match="stride must be at least 1 pixel"):
        occlusion_map(squeezenet, image, logit(1), stride=0)
    with pytest.raises(ValueError, match="unknown layer 'fire99'"):
        occlusion_map(squeezenet, image, channel("fire99", 1))


def test_the_clean_image_runs_once(squeezenet: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the patch does not touch is remembered: fire modules run whole once, not once for every batch."""
    runs = []
    fire = type(squeezenet.chain.fire4)
    whole = fire.forward
    monkeypatch.setattr(fire, "forward", lambda self, x: (runs.append(len(x)), whole(self, x))[1])
    drops = occlusion_map(squeezenet, photo("cat", 64), channel("fire5", 3), patch=16, stride=8, progress=False)
    assert drops.numel() > BATCH
    assert runs == [1] * (4 + 4)  # four modules: the check of the objective's layers, and the clean activations
