"""Checks of the exercises of chapter 05: guided backprop, switches, a deconvnet of your own, the mean cosine."""

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
    same(result, relu_rules.guided_rule(grad, x), f"{guided}(grad, x) of shape (2, 3, 4, 5)")


@verdict("these are the positions of the maxima, as PyTorch counts them")
def check_switches(switches: Student) -> None:
    """Check `switches(maps)`: where each 2 x 2 window has its maximum, (B, C, H, W) -> (B, C, H // 2, W // 2)."""
    maps = random_tensor((2, 3, 6, 10)) - 0.5
    in_window = maps.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).argmax(4)
    result = switches(maps)
    refuse(result, in_window, "the numbers are positions in the window (0 to 3), not in the whole map")
    same(result, F.max_pool2d(maps, 2, return_indices=True)[1], f"{switches}(maps of shape (2, 3, 6, 10))")


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
        same(result, expected, f"{project}({len(modules)} modules, image of shape {tuple(image.shape)}, {position})")


@verdict("each pair counts alike, whatever the size of its images")
def check_mean_cosine(mean_cosine: Student) -> None:
    """Check `mean_cosine(a, b)`: the mean over the batch of the cosine of each pair, (B, C, H, W) twice -> a number."""
    a, b = random_tensor((2, 4, 3, 5, 6)) - 0.4
    b[0] *= 100  # so that the cosine of the whole batch differs from the mean of the pairs
    b[1] = a[1]
    result = mean_cosine(a, b)
    cosines = F.cosine_similarity(a.flatten(1), b.flatten(1))
    refuse(result, cosines, "that is one cosine for each pair: take their mean")
    whole_batch, by_position = F.cosine_similarity(a.flatten(), b.flatten(), dim=0), F.cosine_similarity(a, b).mean()
    refuse(result, whole_batch, "compare image with image, not batch with batch")
    refuse(result, by_position, "an image is one long row of numbers: compare all its channels at once")
    same(result, cosines.mean(), f"{mean_cosine}(a, b) of shape (4, 3, 5, 6)")
