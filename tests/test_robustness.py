"""What chapter 15 rests on: training on perturbed batches and the checks of its exercises."""

import torch
import torch.nn.functional as F
from torch import Generator, nn

from cnnlab.chapters import ch15_checks as checks
from cnnlab.nets import named
from cnnlab.training import Examples, fit, initialize


def tiny(seed: int = 0) -> nn.Sequential:
    chain = named(flatten=nn.Flatten(), logits=nn.Linear(6, 10))
    return initialize(chain, Generator().manual_seed(seed))


def test_fit_learns_from_what_perturb_makes_of_each_batch_and_its_labels():
    images, labels = torch.rand(8, 1, 2, 3, generator=Generator().manual_seed(1)), torch.arange(8)
    found, expected = tiny(), tiny()
    seen = []

    def perturb(batch, of):
        seen.append((batch, of))
        return 1 - batch

    again = {"epochs": 2, "batch": 4}
    fit(found, Examples(images, labels), generator=Generator().manual_seed(2), perturb=perturb, **again).finish(False)
    fit(expected, Examples(1 - images, labels), generator=Generator().manual_seed(2), **again).finish(False)
    assert torch.equal(found.logits.weight, expected.logits.weight)
    assert not torch.equal(found.logits.weight, tiny().logits.weight)
    for batch, of in seen:
        assert torch.equal(batch, images[of])  # the labels are the numbers of the images here


def test_a_wrong_answer_is_told_what_is_wrong():
    def second_only(weight, bias, images):
        logits = images.flatten(1) @ weight.T + bias
        top, number = logits.topk(2)
        return (top[:, 0] - top[:, 1]) / (weight[number[:, 0]] - weight[number[:, 1]]).abs().sum(1)

    assert "not always the nearest" in checks.check_smallest_eps(second_only).message

    def summed(down, right, orientations):
        bins = (torch.atan2(down, right) % torch.pi * orientations / torch.pi).floor()
        votes = torch.stack([torch.hypot(down, right) * (bins == k) for k in range(orientations)])
        return 64 * F.avg_pool2d(votes[None], 8)[0]

    assert "mean over the 64" in checks.check_histograms(summed).message

    def plain_step(chain, images, labels, eps, rate):
        loss = F.cross_entropy(chain(images), labels)
        for parameter, grad in zip(
            chain.parameters(), torch.autograd.grad(loss, list(chain.parameters())), strict=True
        ):
            parameter.data -= rate * grad
        return loss.item()

    assert "as they were" in checks.check_hardened_step(plain_step).message

    def unlimited(difference, margin, image):
        return margin / difference.abs().sum()

    assert "cannot become darker" in checks.check_boxed_eps(unlimited).message
