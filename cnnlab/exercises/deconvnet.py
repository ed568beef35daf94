"""Checks of the exercises on the deconvnet, against PyTorch and the package."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab import relu_rules
from cnnlab.checks import Student, Wrong, answer, require, same, verdict
from cnnlab.descent import gradient
from cnnlab.nets import Net
from cnnlab.objectives import neuron


@verdict
def check_guided(guided: Student) -> str:
    """`guided(grad, x)`: what goes on back through a ReLU, both (B, C, H, W)."""
    generator = torch.Generator().manual_seed(0)
    grad, x = (torch.randn((2, 3, 4, 5), generator=generator) for _ in range(2))
    result = answer(guided, grad, x)
    for name in ("backprop", "deconvnet"):
        if isinstance(result, Tensor) and torch.equal(result, getattr(relu_rules, name)(grad, x)):
            raise Wrong(f"that is {name}'s rule: guided backprop wants both conditions at once")
    same(result, relu_rules.guided(grad, x), "guided(grad, x) of shape (2, 3, 4, 5)")
    return "only what is positive on the way back, and only where the way forward was open"


@verdict
def check_switches(switches: Student) -> str:
    """`switches(maps)`: where each 2 x 2 window has its maximum, (B, C, H, W) -> (B, C, H // 2, W // 2)."""
    maps = torch.randn((2, 3, 6, 10), generator=torch.Generator().manual_seed(0))
    _, expected = F.max_pool2d(maps, 2, return_indices=True)
    result = answer(switches, maps)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        require(int(result.max()) > 3, "the numbers are places in the window (0 to 3), not in the whole map")
    same(result, expected, "switches(maps of shape (2, 3, 6, 10))")
    return "the places of the maxima, as PyTorch counts them"


@verdict
def check_project(project: Student) -> str:
    """`project(modules, image, channel, y, x)`: a deconvnet for a list of convolutions, ReLUs and 2 x 2 max-pools."""
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
        place = (2, 1, 2)  # channel, y, x
        target = neuron(net.layers[-1], *place)
        with relu_rules.relu_rule(net, relu_rules.deconvnet):
            _, expected = gradient(net, target, image)
        result = answer(project, modules, image, *place)
        if isinstance(result, Tensor) and torch.allclose(result, gradient(net, target, image)[1], atol=1e-6):
            raise Wrong("that is the true gradient: a deconvnet's ReLU looks at what comes back, not at what went in")
        same(result, expected, f"project({len(modules)} modules, image of shape {tuple(image.shape)}, {place})")
    return "equal to the gradient under the deconvnet's rule, for two networks"


@verdict
def check_distinct(distinct: Student) -> str:
    """`distinct(places, distance, count)`: the first `count` places (y, x) further apart than `distance`."""
    generator = torch.Generator().manual_seed(0)
    for distance, count in ((5, 4), (20, 9), (1000, 3), (0, 5)):
        places = [(int(y), int(x)) for y, x in torch.randint(0, 50, (40, 2), generator=generator)]
        places += places[:5]  # again: distance 0
        kept: list[tuple[int, int]] = []
        for y, x in places:
            if len(kept) < count and all((y - v) ** 2 + (x - u) ** 2 > distance**2 for v, u in kept):
                kept.append((y, x))
        result = answer(distinct, places, distance, count)
        same([tuple(place) for place in result], kept, f"distinct(45 places, {distance}, {count})")
    return "the strongest first, and none too near a stronger one"
