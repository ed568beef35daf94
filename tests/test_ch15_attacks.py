"""What chapter 15 adds to the attacks: steps of one length, the margin."""

import pytest
import torch
from torch import nn

from cnnlab.chapters.ch15_attacks import margin, pgd_l2, unit
from cnnlab.descent import score
from cnnlab.nets import Net, named
from cnnlab.objectives import cross_entropy


@pytest.fixture
def linear() -> Net:
    logits = nn.Linear(12, 3)
    torch.nn.init.normal_(logits.weight, generator=torch.Generator().manual_seed(0))
    return Net(named(flatten=nn.Flatten(), logits=logits), "abc", device="cpu")


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand((5, 1, 3, 4), generator=torch.Generator().manual_seed(1))


def test_a_step_has_the_length_that_was_asked_for() -> None:
    image = torch.zeros(2, 1, 2, 2, requires_grad=True)

    def evaluate() -> float:
        image.grad = torch.tensor([3.0, 0, 0, 4, 30, 0, 0, 40]).view(2, 1, 2, 2)
        return 0.0

    unit(0.5)(image)(evaluate)
    torch.testing.assert_close(image.detach()[0], image.detach()[1])
    torch.testing.assert_close(image.detach()[0].flatten(), torch.tensor([-0.3, 0, 0, -0.4]))


def test_the_margin_is_below_0_where_the_net_is_wrong(linear: Net, images: torch.Tensor) -> None:
    logits = linear(images)
    top = logits.topk(2)
    torch.testing.assert_close(score(linear, margin(top.indices[:, 0]), images), top.values[:, 0] - top.values[:, 1])
    assert (score(linear, margin(logits.argmin(1)), images) < 0).all()


def test_an_attack_of_a_length_stays_within_it(linear: Net, images: torch.Tensor) -> None:
    labels = linear(images).argmax(1)
    changed = pgd_l2(linear, -cross_entropy(labels), images, 0.4).finish(progress=False)
    length = (changed - images).flatten(1).norm(dim=1)
    assert (length < 0.4 + 1e-5).all()
    assert (length > 0.3).any()
    assert (score(linear, cross_entropy(labels), changed) > score(linear, cross_entropy(labels), images)).all()
