"""Checks of the exercises of chapter 14: a flip, steps in two norms and for all photographs, margins, files."""

import torch
from torch import nn

from cnnlab import steps
from cnnlab.nets import Net, named
from cnnlab.teaching.checks import Student, random_tensor, refuse, same, verdict, within


@verdict("the score is divided by the sum of all |w|: the more numbers, the smaller the change")
def check_flips_at(flips_at: Student) -> None:
    """Check `flips_at(weights, inputs)`: (n,), (B, n) -> (B,), the smallest eps that makes the score 0."""
    weights, inputs = random_tensor((7,)) - 0.6, random_tensor((5, 7), 1) - 0.4
    scores = (inputs @ weights).abs()
    result = flips_at(weights, inputs)
    refuse(result, scores / weights.norm(), "every number may change by eps: sum all |w|, not their squares")
    within(result, 0, torch.inf, "a distance is at least 0, on both sides of the decision")
    same(result, scores / weights.abs().sum(), f"{flips_at}(weights of shape (7,), inputs of shape (5, 7))")


@verdict("it is a sign step, then back into the ball, then back into [0, 1]")
def check_step(pgd_step: Student) -> None:
    """Check `pgd_step(image, grad, center, eps, rate)`: one step of PGD that lowers the objective, (B, C, H, W)."""
    center, grad, change = random_tensor((3, 2, 3, 5, 8)) - torch.tensor([0, 0.5, 0.5]).view(3, 1, 1, 1, 1)
    image = (center + 0.2 * change).clamp(0, 1)
    result = pgd_step(image, grad, center, 0.1, 0.04)
    up, down, along = image + 0.04 * grad.sign(), image - 0.04 * grad.sign(), image - 0.04 * grad
    ball = steps.linf_ball(center, 0.1)
    refuse(result, ball(up).clamp(0, 1), "the objective must fall: step against the gradient")
    for moved in (along, along.clamp(0, 1), ball(along), ball(along).clamp(0, 1)):
        refuse(result, moved, "every pixel moves by rate: use the sign of the gradient, not the gradient itself")
    within(result, 0, 1, "an image stays in [0, 1]")
    refuse(result, down.clamp(0, 1), "some pixels are farther than eps from the center: go back into the ball")
    same(result, ball(down).clamp(0, 1), f"{pgd_step}(image of shape (2, 3, 5, 8), grad, center, eps=0.1, rate=0.04)")


@verdict("each image's gradient is divided by its own length, and inside the ball nothing is moved")
def check_l2_step(l2_step: Student) -> None:
    """Check `l2_step(image, grad, center, eps, rate)`: each image moves by `rate` in L2, and stays within eps in L2."""
    center, grad = random_tensor((3, 3, 4, 6)), random_tensor((3, 3, 4, 6), 1) - 0.5  # some results leave [0, 1]
    grad[1] *= 100  # the length of the gradient must not matter
    image = center + 0.02 * (random_tensor((3, 3, 4, 6), 2) - 0.5)
    down, batch_down = -0.2 * grad / grad.flatten(1).norm(dim=1).view(-1, 1, 1, 1), -0.2 * grad / grad.norm()
    for eps in (0.5, 0.15):  # first the ball is wide enough for the step, then it is not
        ball = steps.l2_ball(center, eps)
        result, expected = l2_step(image, grad, center, eps, 0.2), ball(image + down)
        refuse(result, ball(image - down), "the objective must fall: step against the gradient")
        refuse(result, ball(image + batch_down), "divide each image's gradient by its own length, not by the batch's")
        refuse(result, expected.clamp(0, 1), "do not clip to [0, 1] here")
        if eps < 0.2:
            refuse(
                result, image + down, "some images are farther than eps from the center: shrink their distance to eps"
            )
        same(result, expected, f"{l2_step}(image of shape (3, 3, 4, 6), grad, center, eps={eps}, rate=0.2)")


@verdict("it is positive as long as the net says the label, and keeps its slope where the softmax is flat")
def check_margin(margin: Student) -> None:
    """Check `margin(logits, labels)`: the label's logit minus the largest other logit, (B, classes), (B,) -> (B,)."""
    labels = torch.tensor([0, 3, 8, 3, 5, 1])
    for lowest in (-2, -7):  # the second time all logits are below 0
        logits = 4 * random_tensor((6, 9)) + lowest
        logits[1, 3] = lowest + 5.0  # here the label is the largest
        own, others = logits.gather(1, labels[:, None])[:, 0], logits.scatter(1, labels[:, None], 0.0)
        result = margin(logits, labels)
        refuse(result, own - logits.amax(1), "leave the label itself out when you look for the largest other")
        if lowest < -5:
            refuse(result, own - others.amax(1), "a 0 in the label's place is the largest, if all logits are negative")
        same(
            result,
            own - logits.scatter(1, labels[:, None], -torch.inf).amax(1),
            f"{margin}(logits of shape (6, 9), labels)",
        )


@verdict("it asks the net about what the file would hold")
def check_share_after_saving(share_after_saving: Student) -> None:
    """Check `share_after_saving(net, images, target)`: the share called `target` after rounding to 8 bits."""
    logits = nn.Linear(6, 3)
    logits.weight.data, logits.bias.data = torch.zeros(3, 6), torch.tensor([0.0, -1.0, -100.1])
    logits.weight.data[2, 0] = 255
    net = Net(named(flatten=nn.Flatten(), logits=logits), device="cpu")
    images = random_tensor((7, 1, 2, 3))
    images[:, 0, 0, 0] = torch.tensor([100.4, 100.3, 100.6, 101.4, 99.7, 7.0, 100.2]) / 255  # class 2 from 101 on
    result = share_after_saving(net, images, 2)
    refuse(result, 5 / 7, "round the images first: this is the share before saving")
    refuse(result, 1 / 7, "round to the nearest of the 256 values, not down")
    refuse(result, 2, f"{share_after_saving} must return a share, not the number of images")
    same(result, 2 / 7, f"{share_after_saving}(net, 7 images, 2)", tolerance=1e-4)
    same(share_after_saving(net, images, 0), 5 / 7, f"{share_after_saving}(net, 7 images, 0)", tolerance=1e-4)


@verdict("one step serves all photographs, and no number leaves the ball")
def check_universal_step(universal_step: Student) -> None:
    """Check `universal_step(perturbation, grads, eps, rate)`: (1, C, H, W), (B, C, H, W) -> (1, C, H, W)."""
    perturbation, grads = random_tensor((1, 3, 4, 5)) * 0.2 - 0.1, random_tensor((6, 3, 4, 5), 1) ** 3 - 0.25
    result, mean = universal_step(perturbation, grads, 0.1, 0.04), grads.mean(0, keepdim=True)
    down = perturbation - 0.04 * mean.sign()
    refuse(result, (perturbation + 0.04 * mean.sign()).clamp(-0.1, 0.1), "the objective must fall: step against it")
    refuse(result, down, "some numbers are larger than eps: go back into the ball")
    for moved in (grads.sign().mean(0, keepdim=True), grads.sign().sum(0, keepdim=True).sign(), mean):
        step = (perturbation - 0.04 * moved).clamp(-0.1, 0.1)
        refuse(result, step, "average the gradients over the photographs first, and take the sign of the average")
    refuse(result, down.clamp(0, 0.1), "a perturbation has both signs: the ball is from -eps to eps")
    same(result, down.clamp(-0.1, 0.1), f"{universal_step}(perturbation (1, 3, 4, 5), grads (6, 3, 4, 5), 0.1, 0.04)")
