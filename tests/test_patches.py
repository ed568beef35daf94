"""Patches that excite a channel: found where a plain search finds them, at distinct positions, and projected."""

import copy

import pytest
import torch
from torch import nn

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
    chain = copy.deepcopy(net.chain)
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
