"""Inversion: psi and the weighted codes equal loops and keep their sums; inversion finds an image with the code."""

import pytest
import torch
from torch import nn

from cnnlab.descent import score
from cnnlab.images import gray, noise
from cnnlab.nets import Net, named
from cnnlab.objectives import code
from cnnlab.techniques import inversion


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def activations(batch: int = 2) -> torch.Tensor:
    a = (torch.rand(batch, 5, 4, 6, generator=generator()) - 0.3).clamp(min=0)
    a[:, 4] = 0  # a map that does not fire
    return a


def tiny_net() -> Net:
    torch.manual_seed(3)
    return Net(named(conv1=nn.Conv2d(3, 8, 3, stride=2), relu1=nn.ReLU()), device="cpu")


def test_psi_is_the_loop_over_maps_and_positions():
    a = activations()
    expected = torch.zeros_like(a)
    for image, wanted in enumerate((3, 1)):
        for y in range(4):
            for x in range(6):
                expected[image, wanted, y, x] = sum(a[image, k, y, x] for k in range(5))
    assert torch.allclose(inversion.keep_channel(a, [3, 1]), expected)
    assert torch.allclose(inversion.keep_channel(a, 3)[0], expected[0])
    assert torch.allclose(inversion.keep_channel(a[:1], [1, 3])[1], expected[0])  # one code, several channels
    assert torch.allclose(inversion.keep_channel(a, 2).sum((1, 2, 3)), a.sum((1, 2, 3)))


def test_reweighting_is_the_formula_keeps_the_sum_and_who_is_active():
    a, v = activations(), torch.rand(5, generator=generator(1))
    new = inversion.reweight_channels(a, v)
    for image in range(2):
        alive = v[:4] / v[:4].sum()  # the silent map gets no share: there is nothing to hand it to
        for k in range(4):
            expected = a[image, k] * alive[k] * a[image].sum() / a[image, k].sum()
            assert torch.allclose(new[image, k], expected)
    assert torch.allclose(new.sum((1, 2, 3)), a.sum((1, 2, 3)))
    assert torch.equal(new > 0, a > 0)


def test_reweighting_one_code_with_several_weights_gives_several_codes():
    a, v = activations(1), torch.rand(3, 5, generator=generator(1))
    expected = torch.cat([inversion.reweight_channels(a, each) for each in v])
    assert torch.allclose(inversion.reweight_channels(a, v), expected)


def test_energy_shares_are_those_of_the_squares():
    a = activations()
    shares = inversion.energy_shares(a)
    assert torch.allclose(shares[1, 2], (a[1, 2] ** 2).sum() / (a[1] ** 2).sum())
    assert torch.allclose(shares.sum(1), torch.ones(2))


def test_inversion_comes_near_the_code():
    net, image = tiny_net(), noise((2, 3, 20, 28), generator(), decay=1)
    target, start = net.activations(image, ["relu1"])["relu1"], gray(image.shape)
    found = inversion.invert(net, "relu1", target, start, steps=40, bound=0).finish(progress=False)
    before, after = (score(net, code("relu1", target), x) for x in (start, found))
    assert (after < 0.05 * before).all()


def test_a_texture_gives_its_map_more_of_the_energy():
    net, image = tiny_net(), torch.rand(1, 3, 24, 32, generator=generator())
    before = inversion.energy_shares(net.activations(image, ["relu1"])["relu1"])[0]
    wanted = before.topk(3).indices.tolist()
    grown = inversion.textures(net, image, "relu1", wanted, steps=60).finish(progress=False)
    assert grown.shape == (3, 3, 24, 32)
    after = inversion.energy_shares(net.activations(grown, ["relu1"])["relu1"])[:, wanted]  # picture x map
    assert (after.diag() > 1.1 * before[wanted]).all()
    assert after.argmax(0).tolist() == [0, 1, 2]  # no other map's picture has more of it


def test_a_start_is_the_noise_that_excites_its_map_most():
    net = tiny_net()
    starts = inversion.lively_starts(net, "relu1", [2, 6], (1, 3, 16, 20), generator())
    means = net.activations(starts, ["relu1"])["relu1"].mean((2, 3))
    assert starts.shape == (2, 3, 16, 20)
    assert means[0, 2] >= means[1, 2]
    assert means[1, 6] >= means[0, 6]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: inversion.keep_channel(activations(), 5), "channel must be 0 to 4"),
        (lambda: inversion.keep_channel(activations(), [1, 2, 3]), "3 for 2 images"),
        (
            lambda: inversion.reweight_channels(activations(), torch.ones(4)),
            "weights must be one per channel, 5, not 4",
        ),
        (lambda: inversion.reweight_channels(activations() - 1, torch.ones(5)), "behind its ReLU"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
