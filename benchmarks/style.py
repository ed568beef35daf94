"""What style transfer costs above its floor: `python -m benchmarks.style`.

100 evaluations of L-BFGS at 224 px. The net's floor is N x (forward of the truncated net + backward to the input
alone). A style also needs, for each of its layers, the Gram matrix and its gradient, each one product of M x N x N
multiplications: more arithmetic than SqueezeNet itself. So there is a second floor, with just these products. Third
comes the pattern of the usual tutorial, with the same layers: loss modules between the layers of a net whose parameters
are not frozen, in the usual memory layout. All are measured in turn; the ratios of medians count.
"""

import json

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.loop import interleaved
from cnnlab.descent import descend, lbfgs
from cnnlab.images import photo
from cnnlab.nets import Net, load_net
from cnnlab.objectives import code, gram, style
from cnnlab.paintings import painting
from cnnlab.parametrizations import Parametrization, pixels, spectrum

SIZE, EVALUATIONS, CONTENT = 224, 100, "fire5"
STYLES = {
    "nine layers": ["conv1", "relu1", "pool1", "fire2", "fire3", "fire4", "fire5", "fire6", "fire7"],
    "five layers": ["relu1", "fire2", "fire3", "fire5", "fire7"],
    "pools only": ["pool1", "pool3", "pool5", "fire7"],
}


def floor(net: Net, image: Tensor, styles: list[str], products: bool) -> None:
    """Forward of the truncated net and backward to the image; with `products` also V'V and V D for each style."""
    deepest = net.layers.index("fire7")
    layers = [(name, module) for name, module in net.chain.named_children() if net.layers.index(name) <= deepest]
    image = image.to(net.device).contiguous(memory_format=torch.channels_last)
    for _ in range(EVALUATIONS):
        x, tables = image.requires_grad_(), []
        for name, module in layers:
            x = module(x)
            if products and name in styles:
                tables.append(x.detach().movedim(1, -1).flatten(0, 2))  # (positions, channels)
        torch.autograd.grad(x.mean(), image)
        for table in tables:
            table @ (table.T @ table)


def ours(net: Net, image: Tensor, painted: Tensor, styles: list[str], parametrization: Parametrization) -> None:
    """The chapter's few lines."""
    content, found = net.activations(image, [CONTENT])[CONTENT], net.activations(painted, styles)
    aim = 0.2 * code(CONTENT, content) + sum(style(layer, gram(found[layer])) for layer in styles)
    descend(net, aim, image, steps=EVALUATIONS, step=lbfgs(), parametrization=parametrization).finish(progress=False)


class Loss(nn.Module):
    """A layer that lets its input through and keeps the mean squared error of what `describe` makes of it."""

    def __init__(self, describe, target: Tensor):
        super().__init__()
        self.describe, self.target, self.loss = describe, describe(target).detach(), torch.zeros(())

    def forward(self, x: Tensor) -> Tensor:
        self.loss = F.mse_loss(self.describe(x), self.target)
        return x


def tutorial_gram(x: Tensor) -> Tensor:
    """Of one image, over a b c d as the tutorial has it."""
    batch, channels, height, width = x.shape
    flat = x.reshape(batch * channels, height * width)
    return (flat @ flat.t()).div(batch * channels * height * width)


def tutorial(net: Net, image: Tensor, painted: Tensor, styles: list[str]) -> None:
    """Loss modules between the layers, parameters not frozen, torch.optim.LBFGS as it comes."""
    chain, losses = nn.Sequential(), []
    content, deepest = net.activations(image, [CONTENT])[CONTENT], net.layers.index("fire7")
    found = net.activations(painted, styles)
    for index, (name, module) in enumerate(net.chain.named_children()):
        if index > deepest:
            break
        chain.add_module(name, module.to(memory_format=torch.contiguous_format).requires_grad_())
        for wanted, describe, target, weight in (
            (name == CONTENT, lambda x: x, content, 1.0),
            (name in styles, tutorial_gram, found.get(name), 1e6),
        ):
            if wanted:
                loss = Loss(describe, target)
                chain.add_module(f"{name}_loss_{weight:g}".replace(".", "_").replace("+", ""), loss)
                losses.append((weight, loss))
    x, evaluations = image.clone().requires_grad_(), 0
    optimizer = torch.optim.LBFGS([x])

    def closure() -> Tensor:
        nonlocal evaluations
        with torch.no_grad():
            x.clamp_(0, 1)
        optimizer.zero_grad()
        chain(x)
        total = torch.stack([weight * loss.loss for weight, loss in losses]).sum()
        total.backward()
        evaluations += 1
        return total

    while evaluations < EVALUATIONS:
        optimizer.step(closure)


def main() -> None:
    """Print one row per set of style layers, and all as JSON."""
    net, lent = load_net("squeezenet", "cpu"), load_net("squeezenet", "cpu")  # the tutorial changes the one lent to it
    image, painted = photo("china", SIZE), painting("swirls", SIZE)
    rows = []
    for name, styles in STYLES.items():
        medians = interleaved(
            {
                "floor": lambda styles=styles: floor(net, image.clone(), styles, products=False),
                "floor with products": lambda styles=styles: floor(net, image.clone(), styles, products=True),
                "pixels": lambda styles=styles: ours(net, image, painted, styles, pixels()),
                "spectrum": lambda styles=styles: ours(net, image, painted, styles, spectrum()),
                "tutorial": lambda styles=styles: tutorial(lent, image, painted, styles),
            },
            repeats=3,
        )
        base, products = medians["floor"], medians["floor with products"]
        for way, seconds in medians.items():
            rows.append({"styles": name, "from": way, "ms_per_evaluation": 1000 * seconds / EVALUATIONS,
                         "over_floor": seconds / base, "over_products": seconds / products})  # fmt: skip
            print("{styles}, {from:20}: {ms_per_evaluation:6.1f} ms an evaluation, {over_floor:.2f} x the net's floor, "
                  "{over_products:.2f} x with products".format(**rows[-1]))  # fmt: skip
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
