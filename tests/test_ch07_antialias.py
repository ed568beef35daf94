"""BlurPool equals its kernel and does not mind a shift; the nets with it differ from the others in nothing else."""

import pytest
import torch
import torch.nn.functional as F
from torch import Generator, nn

from cnnlab import load_net
from cnnlab.chapters.ch07_antialias import KINDS, BlurPool, antialiased, digits_net


def test_blur_is_1_2_1() -> None:
    maps = torch.rand(2, 3, 7, 8, generator=Generator().manual_seed(0))
    line = torch.tensor([1.0, 2, 1]) / 4
    kernel = (line[:, None] * line).expand(3, 1, 3, 3)
    for stride in (1, 2):
        wanted = F.conv2d(F.pad(maps, (1, 1, 1, 1), mode="reflect"), kernel, stride=stride, groups=3)
        torch.testing.assert_close(BlurPool(stride)(maps), wanted)


def test_the_mean_does_not_mind_a_shift() -> None:
    maps = torch.zeros(1, 1, 16, 16)
    maps[..., 5:9, 4:11] = torch.rand(4, 7, generator=Generator().manual_seed(0))  # far from the border
    blurred = [BlurPool()(maps.roll(shift, (2, 3))).mean() for shift in ((0, 0), (1, 0), (0, 1), (1, 1))]
    torch.testing.assert_close(torch.stack(blurred), blurred[0].expand(4))
    assert F.max_pool2d(maps, 2).mean() != F.max_pool2d(maps.roll((1, 1), (2, 3)), 2).mean()


def test_squeezenet_keeps_its_weights_and_sizes() -> None:
    net = load_net("squeezenet", device="cpu")
    smooth, image = antialiased(net), torch.rand(1, 3, 96, 96, generator=Generator().manual_seed(0))
    layers = ("relu1", "pool1", "pool3", "pool5", "logits")
    before, after = net.activations(image, layers), smooth.activations(image, layers)
    assert {layer: x.shape for layer, x in before.items()} == {layer: x.shape for layer, x in after.items()}
    assert not torch.allclose(before["logits"], after["logits"])
    weights, others = list(net.model.parameters()), list(smooth.model.parameters())
    assert len(weights) == len(others)
    assert all(map(torch.equal, weights, others))
    constant = torch.full((1, 3, 96, 96), 0.7)  # there is nothing to blur
    torch.testing.assert_close(*(each.activations(constant, ["pool1"])["pool1"] for each in (net, smooth)))


def test_the_kinds_of_digits_nets_have_the_same_weights() -> None:
    chains = {kind: digits_net(kind, Generator().manual_seed(0)) for kind in KINDS}
    first, *others = [list(chain.parameters()) for chain in chains.values()]
    assert all(len(first) == len(other) and all(map(torch.equal, first, other)) for other in others)
    digit = torch.rand(1, 1, 28, 28, generator=Generator().manual_seed(0))
    answers = [chain(digit) for chain in chains.values()]
    assert all(not torch.allclose(answers[0], answer) for answer in answers[1:])
    pools = [chain.pool2(torch.rand(1, 2, 14, 14)).shape[-1] for chain in chains.values()]
    assert pools == [7, 7, 7]
    assert isinstance(chains["plain"].blur, nn.Identity)
    with pytest.raises(ValueError, match="kind must be one of"):
        digits_net("sharp", Generator())
