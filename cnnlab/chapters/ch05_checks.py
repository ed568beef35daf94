"""Checks of the exercises of chapter 05: guided backprop, switches, a deconvnet of your own, distinct positions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.descent import gradient
from cnnlab.nets import Net
from cnnlab.objectives import neuron
from cnnlab.teaching.checks import Student, Wrong, answer, require, same, verdict
from cnnlab.techniques import relu_rules


@verdict
def check_guided(guided: Student) -> str:
    """Check `guided(grad, x)`: what the backward pass hands on below a ReLU, both (B, C, H, W)."""
    generator = torch.Generator().manual_seed(0)
    grad, x = (torch.randn((2, 3, 4, 5), generator=generator) for _ in range(2))
    result = answer(guided, grad, x)
    for name, rule in (("backprop", relu_rules.backprop_rule), ("deconvnet", relu_rules.deconvnet_rule)):
        if isinstance(result, Tensor) and torch.equal(result, rule(grad, x)):
            raise Wrong(f"that is {name}'s rule: guided backprop needs both conditions at once")
    same(result, relu_rules.guided_rule(grad, x), "guided(grad, x) of shape (2, 3, 4, 5)")
    return "only positive gradients pass, and only where the ReLU's input was positive"


@verdict
def check_switches(switches: Student) -> str:
    """Check `switches(maps)`: where each 2 x 2 window has its maximum, (B, C, H, W) -> (B, C, H // 2, W // 2)."""
    maps = torch.randn((2, 3, 6, 10), generator=torch.Generator().manual_seed(0))
    _, expected = F.max_pool2d(maps, 2, return_indices=True)
    result = answer(switches, maps)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        require(int(result.max()) > 3, "the numbers are positions in the window (0 to 3), not in the whole map")
    same(result, expected, "switches(maps of shape (2, 3, 6, 10))")
    return "these are the positions of the maxima, as PyTorch counts them"


@verdict
def check_project(project: Student) -> str:
    """Check `project(modules, image, channel, y, x)`: a deconvnet of convolutions, ReLUs and 2 x 2 max poolings."""
    generator = torch.Generator().manual_seed(0)
    for widths, kernel in (((3, 6, 8), 3), ((1, 4, 6, 5), 5)):
        modules: list[nn.Module] = []
        for before, after in zip(widths, widths[1:], strict=False):
            modules += [nn.Conv2d(before, after, kernel, padding=kernel // 2), nn.ReLU(), nn.MaxPool2d(2)]
        for module in modules:
            for parameter in module.parameters():
                nn.init.normal_(parameter, std=0.3, generator=generator).requires_grad_(False)
        net = Net(nn.Sequential(*modules), device="cpu")
        image = torch.rand((1, widths[0], 24, 32), generator=generator)
        position = (2, 1, 2)  # channel, y, x
        target = neuron(net.layers[-1], *position)
        _, expected = gradient(relu_rules.deconvnet(net), target, image)
        result = answer(project, modules, image, *position)
        if isinstance(result, Tensor) and torch.allclose(result, gradient(net, target, image)[1], atol=1e-6):
            raise Wrong("that is the true gradient: a deconvnet's ReLU looks at the gradient, not at its input")
        same(result, expected, f"project({len(modules)} modules, image of shape {tuple(image.shape)}, {position})")
    return "it equals the gradient under the deconvnet's rule, for two networks"


@verdict
def check_distinct(distinct: Student) -> str:
    """Check `distinct(positions, distance, count)`: the first `count` (y, x) further apart than `distance`."""
    generator = torch.Generator().manual_seed(0)
    for distance, count in ((5, 4), (20, 9), (1000, 3), (0, 5)):
        positions = [(int(y), int(x)) for y, x in torch.randint(0, 50, (40, 2), generator=generator)]
        positions += positions[:5]  # the same positions again: their distance is 0
        kept: list[tuple[int, int]] = []
        for y, x in positions:
            if len(kept) < count and all((y - v) ** 2 + (x - u) ** 2 > distance**2 for v, u in kept):
                kept.append((y, x))
        result = answer(distinct, positions, distance, count)
        same([tuple(position) for position in result], kept, f"distinct(45 positions, {distance}, {count})")
    return "the strongest come first, and none is too near a stronger one"
