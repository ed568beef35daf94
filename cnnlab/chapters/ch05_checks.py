"""Checks of the exercises of chapter 05: guided backprop, switches, a deconvnet of your own, distinct positions."""

import torch
import torch.nn.functional as F
from torch import nn

from cnnlab.descent import gradient
from cnnlab.nets import Net
from cnnlab.objectives import neuron
from cnnlab.teaching.checks import Student, random_tensor, refuse, same, verdict
from cnnlab.techniques import relu_rules


@verdict("only positive gradients pass, and only where the ReLU's input was positive")
def check_guided(guided: Student) -> None:
    """Check `guided(grad, x)`: what the backward pass hands on below a ReLU, both (B, C, H, W)."""
    grad, x = random_tensor((2, 2, 3, 4, 5)) - 0.5
    result = guided(grad, x)
    for name, rule in (("backprop", relu_rules.backprop_rule), ("deconvnet", relu_rules.deconvnet_rule)):
        refuse(result, rule(grad, x), f"that is {name}'s rule: guided backprop needs both conditions at once")
    same(result, relu_rules.guided_rule(grad, x), "guided(grad, x) of shape (2, 3, 4, 5)")


@verdict("these are the positions of the maxima, as PyTorch counts them")
def check_switches(switches: Student) -> None:
    """Check `switches(maps)`: where each 2 x 2 window has its maximum, (B, C, H, W) -> (B, C, H // 2, W // 2)."""
    maps = random_tensor((2, 3, 6, 10)) - 0.5
    in_window = maps.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).argmax(4)
    result = switches(maps)
    refuse(result, in_window, "the numbers are positions in the window (0 to 3), not in the whole map")
    same(result, F.max_pool2d(maps, 2, return_indices=True)[1], "switches(maps of shape (2, 3, 6, 10))")


@verdict("it equals the gradient under the deconvnet's rule, for two networks")
def check_project(project: Student) -> None:
    """Check `project(modules, image, channel, y, x)`: a deconvnet of convolutions, ReLUs and 2 x 2 max poolings."""
    for widths, kernel in (((3, 6, 8), 3), ((1, 4, 6, 5), 5)):
        modules: list[nn.Module] = []
        for before, after in zip(widths, widths[1:], strict=False):
            convolution = nn.Conv2d(before, after, kernel, padding=kernel // 2).requires_grad_(False)
            convolution.weight.copy_(random_tensor((after, before, kernel, kernel), after) - 0.5)
            modules += [convolution, nn.ReLU(), nn.MaxPool2d(2)]
        net = Net(nn.Sequential(*modules), device="cpu")
        image, position = random_tensor((1, widths[0], 24, 32)), (2, 1, 2)  # channel, y, x
        objective = neuron(net.layers[-1], *position)
        (_, true), (_, expected) = (gradient(view, objective, image) for view in (net, relu_rules.deconvnet(net)))
        result = project(modules, image, *position)
        refuse(result, true, "that is the true gradient: a deconvnet's ReLU looks at the gradient, not at its input")
        same(result, expected, f"project({len(modules)} modules, image of shape {tuple(image.shape)}, {position})")


@verdict("the strongest come first, and none is too near a stronger one")
def check_distinct(distinct: Student) -> None:
    """Check `distinct(positions, distance, count)`: the first `count` (y, x) further apart than `distance`."""
    generator = torch.Generator().manual_seed(0)
    for distance, count in ((5, 4), (20, 9), (1000, 3), (0, 5)):
        positions = [(int(y), int(x)) for y, x in torch.randint(0, 50, (40, 2), generator=generator)]
        positions += positions[:5]  # the same positions again: their distance is 0
        kept: list[tuple[int, int]] = []
        for y, x in positions:
            if len(kept) < count and all((y - v) ** 2 + (x - u) ** 2 > distance**2 for v, u in kept):
                kept.append((y, x))
        same(distinct(positions, distance, count), kept, f"distinct(45 positions, {distance}, {count})")
