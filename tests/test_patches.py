"""Patches that excite a channel: found where a plain search finds them, at distinct positions, and projected."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab._torchvision import torchvision
from cnnlab.descent import gradient
from cnnlab.material.photos import photo
from cnnlab.nets import Net, named
from cnnlab.objectives import neuron
from cnnlab.techniques.patches import BATCH, COUNT, Scan, cut_crops, project, receptive_field, scan, strongest_patches
from cnnlab.techniques.relu_rules import deconvnet, with_relu_rule
from cnnlab.zoo.load import load_net


@pytest.fixture(scope="module")
def net() -> Net:
    return load_net("squeezenet", device="cpu")


@pytest.fixture(scope="module")
def activity(net: Net) -> Scan:
    crops = cut_crops({name: photo(name, (96, 140)) for name in ("cat", "china", "coffee")}, sides=(96, 128), size=96)
    assert len(crops) > BATCH
    return scan(net, crops, ["pool1", "fire3", "fire5"], progress=False)


def test_crops_cover_the_photograph_at_every_size() -> None:
    image = torch.rand(1, 3, 100, 150)
    crops = cut_crops({"noise": image}, sides=(64, 100), size=64)
    assert {crop.extent for crop in crops} == {1.0, 0.64}
    seen = torch.zeros(100, 150)
    for crop in crops:
        if crop.extent == 0.64:  # not resized: cut out as it is
            top, left = round(crop.top * 100), round(crop.left * 100)
            seen[top : top + 64, left : left + 64] = 1
            assert torch.equal(crop.image, image[..., top : top + 64, left : left + 64])
    assert seen.min() == 1


def test_scan_finds_the_maxima(net: Net, activity: Scan) -> None:
    for number in (0, len(activity.crops) - 1):
        maps = net.activations(activity.crops[number].image, ["fire3"])["fire3"][0]  # (128, h, w)
        assert torch.allclose(activity.values["fire3"][number], maps.amax(dim=(1, 2)), atol=1e-3)
        y, x = activity.positions["fire3"][number, 7].tolist()
        assert maps[7, y, x] == pytest.approx(maps[7].max().item(), abs=1e-3)


@pytest.mark.parametrize("layer", ["pool1", "fire3", "fire5"])
def test_patches_are_the_strongest_at_distinct_positions(activity: Scan, layer: str) -> None:
    patches = strongest_patches(activity, layer, 12)
    values = [patch.value for patch in patches]
    assert 1 < len(values) <= COUNT
    assert values == sorted(values, reverse=True)
    assert values[0] == activity.values[layer][:, 12].max()
    assert all(a.overlap(b) <= 0.2 for a in patches for b in patches if a is not b)
    assert all(patch.image.shape == (1, 3, patch.size, patch.size) for patch in patches)


def test_a_patch_overlaps_itself_wholly_and_another_photograph_not(activity: Scan) -> None:
    a, *others = strongest_patches(activity, "fire3", 9, max_overlap=1.0)
    assert a.overlap(a) == pytest.approx(1)
    assert {a.overlap(b) for b in others if b.crop.source != a.crop.source} == {0.0}


@pytest.mark.parametrize("layer", ["conv1", "pool1", "fire3", "pool3", "fire5", "fire7"])
def test_the_receptive_field_is_what_a_gradient_reaches(net: Net, layer: str) -> None:
    chain = copy.deepcopy(net.model)
    for name in ("pool1", "pool3", "pool5"):  # averages reach all of their windows
        chain.set_submodule(name, nn.AvgPool2d(3, 2, ceil_mode=True))
    averaging = Net(chain, device="cpu")
    image = torch.rand((1, 3, 224, 224), generator=torch.Generator().manual_seed(0))
    last = net.activations(image, [layer])[layer].shape[1] - 1  # in a fire module a channel of 3 x 3 filters
    all_pass = with_relu_rule(averaging, lambda grad, x: grad.abs())  # no ReLU is closed, nothing cancels
    _, grad = gradient(all_pass, neuron(layer, last, 6, 7), image)
    size, step, start = receptive_field(net, layer)
    for direction, position in ((3, 6), (2, 7)):
        seen = grad.abs().sum(dim=(0, 1, direction)).nonzero()[:, 0].tolist()
        first = start + step * position
        assert seen == [pixel for pixel in range(first, first + size) if 0 <= pixel < 224]


conv = nn.Conv2d


class Functional(nn.Module):
    """Functions only, and one convolution that runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.avg_pool2d(F.relu(self.conv(x)), 3, 2, ceil_mode=True)
        return F.conv2d(self.conv(x) * 2, self.conv.weight, padding="same", dilation=2)


class Block(nn.Module):
    """Branches that are added or concatenated."""

    def __init__(self, *branches: nn.Module, joins: Callable[[list[Tensor]], Tensor]):
        super().__init__()
        self.branches, self.joins = nn.ModuleList(branches), joins

    def forward(self, x: Tensor) -> Tensor:
        return self.joins([branch(x) for branch in self.branches])


class ChannelsLast(nn.Module):
    """As in ConvNeXt: layer normalization and dense layers over the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.dense = conv(3, 4, 7, padding=3), nn.LayerNorm(4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = F.gelu(self.dense(self.norm(self.conv(x).permute(0, 2, 3, 1))))
        return x + torch.permute(y, (0, 3, 1, 2))


class Standardized(nn.Conv2d):
    """A convolution with a forward of its own: it is followed inside."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight / self.weight.sum(), None, 3, 2)  # not the stride and the padding of the module


def added(maps: list[Tensor]) -> Tensor:
    return maps[0] + maps[1]


def concatenated(maps: list[Tensor]) -> Tensor:
    return torch.cat(maps, dim=1)


NETS: dict[str, Callable[[], nn.Module]] = {
    "dilation": lambda: nn.Sequential(conv(3, 4, 3, dilation=2), conv(4, 4, 3, stride=2, dilation=3, padding=2)),
    "same": lambda: nn.Sequential(conv(3, 4, 4, padding="same"), conv(4, 4, 2, dilation=3, padding="same")),
    "valid": lambda: nn.Sequential(conv(3, 4, 5, padding="valid", stride=2), conv(4, 4, 3, padding="same", dilation=2)),
    "depthwise": lambda: nn.Sequential(conv(3, 3, 5, stride=2, padding=2, groups=3), conv(3, 4, 1), nn.BatchNorm2d(4)),
    "a stride larger than the kernel": lambda: nn.Sequential(conv(3, 4, 2, stride=3), conv(4, 4, 3)),
    "pooling": lambda: nn.Sequential(nn.AvgPool2d(3, 2, ceil_mode=True), conv(3, 4, 3), nn.AvgPool2d(2, padding=1)),
    "functions": Functional,
    "residual": lambda: nn.Sequential(
        conv(3, 4, 3), Block(nn.Sequential(conv(4, 4, 3, stride=2, padding=1), nn.ReLU(), conv(4, 4, 3, padding=1)),
                             conv(4, 4, 1, stride=2), joins=added)
    ),
    "inception": lambda: nn.Sequential(
        conv(3, 4, 3, stride=2),
        Block(conv(4, 2, 1), conv(4, 2, 3, padding=1), conv(4, 2, 5, padding=2), nn.AvgPool2d(3, 1, 1),
              joins=concatenated),
    ),
    "branches that see different sides": lambda: Block(
        nn.Sequential(conv(3, 4, 3, padding="same"), conv(4, 4, 4, padding="same")), conv(3, 4, 2, padding="same"),
        joins=added,
    ),
    "channels last": ChannelsLast,
    "a subclass": lambda: nn.Sequential(Standardized(3, 3, 5), nn.Dropout()),
}  # fmt: skip


@pytest.mark.parametrize("model", NETS.values(), ids=NETS.keys())
def test_the_receptive_field_in_any_net_is_what_a_gradient_reaches(model: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    net = Net(model(), device="cpu")
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.abs_()  # nothing cancels, no ReLU is closed
    layer = net.layers[-1]
    channels = net.activations(image := torch.rand(1, 3, 60, 64), [layer])[layer].shape[1]
    size, step, start = receptive_field(net, layer)
    y, x = 20 // step, 30 // step
    seen = sum(gradient(net, neuron(layer, number, y, x), image)[1].abs().sum(dim=(0, 1)) for number in range(channels))
    assert isinstance(seen, Tensor)
    for direction, position in ((1, y), (0, x)):
        pixels = seen.sum(dim=direction).nonzero()[:, 0].tolist()
        first = start + step * position
        assert (pixels[0], pixels[-1]) == (first, first + size - 1)


def test_max_pooling_sees_what_average_pooling_sees() -> None:
    for options in ({"kernel_size": 3, "stride": 2}, {"kernel_size": 2, "padding": 1, "ceil_mode": True}):
        nets = [
            Net(nn.Sequential(nn.Conv2d(3, 2, 3), pool(**options)), device="cpu")
            for pool in (nn.MaxPool2d, nn.AvgPool2d)
        ]
        nets += [Net(FunctionalPool(options), device="cpu")]
        assert len({receptive_field(net, net.layers[-1]) for net in nets}) == 1
    holes = Net(nn.Sequential(nn.MaxPool2d(3, 2, dilation=2)), device="cpu")
    assert receptive_field(holes, "0") == (5, 2, 0)


class FunctionalPool(nn.Module):
    def __init__(self, options: dict[str, Any]):
        super().__init__()
        self.conv, self.options = nn.Conv2d(3, 2, 3), options

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(self.conv(x), **self.options)


class SqueezeExcite(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * x.mean((2, 3), keepdim=True)


class Untraceable(nn.Conv2d):
    """A subclass whose forward depends on values, so nobody knows what it sees."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.sum() > 0 else x


def hooked(module: nn.Module) -> nn.Module:
    module.register_forward_hook(lambda module, args, result: result - result.mean())
    return module


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Sequential(nn.AdaptiveAvgPool2d(1)), "sees the whole image, as it stands behind AdaptiveAvgPool2d"),
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), "sees the whole image, as it stands behind Flatten"),
        (nn.Sequential(SqueezeExcite()), "sees the whole image, as it stands behind mean"),
        (nn.Sequential(nn.GroupNorm(1, 3)), "sees the whole image, as it stands behind GroupNorm"),
        (nn.Sequential(nn.LayerNorm([3, 8, 8])), "sees the whole image, as it stands behind LayerNorm"),
        (nn.Sequential(nn.ConvTranspose2d(3, 2, 2)), "stands behind ConvTranspose2d, whose receptive field is unknown"),
        (nn.Sequential(nn.Upsample(scale_factor=2)), "stands behind Upsample, whose receptive field is unknown"),
        (nn.Sequential(Untraceable(3, 3, 1)), "stands behind Untraceable, whose receptive field is unknown"),
        (nn.Sequential(hooked(nn.Conv2d(3, 3, 1))), "stands behind Conv2d, whose receptive field is unknown"),
        (nn.Sequential(nn.Conv2d(3, 3, 3, padding=1, padding_mode="circular")), "stands behind Conv2d, whose"),
        (nn.Sequential(nn.Conv2d(3, 3, (3, 1))), r"sees no squares.*\(3, 1, 0\) for rows, \(1, 1, 0\) for columns"),
        (nn.Sequential(nn.Conv2d(3, 3, 1, (1, 2))), "sees no squares"),
        (Block(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1, 2), joins=added), "joins branches with different steps"),
    ],
)
def test_what_has_no_receptive_field_is_refused_in_words(model: nn.Module, message: str) -> None:
    net = Net(model, device="cpu")
    with pytest.raises(ValueError, match=f"layer '{net.layers[-1]}' {message}"):
        receptive_field(net, net.layers[-1])
    with pytest.raises(ValueError, match="unknown layer 'conv9'"):
        receptive_field(net, "conv9")


@pytest.mark.parametrize(
    ("name", "layer"),
    [("resnet18", "layer2.0.relu_1"), ("mobilenet_v2", "features.4.conv.2"), ("mobilenet_v2", "late")],
)
def test_any_net_is_scanned_and_projected(name: str, layer: str) -> None:
    torch.manual_seed(0)
    net = Net(getattr(torchvision.models, name)(), device="cpu")
    layer = "features.18.0" if layer == "late" else layer
    crops = cut_crops({"cat": photo("cat", (64, 96)), "coffee": photo("coffee", (64, 64))}, sides=(64,), size=64)
    scanned = scan(net, crops, [layer], progress=False)
    whole = torch.cat([net.activations(crop.image, [layer])[layer] for crop in crops])  # (N, channels, h, w)
    channel = int((whole.amax(dim=(2, 3)) > 0).sum(dim=0).argmax())
    patches = strongest_patches(scanned, layer, channel, max_overlap=1.0)
    assert patches
    size, step, start = receptive_field(net, layer)
    for patch in patches:
        maps = net.activations(patch.crop.image, [layer])[layer][0, channel]
        assert maps[patch.y, patch.x] == pytest.approx(maps.max().item(), rel=1e-4)
        assert patch.size == min(size, 64)
        assert patch.top == min(max(start + step * patch.y, 0), 64 - patch.size)
    view = net if name == "mobilenet_v2" else deconvnet(net)
    for patch, projection in zip(patches, project(view, layer, channel, patches), strict=True):
        _, grad = gradient(view, neuron(layer, channel, patch.y, patch.x), patch.crop.image)
        assert torch.allclose(projection, patch.cut(grad), atol=1e-4 * grad.abs().max().item())
        outside = grad.clone()
        outside[..., max(start + step * patch.y, 0) : start + step * patch.y + size, :] = 0
        assert not outside.any()


def test_where_a_neuron_sees_all_the_patch_is_the_whole_crop() -> None:
    net = Net(nn.Sequential(nn.Conv2d(3, 4, 3), SqueezeExcite()), device="cpu")
    crops = cut_crops({"cat": photo("cat", (64, 96))}, sides=(64,), size=64)
    layer = net.layers[-1]
    for number in range(4):
        for patch in strongest_patches(scan(net, crops, [layer], progress=False), layer, number):
            assert (patch.top, patch.left, patch.size) == (0, 0, 64)


@pytest.mark.parametrize(("layer", "size"), [("block2_1", 64), ("block3_2", 224), ("block5_1", 224)])
def test_the_receptive_field_of_efficientnet(layer: str, size: int) -> None:
    """Its paddings depend on the size of the image; they are right where the strides divide it."""
    net = load_net("efficientnet_lite0", device="cpu")
    field, step, start = receptive_field(net, layer)
    _, grad = gradient(net, neuron(layer, 0, 8, 8), torch.rand(1, 3, size, size))
    rows = grad.abs().sum(dim=(0, 1, 3)).nonzero()[:, 0].tolist()
    first = start + 8 * step
    assert rows == [row for row in range(first, first + field) if 0 <= row < size]


def test_projections_are_single_gradients_cut_to_the_patch(net: Net, activity: Scan) -> None:
    patches = strongest_patches(activity, "fire3", 9)[:3]
    view = deconvnet(net)
    for patch, projection in zip(patches, project(view, "fire3", 9, patches), strict=True):
        value, grad = gradient(view, neuron("fire3", 9, patch.y, patch.x), patch.crop.image)
        assert value.item() == pytest.approx(patch.value, rel=1e-4)
        assert torch.allclose(projection, patch.cut(grad), atol=1e-3 * grad.abs().max().item())


def test_errors_name_what_is_wrong(net: Net, activity: Scan) -> None:
    with pytest.raises(ValueError, match="'fire9' was not scanned: there are pool1, fire3, fire5"):
        strongest_patches(activity, "fire9", 0)
    with pytest.raises(ValueError, match="channel 64 is not in 'pool1': 0 to 63"):
        strongest_patches(activity, "pool1", 64)
    with pytest.raises(ValueError, match="sides must be at least size = 224 pixels, not 100"):
        cut_crops({}, sides=(100,))
    flat = Net(named(flat=nn.Flatten()), device="cpu")
    with pytest.raises(ValueError, match="'flat' has no feature maps"):
        scan(flat, activity.crops[:1], ["flat"], progress=False)
