"""Incremental occlusion equals running every covered image through the whole net."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab._torchvision import torchvision
from cnnlab.material.photos import photo
from cnnlab.nets import Net
from cnnlab.objectives import Objective, channel, cross_entropy, logit, neuron, total_variation
from cnnlab.techniques import partial
from cnnlab.techniques.occlusion import BATCH, cover, occlusion_map, positions
from cnnlab.techniques.partial import whole
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
    """What the patch does not touch is remembered: a convolution runs whole once, not once for every batch."""
    runs = []
    plain_conv = nn.Conv2d.forward

    def counted(self: nn.Conv2d, x: Tensor) -> Tensor:
        runs.extend([x.shape] * (self.kernel_size == (3, 3)))
        return plain_conv(self, x)

    monkeypatch.setattr(nn.Conv2d, "forward", counted)
    drops = occlusion_map(squeezenet, photo("cat", 128), channel("fire5", 3), patch=8, stride=12, progress=False)
    assert drops.numel() > BATCH
    assert [shape[0] for shape in runs] == [1] * (5 + 5)  # the check of the objective's layers, the clean activations


def calibrated(model: nn.Module, size: int = 64) -> nn.Module:
    """Random weights, BatchNorms that keep the activations near 1, with means, scales and biases of their own."""
    generator = torch.Generator().manual_seed(0)
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
    with torch.no_grad():
        model.train()(torch.rand((6, 3, size, size), generator=generator))
        for norm in norms:
            norm.weight.uniform_(0.5, 1, generator=generator)
            norm.bias.normal_(0, 0.3, generator=generator)
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(0, 0.2, generator=generator)
    return model.eval()


ARCHITECTURES: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "resnet18": (lambda: torchvision.models.resnet18(num_classes=8), "layer1.1.add"),
    "mobilenet_v2": (lambda: torchvision.models.mobilenet_v2(num_classes=8), "features.3.add"),
    "densenet": (lambda: torchvision.models.DenseNet(8, (2, 3, 2), 16, num_classes=8), "features.denseblock1.cat"),
    "googlenet": (
        lambda: torchvision.models.GoogLeNet(num_classes=8, aux_logits=False, init_weights=False), "inception3a.cat"
    ),
    "vision transformer": (
        lambda: torchvision.models.VisionTransformer(64, 16, 2, 2, 32, 64, num_classes=8), "conv_proj"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("model", "early"), ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def test_any_architecture(model: Callable[[], nn.Module], early: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net, image, wholes = Net(calibrated(model()), device="cpu"), torch.rand(1, 3, 64, 64), []
    for objective in (logit(3, net.layers[-1]), channel(early, 1)):
        result = occlusion_map(net, image, objective, patch=10, stride=12, progress=False)
        expected = plain(net, image, objective, 10, 12)
        assert expected.std() > 1e-4 * expected.abs().max()
        assert (result - expected).abs().max() < 1e-5 * expected.abs().max()
    monkeypatch.setattr(partial, "whole", lambda state: wholes.append(state) or whole(state))
    occlusion_map(net, image, channel(early, 1), patch=4, stride=16, progress=False)
    assert len(wholes) == 1  # up to the early layer, only rectangles are computed


def level(x: Tensor) -> Tensor:
    """The mean of each image."""
    return x.mean((1, 2, 3), keepdim=True)


class Forward(nn.Module):
    """A model whose forward is the function, on two convolutions of its own."""

    def __init__(self, function: Callable[[Any, Tensor], Tensor]):
        super().__init__()
        self.function = function
        self.conv, self.same = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.even = nn.Conv2d(4, 4, 2, padding="same")
        self.shift = nn.Parameter(torch.rand(4, 20, 25))  # another number for each position
        self.scale = nn.Parameter(torch.rand(4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, self.conv(x))


class Scaled(nn.Conv2d):
    """A subclass with a forward of its own."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * level(x)


class Opaque(nn.Conv2d):
    """A subclass that runs as one layer, as torch.fx cannot follow its forward."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (2 if x[0, 0, 0, 0] > 0 else 1) * level(x)


def hooked(module: nn.Module, before: bool = False) -> nn.Module:
    if before:
        module.register_forward_pre_hook(lambda module, args: (args[0] * level(args[0]),))
    else:
        module.register_forward_hook(lambda module, args, result: result * level(result))
    return module


def exchanged(module: nn.Module) -> nn.Module:
    module.forward = lambda x: F.conv2d(x, module.weight, padding=1) * level(x)
    return module


TRICKY: dict[str, Callable[[], nn.Module]] = {
    **{
        f"padding_mode {mode}": lambda mode=mode: nn.Conv2d(3, 4, 3, padding=1, padding_mode=mode)
        for mode in ("reflect", "replicate", "circular")
    },
    "a hook": lambda: hooked(nn.Conv2d(3, 4, 3)),
    "a hook before": lambda: hooked(nn.Conv2d(3, 4, 3), before=True),
    "a hook of a ReLU": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), hooked(nn.ReLU())),
    "a subclass": lambda: Scaled(3, 4, 3),
    "a subclass as one layer": lambda: Opaque(3, 4, 3),
    "another forward": lambda: exchanged(nn.Conv2d(3, 4, 3)),
    "a weight that is computed": lambda: nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3, padding=1)),
    "tied weights": lambda: Forward(lambda self, x: self.same(F.relu(self.same(x)))),
    "functions": lambda: Forward(
        lambda self, x: F.avg_pool2d(F.max_pool2d(F.conv2d(x, self.same.weight, padding=2, dilation=2), 3, 2, 1), 2)
    ),
    "a constant for each position": lambda: Forward(lambda self, x: self.same(x + self.shift)),
    "constants": lambda: Forward(lambda self, x: self.same((x - 0.5) * self.scale) / 2),
    "one map and its mean": lambda: Forward(lambda self, x: self.same(x * F.adaptive_avg_pool2d(x, 1))),
    "one map and a part of it": lambda: Forward(lambda self, x: self.same(x) + x[:, :, :1, :1]),
    "a sum with itself": lambda: Forward(lambda self, x: self.same(x + x) * x + 1),
    "branches of two sizes": lambda: Forward(
        lambda self, x: torch.cat([self.same(self.same(x)), x, F.max_pool2d(x, 5, 1, 2)], dim=1)
    ),
    "rows above each other": lambda: Forward(lambda self, x: torch.cat([x, self.same(x)], dim=2)),
    "its own size": lambda: Forward(
        lambda self, x: self.same(x.view(x.shape[0], -1, *self.shift.shape[1:])) / x.size(2)
    ),
    "averages at the border": lambda: nn.Sequential(nn.AvgPool2d(3, 2, 1), nn.AvgPool2d(3, 2, 1, True, False)),
    "averages beyond the border": lambda: nn.AvgPool2d(3, 2, ceil_mode=True),
    "branches that reach to different sides": lambda: Forward(
        lambda self, x: self.same(self.same(x) + self.even(self.even(self.even(x))) + 1)
    ),
    "a column beside each column": lambda: Forward(lambda self, x: self.same(x + F.max_pool2d(x, (1, 25)))),
    "another divisor": lambda: nn.AvgPool2d(3, 2, divisor_override=5),
    "holes": lambda: nn.Sequential(nn.Conv2d(3, 4, 3, padding="same", dilation=3), nn.MaxPool2d(3, 1, 1, dilation=2)),
    "same at both ends": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 4, padding="same"), nn.Conv2d(4, 4, (2, 5), padding="same")
    ),
    "norms": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4), nn.PReLU()),
    "a norm of the batch": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)),
    "not the global mean": lambda: nn.AdaptiveAvgPool2d((1, None)),
    "transposed": lambda: nn.Sequential(
        nn.ConvTranspose2d(3, 4, 3, 2), nn.Conv2d(4, 4, 3), nn.Upsample(scale_factor=2)
    ),
}


@pytest.mark.parametrize("model", TRICKY.values(), ids=TRICKY.keys())
def test_no_short_way_is_wrong(model: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    net, image = Net(nn.Sequential(model()), device="cpu"), torch.rand(1, 3, 20, 25)
    objective = neuron(net.layers[-1], 1, 0, 2) + channel(net.layers[-1], 2)
    result = occlusion_map(net, image, objective, patch=3, stride=4, progress=False)
    expected = plain(net, image, objective, 3, 4)
    assert expected.std() > 0
    assert (result - expected).abs().max() < 1e-5 * expected.abs().max()


def test_images_of_other_types(squeezenet: Net) -> None:
    image = photo("cat", 64)
    expected, result = (
        occlusion_map(squeezenet, form, channel("fire3", 3), patch=16, stride=16, progress=False)
        for form in (image, image[0].permute(1, 2, 0).numpy())
    )
    assert torch.equal(result, expected)
