"""Attribution against captum and against explicit formulas."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor, nn

from cnnlab.nets import Net, named
from cnnlab.objectives import Objective, channel, custom, logit
from cnnlab.techniques.attribution import deletion, grad_cam, integrated_gradients, rise, saliency, smooth_grad


@pytest.fixture
def net() -> Net:
    chain = named(
        conv1=nn.Conv2d(3, 6, 3, padding=1), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(6, 8, 3, padding=1), relu2=nn.ReLU(), flatten=nn.Flatten(), logits=nn.Linear(8 * 6 * 8, 5),
    )  # fmt: skip
    generator = Generator().manual_seed(0)
    for parameter in chain.parameters():
        nn.init.normal_(parameter, std=0.3, generator=generator)
    return Net(chain, device="cpu")


@pytest.fixture
def images() -> Tensor:
    return torch.rand((3, 3, 12, 16), generator=Generator().manual_seed(1))


def probability(k: int) -> Objective:
    return custom(f"p({k})", lambda _, a: a["logits"].softmax(1)[:, k], "logits")


def test_saliency_and_integrated_gradients_and_grad_cam_are_captums(net: Net, images: Tensor) -> None:
    attr = pytest.importorskip("captum.attr")
    theirs = attr.Saliency(net).attribute(images, target=2)
    assert torch.allclose(saliency(net, logit(2), images), theirs.amax(1), atol=1e-4)
    theirs = attr.IntegratedGradients(net).attribute(images, 0 * images, 2, n_steps=20, method="riemann_middle")
    assert torch.allclose(integrated_gradients(net, logit(2), images, steps=20), theirs, atol=1e-4)
    theirs = attr.LayerGradCam(net, net.model.relu2).attribute(images, target=2, relu_attributions=True)
    assert torch.allclose(grad_cam(net, logit(2), images, "relu2"), theirs[:, 0], atol=1e-4)


def test_smooth_grad_is_captums_with_the_same_noise(net: Net, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    attr = pytest.importorskip("captum.attr")
    ours = smooth_grad(net, logit(2), images, Generator().manual_seed(5), std=0.2, samples=4)
    generator = Generator().manual_seed(5)
    noise = torch.stack([0.2 * torch.randn(images.shape, generator=generator) for _ in range(4)])  # (4, 3, 3, 12, 16)
    monkeypatch.setattr(torch, "normal", lambda mean, std: noise.transpose(0, 1).flatten(0, 1))
    tunnel = attr.NoiseTunnel(attr.Saliency(net.model))  # a Net takes no values outside [0, 1]
    theirs = tunnel.attribute(images, nt_type="smoothgrad", nt_samples=4, stdevs=0.2, target=2, abs=False)
    assert torch.allclose(ours, theirs.abs().amax(1), atol=1e-4)


def test_integrated_gradients_are_complete(net: Net, images: Tensor) -> None:
    baseline = torch.full((1, 3, 12, 16), 0.5)
    parts = integrated_gradients(net, logit(1), images, baseline=baseline, steps=300)
    with torch.no_grad():
        whole = net(images)[:, 1] - net(baseline)[:, 1]
    assert torch.allclose(parts.sum((1, 2, 3)), whole, atol=0.01 * whole.abs().max().item())


def test_smooth_grad_without_noise_is_saliency(net: Net, images: Tensor) -> None:
    smooth = smooth_grad(net, logit(0), images, Generator().manual_seed(0), std=0, samples=2)
    assert torch.allclose(smooth, saliency(net, logit(0), images), atol=1e-6)


def test_rise_finds_the_pixels_that_count(images: Tensor) -> None:
    weights = torch.zeros(1, 3, 12, 16)
    weights[..., 3:6, 9:12] = 1
    chain = named(pick=nn.Conv2d(3, 1, (12, 16), bias=False), logits=nn.Flatten())
    with torch.no_grad():
        chain.pick.weight.copy_(weights)
    heat = rise(Net(chain, device="cpu"), logit(0), images[:1], Generator().manual_seed(0), masks=2000, grid=4)
    inside = torch.zeros(12, 16, dtype=torch.bool)
    inside[3:6, 9:12] = True
    assert heat.shape == (12, 16)
    assert heat[inside].min() > heat[~inside].quantile(0.9)


def test_rise_is_the_formula(net: Net, images: Tensor) -> None:
    """Without a choice of cells there is one mask, 1 everywhere: the mean of it is f(x) / keep."""
    heat = rise(net, probability(2), images[:1], Generator().manual_seed(0), masks=30, grid=2, keep=1 - 1e-12)
    with torch.no_grad():
        p = net.probabilities(images[:1])[0, 2]
    assert torch.allclose(heat, p.expand(12, 16), atol=1e-5)


def test_deletion_replaces_the_hottest_pixels_first(net: Net, images: Tensor) -> None:
    image, background = images[:1], images[1:2]
    heat = torch.rand((12, 16), generator=Generator().manual_seed(3))
    curve = deletion(net, probability(1), image, heat, background, steps=4)
    for step, value in enumerate(curve):
        threshold = heat.flatten().sort(descending=True).values[step * 48 - 1] if step else torch.inf
        mixed = torch.where(heat >= threshold, background, image)
        assert torch.allclose(value, net.probabilities(mixed)[0, 1], atol=1e-5)
    insertion = deletion(net, probability(1), background, heat, image, steps=4)
    assert torch.allclose(insertion[0], curve[-1], atol=1e-6)
    assert torch.allclose(insertion[-1], curve[0], atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net, x: grad_cam(net, logit(1), x, "logits"), "no positions"),
        (lambda net, x: grad_cam(net, channel("relu1", 1), x, "conv2"), "does not depend"),
        (lambda net, x: grad_cam(net, logit(1), x, "fire9"), "unknown layer"),
        (lambda net, x: integrated_gradients(net, logit(1), x, baseline=x[:2]), "baseline"),
        (lambda net, x: integrated_gradients(net, logit(1), x, steps=0), "steps"),
        (lambda net, x: smooth_grad(net, logit(1), x, Generator(), std=-1), "std"),
        (lambda net, x: smooth_grad(net, logit(1), x, Generator(), samples=0), "samples"),
        (lambda net, x: rise(net, logit(1), x, Generator()), "single"),
        (lambda net, x: rise(net, logit(1), x[:1], Generator(), keep=1), "keep"),
        (lambda net, x: rise(net, logit(1), x[:1], Generator(), grid=1), "grid"),
        (lambda net, x: deletion(net, logit(1), x[:1], x[0, 0, 1:], x[:1]), "heat"),
        (lambda net, x: deletion(net, logit(1), x, x[0, 0], x), "heat"),
        (lambda net, x: saliency(net, logit(9), x), "class 9"),
    ],
)
def test_bad_input_is_named(net: Net, images: Tensor, call: Callable[[Net, Tensor], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(net, images)
