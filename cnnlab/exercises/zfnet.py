"""Checks of the exercises on training the ZF-net and on the experiments with it."""

import torch

from cnnlab import comparing, zfnet
from cnnlab.checks import Student, answer, require, same, verdict


@verdict
def check_renormalize(renormalize: Student) -> str:
    """renormalize(filters (F, C, h, w), radius): those with a larger RMS scaled down to it."""
    generator = torch.Generator().manual_seed(0)
    filters = torch.randn((5, 3, 4, 7), generator=generator) * torch.tensor([0.02, 0.3, 0.1, 1.0, 0.05]).view(
        -1, 1, 1, 1
    )
    got = answer(renormalize, filters, 0.1)
    same(got[0], filters[0], "renormalize(filters, 0.1)[0], whose RMS is below the radius,")
    same(got, zfnet.renormalize(filters, 0.1), "renormalize(filters of shape (5, 3, 4, 7), 0.1)")
    same(answer(renormalize, filters, 0.01), zfnet.renormalize(filters, 0.01), "renormalize(filters, 0.01)")
    zero = torch.zeros(2, 3, 4, 4)
    same(answer(renormalize, zero, 0.1), zero, "renormalize(filters that are all 0, 0.1)")
    return "each filter by its own RMS; small ones are left alone"


@verdict
def check_momentum_step(momentum_step: Student) -> str:
    """momentum_step(weights, grad, velocity, rate, momentum) -> (weights, velocity), as torch.optim.SGD does."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn((3, 4), generator=generator)
    expected = weights.clone().requires_grad_()
    descent = torch.optim.SGD([expected], lr=0.1, momentum=0.9)
    velocity = torch.zeros_like(weights)
    for number in range(1, 4):
        grad = torch.randn((3, 4), generator=generator)
        expected.grad = grad.clone()
        descent.step()
        result = answer(momentum_step, weights, grad, velocity, 0.1, 0.9)
        require(
            isinstance(result, tuple) and len(result) == 2, "momentum_step must return the pair (weights, velocity)"
        )
        weights, velocity = result
        same(weights, expected.detach(), f"the weights after step {number}")
    return "three steps equal torch.optim.SGD's"


@verdict
def check_sign_distance(sign_distance: Student) -> str:
    """sign_distance(changes (images, features)) -> float: mean share of differing signs over the pairs."""
    changes = torch.tensor([[1.0, -2, 0, 3], [4.0, -1, 0, -1]])
    same(answer(sign_distance, changes), 0.25, "sign_distance([[1, -2, 0, 3], [4, -1, 0, -1]])")
    same(answer(sign_distance, changes.repeat(2, 1)[:1].repeat(3, 1)), 0.0, "sign_distance of three equal changes")
    generator = torch.Generator().manual_seed(0)
    changes = torch.randn((5, 60), generator=generator).relu() - torch.rand((5, 60), generator=generator).round()
    same(answer(sign_distance, changes), comparing.sign_distance(changes), "sign_distance(changes of shape (5, 60))")
    return "signs compared, zeros too, over each pair once"


@verdict
def check_near_duplicates(near_duplicates: Student) -> str:
    """near_duplicates(images, others, threshold) -> bool (B,): whose thumbnail is like one of the others."""
    generator = torch.Generator().manual_seed(0)
    images, others = (torch.rand((number, 3, 32, 48), generator=generator) for number in (6, 9))
    images[1], images[4] = others[7] * 0.6 + 0.2, (others[2] + 0.05 * images[4]).clamp(0, 1)
    for threshold in (0.9, 0.999):
        expected = (comparing.thumbnails(images) @ comparing.thumbnails(others).T).amax(dim=1) >= threshold
        got = answer(near_duplicates, images, others, threshold)
        require(
            isinstance(got, torch.Tensor) and got.dtype == torch.bool, "near_duplicates must return a tensor of bools"
        )
        require(
            got.shape == expected.shape,
            f"near_duplicates has the shape {tuple(got.shape)}, expected one bool per image: (6,)",
        )
        for index in range(6):
            what = "is a copy" if expected[index] else "is no copy"
            require(
                bool(got[index] == expected[index]),
                f"with threshold {threshold}, image {index} {what} of one of the others",
            )
    return "a copy in another light is found, strangers are left alone"
