"""Attacks: equal to torchattacks and to the formulas, within their balls, and the smallest is smaller than others."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnlab.images import gray
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.nets import Net, named
from cnnlab.objectives import cross_entropy
from cnnlab.techniques import adversarial
from cnnlab.techniques.adversarial import distance_to, fgsm, pgd, sign_noise, smallest
from cnnlab.zoo.load import load_net


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tiny_net() -> Net:
    torch.manual_seed(3)
    chain = named(conv1=nn.Conv2d(3, 8, 3), relu1=nn.ReLU(), flat=nn.Flatten(), logits=nn.Linear(8 * 10 * 14, 5))
    return Net(chain, labels="abcde", device="cpu")


def tiny_images(batch: int = 4) -> torch.Tensor:
    return torch.rand(batch, 3, 12, 16, generator=generator())


def by_formula(
    net: Net, center: torch.Tensor, labels: torch.Tensor, towards: bool, eps: float, rate: float, steps: int,
    start: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """Projected gradient descent, written out with torch alone."""
    image = start.clone()
    for _ in range(steps):
        image.requires_grad_()
        loss = F.cross_entropy(net(image), labels, reduction="sum")
        (grad,) = torch.autograd.grad(loss, image)
        image = image.detach() + (-rate if towards else rate) * grad.sign()
        image = (center + (image - center).clamp(-eps, eps)).clamp(0, 1)
    return image


@pytest.mark.parametrize("towards", [False, True])
def test_fgsm_and_pgd_are_the_formula(towards):
    net, images, labels = tiny_net(), tiny_images(), torch.tensor([1, 0, 4, 2])
    objective = cross_entropy(labels) if towards else -cross_entropy(labels)
    once = fgsm(net, objective, images, eps=0.03)
    assert len(once) == 1
    expected = by_formula(net, images, labels, towards, 0.03, 0.03, 1, images)
    assert (once.finish(progress=False) - expected).abs().max() < 1e-6
    expected = by_formula(net, images, labels, towards, 0.05, 0.02, 7, images)
    found = pgd(net, objective, images, eps=0.05, rate=0.02, steps=7).finish(progress=False)
    assert (found - expected).abs().max() < 1e-6
    offset = torch.empty(images.shape).uniform_(-0.05, 0.05, generator=generator(1))
    expected = by_formula(net, images, labels, towards, 0.05, 0.02, 7, (images + offset).clamp(0, 1))
    found = pgd(net, objective, images, eps=0.05, rate=0.02, steps=7, generator=generator(1)).finish(progress=False)
    assert (found - expected).abs().max() < 1e-6


@pytest.mark.parametrize("which", ["tiny", "squeezenet"])
def test_the_same_images_as_torchattacks(which):
    torchattacks = pytest.importorskip("torchattacks")  # pins an old requests: installed by itself, without its pins
    if which == "tiny":
        net, images = tiny_net(), tiny_images()
    else:
        net = load_net("squeezenet", device="cpu")
        images = torch.cat([photo(name, 128) for name in PHOTOS[3:7]])
    labels = net(images).argmax(1)
    targets = (labels + 1) % len(net.labels or ())
    eps, rate, steps = 8 / 255, 2 / 255, 10

    theirs = torchattacks.FGSM(net, eps=eps)(images, labels)
    ours = fgsm(net, -cross_entropy(labels), images, eps).finish(progress=False)
    assert (ours - theirs).abs().max() < 1e-6

    attack = torchattacks.PGD(net, eps=eps, alpha=rate, steps=steps, random_start=True)
    torch.manual_seed(7)
    theirs = attack(images, labels)
    ours = pgd(net, -cross_entropy(labels), images, eps, rate, steps, generator(7)).finish(progress=False)
    assert (ours - theirs).abs().max() < 1e-6

    attack.set_mode_targeted_by_label(quiet=True)
    torch.manual_seed(8)
    theirs = attack(images, targets)
    ours = pgd(net, cross_entropy(targets), images, eps, rate, steps, generator(8)).finish(progress=False)
    assert (ours - theirs).abs().max() < 1e-6
    assert (ours - images).abs().max() > eps / 2  # something was compared


def test_attacks_stay_in_the_ball_and_in_the_box_and_work():
    net, images = tiny_net(), tiny_images(16)
    labels = net(images).argmax(1)
    attacked = pgd(net, -cross_entropy(labels), images, 0.1, 0.03, 10, generator()).finish(progress=False)
    assert (attacked - images).abs().max() <= 0.1 + 1e-6
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    noisy = sign_noise(images, 0.1, generator())
    assert torch.isclose((noisy - images).abs().amax(), torch.tensor(0.1))
    changed = [(net(x).argmax(1) != labels).float().mean().item() for x in (attacked, noisy)]
    assert changed[0] > 0.9
    assert changed[1] < changed[0]


def test_pgd_crosses_the_ball_by_default_and_takes_a_transform():
    net, images, away = tiny_net(), tiny_images(), -cross_entropy(torch.tensor([1, 0, 4, 2]))
    given = pgd(net, away, images, 0.04, 2.5 * 0.04 / 8, 8).finish(progress=False)
    assert torch.equal(pgd(net, away, images, 0.04, steps=8).finish(progress=False), given)
    mirrored = pgd(net, away, images, 0.04, steps=8, transform=lambda image: image.flip(3)).finish(progress=False)
    by_hand = pgd(net, away, images.flip(3), 0.04, steps=8).finish(progress=False).flip(3)
    assert torch.equal(mirrored, by_hand)


def test_noise_has_random_signs_and_one_size_or_one_per_pixel():
    image, sizes = gray((2, 3, 12, 16)), torch.rand(2, 3, 12, 16, generator=generator()) / 4
    same, own = sign_noise(image, 0.25, generator(5)) - image, sign_noise(image, sizes, generator(5)) - image
    assert set(same.flatten().tolist()) == {-0.25, 0.25}
    assert torch.allclose(own, sizes * same.sign(), atol=1e-6)


def test_the_distance_has_a_price_of_its_own_for_each_image():
    images, price = tiny_images(3), torch.tensor([0.0, 1.0, 5.0])
    moved = images + 0.5
    expected = price * 0.25 * images[0].numel()
    assert torch.allclose(distance_to(images, price).score(moved, {}), expected)


def test_the_smallest_perturbation_of_a_linear_net_is_the_distance_to_its_boundary(monkeypatch):
    monkeypatch.setattr(adversarial, "ROUNDS", 12)  # closer than the 7 of the course
    weights = torch.randn(3 * 4 * 6, generator=generator())
    linear = nn.Linear(3 * 4 * 6, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.stack([torch.zeros_like(weights), weights]))
        linear.bias.zero_()
    net = Net(named(flat=nn.Flatten(), logits=linear), device="cpu")
    images = 0.5 + 0.05 * torch.randn(6, 3, 4, 6, generator=generator(2))
    offset = (-1.0 - images.flatten(1) @ weights) / weights.square().sum()  # put every score at -1
    images = images + (offset[:, None] * weights).view(6, 3, 4, 6)
    run = smallest(net, images, 1)
    found = run.finish(progress=False)
    assert (net(found).argmax(1) == 1).all()
    length = (found - images).flatten(1).norm(dim=1)
    distance = 1 / weights.norm()
    assert (length >= distance - 1e-5).all()
    assert (length < 1.1 * distance).all()
    assert len(run.values) == len(run)
    assert run.last.stage == 11


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fgsm(tiny_net(), cross_entropy(1), tiny_images(), eps=-1), r"eps must be in \[0, 1\]"),
        (lambda: pgd(tiny_net(), cross_entropy(1), tiny_images(), eps=-1), r"eps must be in \[0, 1\]"),
        (lambda: fgsm(tiny_net(), cross_entropy(1), tiny_images(), eps=8), "not 8; did you mean 8/255"),
        (lambda: pgd(tiny_net(), cross_entropy(1), tiny_images(), eps=float("nan")), r"eps must be in \[0, 1\]"),
        (lambda: pgd(tiny_net(), cross_entropy(1), tiny_images(), eps=0.1, steps=0), "steps must be at least 1"),
        (lambda: sign_noise(tiny_images(), 2, torch.Generator()), r"eps must be in \[0, 1\], as pixels are, not 2"),
        (
            lambda: sign_noise(tiny_images(), torch.full((3, 3, 12, 16), 0.1), torch.Generator()),
            "eps must be a number, or",
        ),
        (lambda: smallest(tiny_net(), tiny_images(), 1.0), "target must be a whole number"),
        (lambda: pgd(tiny_net(), cross_entropy(1), tiny_images() + 1, eps=0.1), r"image must have values in \[0, 1\]"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_the_target_may_be_a_label() -> None:
    net, images = tiny_net(), tiny_images(1)
    assert torch.equal(
        smallest(net, images, "b").finish(progress=False), smallest(net, images, 1).finish(progress=False)
    )
    with pytest.raises(ValueError, match="unknown label 'bb'"):
        smallest(net, images, "bb")
