"""The pictures of a channel: what excites it, from two noises, what excites it least, and its texture."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from cnnlab.descent import descend
from cnnlab.images import noise, resize
from cnnlab.nets import Net
from cnnlab.objectives import Objective, channel, code
from cnnlab.parametrizations import spectrum
from cnnlab.runs import Run
from cnnlab.steps import adam
from cnnlab.techniques import relu_rules, stages
from cnnlab.techniques.inversion import keep_channel
from cnnlab.tracing import Operation
from cnnlab.transforms import compose, jitter, wobble

OCTAVES, STEPS, SCALE = 5, 6, 2**0.25  # of a picture: it grows to twice its first size
TURNED = 3  # octaves that are also turned and scaled: it costs a sixth of a step, and what is large is settled by then
RATE = 0.16  # Adam's; twice that of chapter 04, for half as many steps
TEXTURE_SIZES, TEXTURE_STEPS = (0.5, 0.75, 1.0), 10


def portraits(net: Net, views: "Views", layer: str, channels: Sequence[int], size: int) -> Tensor:
    """Three pictures of each channel: from two noises, and of what excites it least: (channels, 3, 3, size, size).

    It is the recipe of chapter 04: a spectrum, shaken, awake, grown from half the size. The third picture makes the
    channel's input as low as it can, also where the ReLU is off already.
    """
    numbers = [number for number in channels for _ in range(2)]
    starts = noise((2, 3, size // 2, size // 2), Generator().manual_seed(0), std=0.05, decay=1)
    most = _grown(net, views.awake(layer), -channel(layer, numbers), starts.repeat(len(channels), 1, 1, 1))
    below = views.through(layer)
    least = _grown(below, below, channel(layer, list(channels)), starts[:1].repeat(len(channels), 1, 1, 1))
    pictures = torch.cat([resize(most, size).view(-1, 2, 3, size, size), resize(least, size)[:, None]], dim=1)
    return pictures.cpu()


def _grown(net: Net, first: Net, objective: Objective, start: Tensor) -> Tensor:
    """The recipe; the first octave runs through the view `first`."""

    def stage(image: Tensor, octave: int) -> Run:
        moved = jitter(max(image.shape[-1] // 32, 1))
        shake = compose(wobble(6, 1.1), moved) if octave < TURNED else moved
        view = net if octave else first
        return descend(
            view, objective, image, steps=STEPS, step=adam(RATE), transform=shake, parametrization=spectrum()
        )

    return stages.grow(stage, start, OCTAVES, SCALE).finish(progress=False)


def texture_sheets(net: Net, views: "Views", layer: str, channels: Sequence[int], photograph: Tensor) -> Tensor:
    """The texture of each channel by feature-map inversion (chapter 13): (channels, 3, size, size).

    The sizes grow, and each has the photograph's code at its own size as its target.
    """
    size = photograph.shape[-1]
    sides = [round(share * size) for share in TEXTURE_SIZES]

    def stage(image: Tensor, number: int) -> Run:
        seen = resize(photograph, sides[number]).to(net.device, net.dtype)
        with torch.no_grad():
            target = keep_channel(net.run(seen, [layer])[layer], list(channels))
        view, step, waves = net if number else views.awake(layer), adam(RATE), spectrum()
        objective = code(layer, target)
        return descend(
            view, objective, image, steps=TEXTURE_STEPS, step=step, transform=jitter(4), parametrization=waves
        )

    start = noise((1, 3, sides[0], sides[0]), Generator().manual_seed(1), std=0.05, decay=1)
    run = stages.in_stages(
        stage, start.repeat(len(channels), 1, 1, 1), len(sides), lambda image, number: resize(image, sides[number])
    )
    return run.finish(progress=False).cpu()


class Views:
    """The views of a net that its pictures need, each made once: making one costs as much as a few steps."""

    def __init__(self, net: Net):
        self.net = net
        self._made: dict[tuple[str, str], Net] = {}

    def awake(self, layer: str) -> Net:
        """The layer's own ReLU lets the gradient through where a step would switch it on."""
        return self._with(relu_rules.redirected_rule, layer)

    def through(self, layer: str) -> Net:
        """The layer's own ReLU lets every gradient through, so that a run can lower what goes into it."""
        return self._with(_all, layer)

    def _with(self, rule: relu_rules.Rule, layer: str) -> Net:
        key = (rule.__name__, layer)
        if key not in self._made:
            self._made = {old: view for old, view in self._made.items() if old[1] == layer}  # of one layer at a time
            try:
                self._made[key] = relu_rules.with_relu_rule(self.net, rule, [layer])
            except ValueError:  # no ReLU there, but maybe another activation function
                self._made[key] = self._straight_through(layer)
        return self._made[key]

    def _straight_through(self, layer: str) -> Net:
        """Another activation function than ReLU, at the end of the layer, lets every gradient through, too."""
        own = self.net.graph.node(layer)

        def instead(place: str, operation: Operation) -> nn.Module | None:
            other = type(operation).__name__ in relu_rules.OTHER_ACTIVATIONS
            return _Straight(operation) if other and self.net.graph.node(place) is own else None

        return self.net.with_operations(instead)


class _Straight(nn.Module):
    """An activation function whose gradient is 1 everywhere."""

    def __init__(self, operation: Operation):
        super().__init__()
        self.operation = operation

    def forward(self, x: Tensor) -> Tensor:
        return x + (self.operation(x) - x).detach()  # type: ignore[operator]


def _all(grad: Tensor, x: Tensor) -> Tensor:
    return grad
