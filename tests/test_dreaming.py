"""Dreaming: it is its loop by hand, tiles give the gradient of the whole, guides match best, on small nets."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnlab.descent import gradient
from cnnlab.images import resize
from cnnlab.nets import Net, named
from cnnlab.objectives import channel, custom, energy
from cnnlab.steps import normalized, plain
from cnnlab.techniques.dreaming import best_match, dream, in_tiles, soften
from cnnlab.techniques.stages import stage_images, zoom
from cnnlab.transforms import blur, jitter


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(height: int = 40, width: int = 56, batch: int = 1) -> torch.Tensor:
    return 0.2 + 0.6 * torch.rand(batch, 3, height, width, generator=generator())


def tiny_net() -> Net:
    torch.manual_seed(3)
    return Net(named(conv1=nn.Conv2d(3, 8, 3, padding=1), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2)), device="cpu")


def pointwise_net() -> Net:
    """Each position sees itself alone: tiles cannot matter, and the formulas fit into a line."""
    torch.manual_seed(4)
    return Net(named(conv1=nn.Conv2d(3, 5, 1), relu1=nn.ReLU()), device="cpu")


def still(image: torch.Tensor) -> torch.Tensor:
    return image


def test_activations_sent_back_are_the_gradient_of_energy():
    net, image = tiny_net(), picture(batch=2).requires_grad_()
    a = net.activations(image, ["relu1"])["relu1"]
    (by_recipe,) = torch.autograd.grad(a, image, grad_outputs=a.detach())
    assert torch.equal(by_recipe, gradient(net, energy("relu1"), image)[1])


def test_dream_is_the_loop_by_hand():
    net, image = tiny_net(), picture(36, 48)
    added = torch.zeros(1, 3, 18, 24)
    for size in ((18, 24), (36, 48)):
        small = resize(image, size)
        x = (small + F.interpolate(added, size, mode="bicubic")).clamp(0, 1)
        for _ in range(3):
            grad = gradient(net, energy("relu1"), x)[1]
            x = (x + 0.02 * grad / grad.abs().mean()).clamp(0, 1)
        added = x - small
    run = dream(net, -energy("relu1"), image, octaves=2, scale=2, steps=3, step=normalized(0.02), transform=still)
    assert torch.allclose(run.finish(progress=False), x, atol=1e-5)


def test_dream_repeats_and_is_a_run_of_octaves():
    net, image = tiny_net(), picture()
    steps = [
        (s.number, s.total, s.stage, s.ends_stage) for s in dream(net, -energy("relu1"), image, octaves=2, steps=2)
    ]
    assert steps == [(1, 4, 0, False), (2, 4, 0, True), (3, 4, 1, False), (4, 4, 1, True)]
    once, again = (dream(net, -energy("relu1"), image).finish(progress=False) for _ in range(2))
    assert torch.equal(once, again)
    norms = [net.activations(x, ["relu1"])["relu1"].norm() for x in (image, once)]
    assert norms[1] > 1.2 * norms[0]


def test_a_zoom_of_dreams_has_a_frame_for_each_dream():
    net = tiny_net()
    run = zoom(lambda image, _: dream(net, -energy("relu1"), image, octaves=2, steps=1), picture(), frames=3)
    assert len(list(stage_images(run))) == 3


@pytest.mark.parametrize("objective", [-energy("pool1"), -channel("relu1", 2), energy("relu1") - channel("pool1", 1)])
def test_one_tile_is_the_whole(objective):
    net, image = tiny_net(), picture(batch=2)
    value, grad = gradient(net, objective, image)
    tiled_value, tiled_grad = gradient(net, in_tiles(net, objective, tile=64), image)
    assert torch.equal(tiled_grad, grad)
    assert torch.equal(tiled_value, value)


def test_tiles_are_the_gradients_of_the_parts():
    net, image = tiny_net(), picture(70, 40, batch=2)
    value, grad = gradient(net, 3 * in_tiles(net, energy("relu1"), tile=32), image)
    parts = [
        [image[..., y, x] for x in (slice(0, 20), slice(20, 40))] for y in (slice(23), slice(23, 46), slice(46, 70))
    ]
    found = [[gradient(net, energy("relu1"), part) for part in row] for row in parts]
    assert torch.allclose(grad, 3 * torch.cat([torch.cat([g for _, g in row], dim=3) for row in found], dim=2))
    assert torch.allclose(value, 3 * sum(v for row in found for v, _ in row))


def test_tiles_do_not_matter_where_positions_see_themselves_alone():
    net, image = pointwise_net(), picture(70, 90)
    value, grad = gradient(net, energy("relu1"), image)
    tiled_value, tiled_grad = gradient(net, in_tiles(net, energy("relu1"), 32), image)
    assert torch.allclose(tiled_grad, grad, atol=1e-6)
    assert torch.allclose(tiled_value, value, rtol=1e-5)


def test_best_match_is_the_loop_over_positions():
    net, image = pointwise_net(), picture(3, 4, batch=2)
    guide = net.activations(picture(5, 2), ["relu1"])["relu1"]
    a = net.activations(image, ["relu1"])["relu1"].requires_grad_()
    score = best_match("relu1", guide).score(image, {"relu1": a})
    (grad,) = torch.autograd.grad(score.sum(), a)
    for b in range(2):
        expected = 0.0
        for y in range(3):
            for x in range(4):
                products = {(v, u): a[b, :, y, x] @ guide[0, :, v, u] for v in range(5) for u in range(2)}
                v, u = max(products, key=products.get)
                expected += products[v, u]
                assert torch.allclose(grad[b, :, y, x], guide[0, :, v, u])
        assert torch.allclose(score[b], expected)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: in_tiles(tiny_net(), energy("relu1"), 8), "tile must be at least 32, not 8"),
        (lambda: dream(tiny_net(), -energy("fire7"), picture()), "unknown layer 'fire7': this net has conv1"),
        (lambda: dream(tiny_net(), -energy("relu1"), picture(), octaves=0), "octaves must be at least 1"),
        (lambda: dream(tiny_net(), -energy("relu1"), picture(), scale=0.7), "scale must be at least 1"),
        (lambda: dream(tiny_net(), -energy("relu1"), picture(), steps=0), "steps must be at least 1"),
        (lambda: dream(tiny_net(), -energy("relu1"), picture() + 1), r"image must have values in \[0, 1\]"),
        (lambda: best_match("relu1", torch.ones(2, 8, 3, 3)), "guide must be the activations of one image"),
        (
            lambda: gradient(tiny_net(), best_match("relu1", torch.ones(1, 9, 3, 3)), picture()),
            "guide has 9 channels, 'relu1' has 8",
        ),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_two_dreams_with_one_transform_are_equal_and_its_shifts_go_on_from_octave_to_octave():
    shake, net = jitter(9), tiny_net()
    options = {"octaves": 2, "scale": 1.0, "steps": 2}
    once, again = (dream(net, -energy("relu1"), picture(), transform=shake, **options) for _ in range(2))
    assert torch.equal(once.finish(progress=False), again.finish(progress=False))
    seen, counted = [], custom("seen", lambda image, _: seen.append(image.detach()) or image.mean((1, 2, 3)))
    dream(net, counted, picture(), transform=shake, step=plain(0), **options).finish(progress=False)
    expected = map(copy.deepcopy(shake), [picture()] * 4)
    assert all(torch.equal(image, one) for image, one in zip(seen, expected, strict=True))


def test_soften_is_a_gaussian_of_half_a_pixel_squared_and_cyclic():
    dot = torch.zeros(1, 1, 21, 21)
    dot[..., 0, 0] = 1
    row = torch.tensor([1.0, 2, 1]) / 4
    soft = soften(dot).roll((10, 10), (-2, -1))[0, 0]
    assert torch.allclose(soft[9:12, 9:12], torch.outer(row, row))
    assert soft.sum() == 1
    wide = soften(dot, times=8).roll((10, 10), (-2, -1))
    assert torch.allclose(wide, blur(dot.roll((10, 10), (-2, -1)), 2.0), atol=2e-3)
    assert torch.equal(soften(dot, times=0), dot)


def test_soften_sends_the_gradient_back_through_its_own_blur():
    image = torch.rand(2, 3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    for times in (0, 1, 3):
        assert torch.autograd.gradcheck(lambda x, times=times: soften(x, times), image)


def test_soften_refuses_a_negative_number_of_times() -> None:
    with pytest.raises(ValueError, match="times must be at least 0"):
        soften(picture(), times=-1)
