"""Checks of the exercises of chapters 2 and 3: the digits' network, and what its neurons look for."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, nn

from cnnlab.checks import Student, answer, require, same, verdict
from cnnlab.objectives import total_variation


@verdict
def check_sizes(sizes: Student) -> str:
    """sizes((C, H, W), layers) -> the shape behind each layer; a layer is ("conv", filters, k) or ("pool", k)."""
    nets: list[tuple[tuple[int, int, int], list[tuple[Any, ...]]]] = [
        ((1, 28, 28), [("conv", 25, 3), ("pool", 2), ("conv", 50, 3), ("pool", 2)]),
        ((3, 37, 23), [("conv", 8, 5), ("conv", 4, 4), ("pool", 3), ("pool", 2), ("conv", 6, 1)]),
    ]
    for shape, layers in nets:
        x, expected = torch.zeros((1, *shape)), []
        for kind, *numbers in layers:
            if kind == "conv":
                x = F.conv2d(x, torch.zeros(numbers[0], x.shape[1], numbers[1], numbers[1]))
            else:
                x = F.max_pool2d(x, numbers[0])
            expected.append(tuple(x.shape[1:]))
        result = answer(sizes, shape, layers)
        require(isinstance(result, list), "sizes gives a list, one shape (C, H, W) per layer")
        for (kind, *numbers), found, right in zip(layers, result, expected, strict=False):
            same(tuple(found), right, f"of {shape}, the shape behind {kind} {numbers}")
        same(len(result), len(layers), "the number of shapes")
    return "the shapes are those of PyTorch, also where pooling leaves a row over"


@verdict
def check_confusion(confusion: Student) -> str:
    """confusion(labels, found) -> (10, 10): how often each digit (row) was taken for each (column)."""
    generator = Generator().manual_seed(0)
    labels = torch.randint(10, (300,), generator=generator)
    found = torch.where(
        torch.rand(300, generator=generator) < 0.7, labels, torch.randint(10, (300,), generator=generator)
    )
    expected = torch.zeros(10, 10, dtype=torch.long)
    for label, other in zip(labels.tolist(), found.tolist(), strict=True):
        expected[label, other] += 1
    result = answer(confusion, labels, found)
    swapped = isinstance(result, torch.Tensor) and result.shape == (10, 10) and bool((result == expected.T).all())
    require(not swapped, "confusion has rows and columns the wrong way round: a row is the true digit")
    same(result, expected, "confusion(labels, found)")
    few = answer(confusion, torch.tensor([3, 3, 3]), torch.tensor([5, 5, 3]))
    same(few[3].tolist(), [0, 0, 0, 1, 0, 2, 0, 0, 0, 0], "row 3 of confusion([3, 3, 3], [5, 5, 3])")
    return "a row per digit, a column per answer, and repeated mistakes are counted"


@verdict
def check_sgd_step(sgd_step: Student) -> str:
    """sgd_step(chain, images, labels, rate) -> the loss before the step; moves each parameter by -rate * gradient."""
    generator = Generator().manual_seed(0)
    chain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 4 * 5, 10))
    images, labels = torch.rand((7, 1, 6, 7), generator=generator), torch.randint(10, (7,), generator=generator)
    reference = copy.deepcopy(chain)
    descent = torch.optim.SGD(reference.parameters(), lr=0.3)
    for number in ("first", "second"):  # gradients of the first must not be left over in the second
        loss = F.cross_entropy(reference(images), labels)
        descent.zero_grad()
        loss.backward()
        descent.step()
        result = answer(sgd_step, chain, images, labels, 0.3)
        same(float(result), loss.item(), f"the loss of the {number} step")
        for (name, found), right in zip(chain.named_parameters(), reference.parameters(), strict=True):
            same(found.detach(), right.detach(), f"parameter {name} after the {number} step", tolerance=1e-4)
    return "the parameters go where torch.optim.SGD takes them, twice"


@verdict
def check_as_convolution(as_convolution: Student) -> str:
    """as_convolution(dense, channels, h, w) -> the nn.Conv2d that computes what nn.Linear did behind flatten."""
    dense = nn.Linear(3 * 4 * 5, 6)
    maps = torch.rand((2, 3, 4, 5), generator=Generator().manual_seed(0))
    convolution = answer(as_convolution, dense, 3, 4, 5)
    require(isinstance(convolution, nn.Conv2d), "as_convolution gives an nn.Conv2d")
    same(tuple(convolution.weight.shape), (6, 3, 4, 5), "the shape of its weight")
    with torch.no_grad():
        same(convolution(maps), dense(maps.flatten(1))[..., None, None], "on maps (2, 3, 4, 5), what it computes")
        wide = torch.cat([maps, maps.flip(3)], dim=3)  # (2, 3, 4, 10)
        same(tuple(convolution(wide).shape), (2, 6, 1, 6), "on maps twice as wide, the shape")
    return "the same numbers on maps of the old size, and a row of answers on wider ones"


@verdict
def check_map_sum(map_sum: Student) -> str:
    """map_sum(activations, k) -> a^k, (B,), of activations (B, channels, h, w)."""
    activations = torch.randn((3, 5, 4, 6), generator=Generator().manual_seed(0))
    expected = torch.tensor([sum(float(x) for x in activations[b, 2].flatten()) for b in range(3)])
    same(answer(map_sum, activations, 2), expected, "map_sum(activations of shape (3, 5, 4, 6), 2)")
    leaf = activations.clone().requires_grad_()
    result = answer(map_sum, leaf, 4)
    require(result.requires_grad, "map_sum loses the gradient: use torch's own operations alone")
    return "one number per image, and the gradient goes through"


@verdict
def check_ascend(ascend: Student) -> str:
    """ascend(score, image, rate, steps) -> the image after gradient ascent on score, clipped to [0, 1] at each step."""
    image = torch.rand((2, 1, 5, 4), generator=Generator().manual_seed(0))
    weights = torch.randn((1, 5, 4), generator=Generator().manual_seed(1))

    def score(image: torch.Tensor) -> torch.Tensor:
        return (image * weights).flatten(1).sum(1) - image.pow(4).flatten(1).sum(1)

    expected = image
    for _ in range(6):
        expected = (expected + 0.2 * (weights - 4 * expected**3)).clamp(0, 1)
    result = answer(ascend, score, image, 0.2, 6)
    require(isinstance(result, torch.Tensor), "ascend gives the image, a tensor")
    down = torch.linalg.vector_norm(result.detach() - image) > 0 and bool((score(result) < score(image)).all())
    require(not down, "ascend goes downhill: the score is to become larger")
    require(bool(((result >= 0) & (result <= 1)).all()), "ascend leaves [0, 1]: clip after each step")
    same(result.detach(), expected, "ascend(score, image, 0.2, 6)", tolerance=1e-4)
    require(not result.requires_grad, "the image that ascend gives still hangs on its history: detach it")
    return "each step goes uphill, each image by itself, and stays in [0, 1]"


@verdict
def check_roughness(roughness: Student) -> str:
    """roughness(image) -> total variation (B,): mean |difference| downwards plus mean |difference| to the right."""
    image = torch.rand((3, 2, 6, 9), generator=Generator().manual_seed(0))
    same(answer(roughness, image), total_variation().score(image, {}), "roughness(image of shape (3, 2, 6, 9))")
    return "the number that total_variation() gives, for each image"


@verdict
def check_margin(margin: Student) -> str:
    """margin(logits, k) -> y_k minus the largest of the other logits, (B, classes) -> (B,)."""
    logits = torch.randn((9, 10), generator=Generator().manual_seed(0))
    for k in (0, 3, 9):
        expected = torch.tensor([float(row[k]) - max(float(y) for i, y in enumerate(row) if i != k) for row in logits])
        same(answer(margin, logits, k), expected, f"margin(logits of shape (9, 10), {k})")
    result = answer(margin, logits.clone().requires_grad_(), 3)
    require(result.requires_grad, "margin loses the gradient: use torch's own operations alone")
    return "positive where k wins, negative where another does"
