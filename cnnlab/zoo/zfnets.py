"""Small ZF-nets and their training (Zeiler & Fergus 2013, "Visualizing and Understanding Convolutional Networks").

Each docstring says where we depart from the paper, and why. Chapter 08.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

from cnnlab.images import center_crop
from cnnlab.material.crops import SEEN, augment_crops, photo_crops
from cnnlab.material.photos import PHOTOS
from cnnlab.nets import Net, Normalize, named, weights_of
from cnnlab.runs import Run, Step
from cnnlab.training import Examples, fit, initialize
from cnnlab.zoo.checkpoints import load_checkpoint

# The first two layers: kernel, stride and padding of each. From the second pooling on both nets have the same maps.
FIRST_LAYERS = {"7x7 stride 2": ((7, 2, 1), (5, 2, 1)), "11x11 stride 4": ((11, 4, 2), (5, 1, 2))}


class Variant(NamedTuple):
    """How a shipped net was made that differs from the main one."""

    file: str  # its name in data/zfnet, without the ending
    epochs: int
    options: dict[str, Any]  # arguments of `zfnet`
    radius: float = 1e-1  # of `train_zfnet`


# title, which figures show -> how it was made
VARIANTS: dict[str, Variant] = {
    "11x11 stride 4": Variant("11x11-stride-4", 48, {"first": "11x11 stride 4"}),
    "radius 5e-2": Variant("radius-5e-2", 32, {}, radius=5e-2),
    "He throughout": Variant("he-throughout", 32, {"small": ()}),
    "1e-2 throughout": Variant(
        "1e-2-throughout", 24, {"small": ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "logits")}
    ),
    "without conv3, conv4": Variant("without-conv3-conv4", 24, {"conv": (32, 48, 48)}),
    "without fc6, fc7": Variant("without-fc6-fc7", 24, {"dense": ()}),
    "without all four": Variant("without-all-four", 24, {"conv": (32, 48, 48), "dense": ()}),
    "fc6, fc7 a third": Variant("fc6-fc7-a-third", 24, {"dense": (32, 32)}),
    "fc6, fc7 threefold": Variant("fc6-fc7-threefold", 24, {"dense": (288, 288)}),
    "conv3 .. conv5 halved": Variant("conv3-conv5-halved", 24, {"conv": (32, 48, 32, 32, 24)}),
    "conv3 .. conv5 doubled": Variant("conv3-conv5-doubled", 24, {"conv": (32, 48, 128, 128, 96)}),
}
EPOCHS = (1, 2, 4, 8, 16, 24, 32, 48)  # after which the main net was saved; the last one ended its training


def zfnet(
    generator: Generator, *, first: str = "7x7 stride 2", conv: Sequence[int] = (32, 48, 64, 64, 48),
    dense: Sequence[int] = (96, 96), small: Sequence[str] = ("conv1",),
) -> nn.Sequential:  # fmt: skip
    """The ZF-net for images of 64 x 64 instead of 224 x 224, untrained: (B, 3, 64, 64) -> logits (B, 16).

    The layers conv1, pool1, conv2, pool2, conv3 .. conv5, fc6, fc7, logits are those of the paper's figure 3. With the
    defaults the maps are 32x30x30 -> 32x15x15 -> 48x7x7 -> 48x3x3 -> .. -> 48x3x3 -> 96 -> 96 -> 16. We depart from the
    paper in three ways: a third of conv1's channels, a fifth or sixth of the others', a 43rd of the dense neurons; no
    pooling after conv5, whose maps have 3 x 3 numbers left; no contrast normalization.

    Args:
        generator: where the first weights come from. Biases begin at 0.
        first: one of `FIRST_LAYERS`: the paper's, or that of the net which it improves (Krizhevsky et al. 2012).
        conv: channels of each convolution, at least two; the middle ones are those from the third on.
        dense: neurons of each dense layer before the logits.
        small: layers whose weights begin with standard deviation 1e-2, as all weights do in the paper. The others begin
            as in He et al. 2015: with so few channels, 1e-2 would make activations 6 to 17 times smaller in each layer.

    An unknown `first` or layer in `small`, or fewer than two convolutions, raises a ValueError.
    """
    if first not in FIRST_LAYERS or len(conv) < 2:
        raise ValueError(f"first must be one of {', '.join(FIRST_LAYERS)}, conv two or more; not {first!r}, {conv}")
    (kernel1, stride1, padding1), (kernel2, stride2, padding2) = FIRST_LAYERS[first]
    layers: dict[str, nn.Module] = {
        "conv1": nn.Sequential(Normalize((0.45,) * 3, (0.25,) * 3), nn.Conv2d(3, conv[0], kernel1, stride1, padding1)),
        "relu1": nn.ReLU(),
        "pool1": nn.MaxPool2d(3, 2, ceil_mode=stride1 == 2),
        "conv2": nn.Conv2d(conv[0], conv[1], kernel2, stride2, padding2),
        "relu2": nn.ReLU(),
        "pool2": nn.MaxPool2d(3, 2),
    }
    for number, (inputs, outputs) in enumerate(pairwise(conv[1:]), start=3):
        layers |= {f"conv{number}": nn.Conv2d(inputs, outputs, 3, padding=1), f"relu{number}": nn.ReLU()}
    layers["flatten"] = nn.Flatten()
    units = (conv[-1] * 9, *dense)
    for number, (inputs, outputs) in enumerate(pairwise(units), start=6):
        layers |= {f"drop{number}": nn.Dropout(0.5), f"fc{number}": nn.Linear(inputs, outputs)}
        layers[f"relu{number}"] = nn.ReLU()
    layers["logits"] = nn.Linear(units[-1], len(PHOTOS))
    chain = initialize(named(**layers), generator)
    for name in small:
        if name not in layers or not list(layers[name].parameters()):
            raise ValueError(f"small must name layers with weights, not {name!r}")
        nn.init.normal_(weights_of(chain, name), std=1e-2, generator=generator)
    return chain.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def filter_rms(filters: Tensor) -> Tensor:
    """The root mean square of each filter's numbers: (filters, C, h, w) -> (filters,)."""
    return filters.square().mean(dim=(1, 2, 3)).sqrt()


def renormalize(filters: Tensor, radius: float = 1e-1) -> Tensor:
    """Scale the filters whose RMS exceeds `radius` down to it (the paper's section 3): (filters, C, h, w) -> same."""
    return filters * (radius / filter_rms(filters)).clamp(max=1).view(-1, 1, 1, 1)


def train_zfnet(
    chain: nn.Sequential, examples: Examples, *, epochs: int, generator: Generator, radius: float = 1e-1
) -> Run:
    """Train as the paper does: SGD with momentum 0.9, filters renormalized at each step, a learning rate that falls.

    When the mean loss has not improved by 2 % for two epochs, the learning rate is divided by 3. (The paper watches the
    validation error and lowers the rate by hand.)

    Args:
        chain: what `zfnet` gives; it is changed.
        examples: stored crops, (N, 3, 72, 72), and their labels.
        generator: shuffles and changes the crops, and seeds the dropout.
        radius: of `renormalize`, for the convolutions; infinity leaves them alone.
    """
    convolutions = [module.weight for module in chain.modules() if isinstance(module, nn.Conv2d)]

    def shrink_filters() -> None:
        with torch.no_grad():
            for filters in convolutions:
                filters.copy_(renormalize(filters, radius))

    def augment(images: Tensor, generator: Generator) -> Tensor:
        return augment_crops(images, generator).contiguous(memory_format=torch.channels_last)  # as the weights are

    return fit(
        chain, examples, epochs=epochs, generator=generator, batch=128, rate=1e-2, augment=augment,
        optimizer=partial(torch.optim.SGD, momentum=0.9), schedule=_lower_when_stuck, after_step=shrink_filters,
    )  # fmt: skip


def _lower_when_stuck(optimizer: torch.optim.Optimizer, rate: float, total: int) -> Callable[[Step], None]:
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=1 / 3, patience=1, threshold=0.02)
    losses: list[float] = []

    def adjust_rate(step: Step) -> None:
        losses.append(step.value)
        if step.ends_stage:
            schedule.step(sum(losses) / len(losses))
            losses.clear()

    return adjust_rate


def zfnet_data() -> tuple[Examples, Examples]:
    """3,200 stored crops, (N, 3, 72, 72), which the shipped nets learned from, and 1,600 held out, (N, 3, 64, 64)."""
    generator = Generator().manual_seed(0)
    train, held_out = photo_crops(200, generator), photo_crops(100, generator, held_out=True)
    return train, Examples(center_crop(held_out.images, SEEN), held_out.labels)


def trained_zfnet(name: str | int = EPOCHS[-1]) -> Net:
    """A shipped net, which `make checkpoints` made: the main one after so many epochs (0: untrained), or a variant."""
    if name == 0:
        return Net(zfnet(Generator().manual_seed(0)), PHOTOS)
    if name not in (*EPOCHS, *VARIANTS):
        raise ValueError(f"unknown ZF-net {name!r}: there are {', '.join(map(str, (0, *EPOCHS, *VARIANTS)))}")
    options = VARIANTS[name].options if isinstance(name, str) else {}
    return Net(load_checkpoint(zfnet(Generator(), **options), checkpoint_file(name)), PHOTOS)


def checkpoint_file(name: str | int) -> str:
    """The file of a shipped net in data/, as SHA256SUMS lists it."""
    stem = VARIANTS[name].file if isinstance(name, str) else f"epoch-{name:02}"
    return f"zfnet/{stem}.safetensors"
