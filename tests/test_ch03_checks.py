"""The checks of chapter 03 name likely mistakes, and accept the right answer in float64."""

from collections.abc import Callable

import pytest
import torch
from answers import assert_says
from torch import Tensor

from cnnlab.chapters import ch03_checks as checks


def climbed(
    score: Callable, image: Tensor, rate: float, steps: int, decay: float, every: bool = True, high: float = 1.0
) -> Tensor:
    for _ in range(steps):
        start = image.clone().requires_grad_()
        image = (1 - decay) * image + rate * torch.autograd.grad(score(start).sum(), start)[0]
        image = image.clamp(0, high) if every else image
    return image.clamp(0, high)


def with_zero(logits: Tensor, k: int) -> Tensor:
    others = logits.clone()
    others[:, k] = 0
    return logits[:, k] - others.amax(1)


def others(logits: Tensor, k: int) -> Tensor:
    return torch.cat([logits[:, :k], logits[:, k + 1 :]], 1)


def coherence(down: Tensor, right: Tensor) -> Tensor:
    squared = torch.complex(right, down).square()
    return squared.mean((1, 2)).abs() / squared.abs().mean((1, 2))


def own(chances: Tensor, labels: Tensor) -> float:
    return chances[range(len(labels)), labels].mean().item()


def right(chances: Tensor, labels: Tensor) -> float:
    return (chances.argmax(1) == labels).float().mean().item()


ANSWERS = {
    "saliency": (checks.check_saliency, lambda g: g.abs().amax(1).double(), None),
    "signed": (checks.check_saliency, lambda g: g.amax(1), "stronger than 2"),
    "too late": (checks.check_saliency, lambda g: g.amax(1).abs(), "before the maximum"),
    "added": (checks.check_saliency, lambda g: g.abs().sum(1), "adds the channels"),
    "kept": (checks.check_saliency, lambda g: g.abs().amax(1, keepdim=True), r"\(B, H, W\)"),
    "ascend": (checks.check_ascend, climbed, None),
    "downhill": (checks.check_ascend, lambda s, i, r, n, d: climbed(s, i, -r, n, d), "goes downhill"),
    "no decay": (checks.check_ascend, lambda s, i, r, n, d: climbed(s, i, r, n, 0), "forgets the decay"),
    "not clipped": (checks.check_ascend, lambda s, i, r, n, d: climbed(s, i, r, n, d, high=9.0), r"leaves \[0"),
    "clipped once": (checks.check_ascend, lambda s, i, r, n, d: climbed(s, i, r, n, d, False), "only at the end"),
    "a number": (checks.check_ascend, lambda *_: 0.5, "expected a torch tensor"),
    "margin": (checks.check_margin, lambda y, k: (y[:, k] - others(y, k).amax(1)).double(), None),
    "own as 0": (checks.check_margin, with_zero, "counts the own logit as 0"),
    "itself": (checks.check_margin, lambda y, k: y[:, k] - y.amax(1), "y_k itself"),
    "no gradient": (checks.check_margin, lambda y, k: y[:, k].detach() - others(y, k).detach().amax(1), "the gradient"),
    "coherence": (checks.check_coherence, lambda d, r: coherence(d, r).double(), None),
    "arrows": (
        checks.check_coherence, lambda d, r: torch.complex(r, d).mean((1, 2)).abs() / torch.hypot(r, d).mean((1, 2)),
        "square them",
    ),
    "not divided": (
        checks.check_coherence, lambda d, r: torch.complex(r, d).square().mean((1, 2)).abs(), "divide by the mean",
    ),
    "recognized": (checks.check_recognized, lambda c, y: (right(c, y), own(c, y)), None),
    "counted": (checks.check_recognized, lambda c, y: (len(y) * right(c, y), own(c, y)), "divide by all"),
    "of the answer": (checks.check_recognized, lambda c, y: (right(c, y), c.amax(1).mean()), "not the largest"),
    "exchanged": (checks.check_recognized, lambda c, y: (own(c, y), right(c, y)), "the share is"),
    "one number": (checks.check_recognized, right, "two numbers"),
}  # fmt: skip


@pytest.mark.parametrize(("check", "student", "said"), ANSWERS.values(), ids=ANSWERS.keys())
def test_mistakes_are_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
