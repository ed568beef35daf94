"""Style transfer: content from one layer, Gram matrices of nine, 100 evaluations of L-BFGS on the pixels."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.measure import Task, as_people_have_it, truncated
from cnnlab.descent import descend
from cnnlab.material.paintings import painting
from cnnlab.material.photos import photo
from cnnlab.nets import Net
from cnnlab.objectives import code
from cnnlab.steps import lbfgs
from cnnlab.techniques.gram_style import gram, style

EVALUATIONS, CONTENT, DEEPEST = 100, "fire5", "fire7"
STYLES = ("conv1", "relu1", "pool1", "fire2", "fire3", "fire4", "fire5", "fire6", "fire7")


def tasks(net: Net, size: int) -> Iterator[Task]:
    """Against the network alone, and against the network with the products that the nine Gram matrices need."""
    image, painted = photo("china", size), painting("swirls", size)
    found = net.activations(painted, STYLES)
    content = net.activations(image, [CONTENT])[CONTENT]
    objective = 0.2 * code(CONTENT, content)
    for layer in STYLES:
        objective += style(layer, gram(found[layer]))

    def ours() -> Tensor:
        return descend(net, objective, image, steps=EVALUATIONS, step=lbfgs()).finish(progress=False)

    peers = {"loss modules between the layers": tutorial(net, image, content, found)}
    yield Task("style, nine layers", ours, partial(floor, net, image, products=False), 1.25, peers)
    yield Task("style, Gram products in the floor", ours, partial(floor, net, image, products=True), 1.25)


def floor(net: Net, image: Tensor, products: bool) -> None:
    """Forward of the truncated net and backward to the image; with `products` also V'V and V D of every style layer.

    Those two have M x N x N multiplications each: for nine layers together more than SqueezeNet itself.
    """
    image = image.to(net.device).contiguous(memory_format=torch.channels_last)
    for _ in range(EVALUATIONS):
        x, tables = image.detach().requires_grad_(), []
        start = x
        for name, module in truncated(net, DEEPEST).named_children():
            x = module(x)
            if products and name in STYLES:
                tables.append(x.detach().movedim(1, -1).flatten(0, 2))  # (positions, channels)
        torch.autograd.grad(x.mean(), start)
        for table in tables:
            table @ (table.T @ table)


class Loss(nn.Module):
    """Lets its input through, and keeps the mean squared error of what `describe` makes of it."""

    def __init__(self, describe: Callable[[Tensor], Tensor], target: Tensor, weight: float):
        super().__init__()
        self.describe, self.target, self.weight = describe, describe(target).detach(), weight

    def forward(self, x: Tensor) -> Tensor:
        self.loss = self.weight * F.mse_loss(self.describe(x), self.target)
        return x


def sums_of_products(x: Tensor) -> Tensor:
    """The Gram matrix of one image, divided by the number of activations."""
    flat = x.reshape(x.shape[1], -1)
    return flat @ flat.t() / flat.numel()


def tutorial(
    net: Net, image: Tensor, content: Tensor, found: Mapping[str, Tensor], evaluations: int = EVALUATIONS,
    look: Callable[[Callable[[], Tensor]], None] = lambda shown: None,
) -> Callable[[], Tensor]:  # fmt: skip
    """The pattern of the usual tutorial: modules for the losses, contiguous memory, torch.optim.LBFGS as it comes.

    Its parameters want no gradients, as in the tutorial's present form; the older one computed them, too. `look` is
    called after each evaluation, with a function that gives the image.
    """
    chain, losses = nn.Sequential(), []
    for name, module in as_people_have_it(net)[: net.layers.index(DEEPEST) + 1].requires_grad_(False).named_children():
        chain.add_module(name, module)
        if name in found:
            losses.append(Loss(sums_of_products, found[name], 1e6))
            chain.add_module(f"style_{name}", losses[-1])
        if name == CONTENT:
            losses.append(Loss(lambda x: x, content, 1.0))
            chain.add_module(f"content_{name}", losses[-1])

    def work() -> Tensor:
        x = image.to(net.device, copy=True).requires_grad_()
        optimizer, done = torch.optim.LBFGS([x]), 0

        def closure() -> Tensor:
            nonlocal done
            done += 1
            with torch.no_grad():
                x.clamp_(0, 1)
            optimizer.zero_grad()
            chain(x)
            total = torch.stack([each.loss for each in losses]).sum()
            total.backward()
            look(x.detach)
            return total

        while done < evaluations:
            optimizer.step(closure)
        return x.detach()

    return work
