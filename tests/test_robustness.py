"""What chapter 11b rests on: training on perturbed batches, the checks of its exercises, its figures."""

import torch
import torch.nn.functional as F
from torch import Generator, nn

from cnnlab import plots_robustness
from cnnlab.datasets import Examples
from cnnlab.exercises import robustness as checks
from cnnlab.nets import Net, named
from cnnlab.training import fit, initialize


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


def test_figures_show_every_rate_and_every_net():
    table = torch.tensor([[0.25, 1.0], [0.0, 0.5]])
    figure = plots_robustness.show_rates({"a": table, "b": table}, ["one", "two"], ["x", "y"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["25%", "100%", "0%", "50%"]
    nets = {"one": Net(tiny(), device="cpu"), "two": Net(tiny(1), device="cpu")}
    image = torch.rand(1, 1, 2, 3)
    figure = plots_robustness.show_fooled(nets, image, (image + 0.1).clamp(0, 1), "title")
    for axis, net in zip(figure.axes[3:], nets.values(), strict=True):
        heights = torch.tensor([bar.get_height() for bar in axis.patches[:10]]).float()
        assert torch.allclose(heights, net.probabilities((image + 0.1).clamp(0, 1))[0], atol=1e-5)
