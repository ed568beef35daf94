"""A small ZF-net and its training (Zeiler & Fergus 2013, "Visualizing and Understanding Convolutional Networks").

Where it departs from the paper, and why, is said at each place and listed in `zfnet`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from cnnlab.crops import centre, crops, vary
from cnnlab.datasets import Examples
from cnnlab.descent import Run, Step
from cnnlab.images import PHOTOS
from cnnlab.nets import Net, Normalize, named
from cnnlab.training import CHECKPOINTS, TrainingStep, initialize, load_checkpoint, recorded_sha256

# The first two layers: kernel, stride and padding of each. From the second pooling on both nets have the same maps.
FIRST_LAYERS = {"7x7 stride 2": ((7, 2, 1), (5, 2, 1)), "11x11 stride 4": ((11, 4, 2), (5, 1, 2))}


def zfnet(
    generator: Generator, *, first: str = "7x7 stride 2", conv: Sequence[int] = (32, 48, 64, 64, 48),
    dense: Sequence[int] = (96, 96), small: Sequence[str] = ("conv1",),
) -> nn.Sequential:  # fmt: skip
    """The ZF-net for images of 64 x 64 instead of 224 x 224, untrained: (B, 3, 64, 64) -> logits (B, 16).

    conv1, pool1, conv2, pool2, conv3 .. conv5, fc6, fc7, logits, as in the paper's figure 3; 32x30x30 -> 32x15x15 ->
    48x7x7 -> 48x3x3 -> .. -> 48x3x3 -> 96 -> 96 -> 16 with the defaults. Departures: an eighth of the channels; no
    pooling after conv5, whose maps have 3 x 3 numbers left; no contrast normalisation.

    Args:
        generator: where the first weights come from. Biases begin at 0.
        first: one of `FIRST_LAYERS`: the paper's, or that of the net which it improves (Krizhevsky et al. 2012).
        conv: channels of each convolution, at least two; the middle ones are those from the third on.
        dense: neurons of each dense layer before the logits.
        small: layers whose weights begin as the paper's, with standard deviation 1e-2. The others begin as He et al.
            2015 want it: with so few channels, 1e-2 throughout would dim the image by 5 in each layer.

    Raises:
        ValueError: for an unknown `first` or layer in `small`, or fewer than two convolutions.
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
    for number, (inputs, outputs) in enumerate(zip(conv[1:], conv[2:], strict=False), start=3):
        layers |= {f"conv{number}": nn.Conv2d(inputs, outputs, 3, padding=1), f"relu{number}": nn.ReLU()}
    layers["flatten"] = nn.Flatten()
    inputs = conv[-1] * 9
    for number, outputs in enumerate(dense, start=6):
        dense_layer = nn.Linear(inputs, outputs)
        layers |= {f"drop{number}": nn.Dropout(0.5), f"fc{number}": dense_layer, f"relu{number}": nn.ReLU()}
        inputs = outputs
    layers["logits"] = nn.Linear(inputs, len(PHOTOS))
    chain = initialize(named(**layers), generator)
    for name in small:
        if name not in layers or not list(layers[name].parameters()):
            raise ValueError(f"small must name layers with weights, not {name!r}")
        nn.init.normal_(weights(chain, name), std=1e-2, generator=generator)
    return chain.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def weights(chain: nn.Sequential, layer: str) -> Tensor:
    """The weights of a layer, the parameter itself: (filters, C, h, w), or (neurons, inputs) of a dense layer."""
    return next(p for name, p in chain.get_submodule(layer).named_parameters() if name.endswith("weight"))


def rms(filters: Tensor) -> Tensor:
    """The root mean square of each filter's numbers: (filters, C, h, w) -> (filters,)."""
    return filters.square().mean(dim=(1, 2, 3)).sqrt()


def renormalize(filters: Tensor, radius: float = 1e-1) -> Tensor:
    """Filters (F, C, h, w); those whose RMS exceeds `radius` are scaled down to it (the paper's section 3)."""
    return filters * (radius / rms(filters)).clamp(max=1).view(-1, 1, 1, 1)


def train_zfnet(
    chain: nn.Sequential, examples: Examples, *, epochs: int, generator: Generator, batch: int = 128,
    rate: float = 1e-2, radius: float = 1e-1, augment: Callable[[Tensor, Generator], Tensor] = vary,
) -> Run:  # fmt: skip
    """Train as the paper does: SGD with momentum 0.9, the rate lowered when stuck, filters renormalised at each step.

    Stuck is: for two epochs the mean loss has not fallen by 2 % below its lowest; the rate is then divided by 3. (The
    paper asks the validation error and lowers by hand.)

    Args:
        chain: what `zfnet` gives; it is changed.
        examples: stored crops, and their labels.
        epochs: how often each is seen.
        generator: shuffles, varies, and seeds the dropout.
        batch: examples per step.
        rate: the learning rate at first.
        radius: of `renormalize`, for the convolutions; infinity leaves them alone.
        augment: stored crops (B, 3, 72, 72) -> what the net sees (B, 3, 64, 64).

    Returns:
        A Run of `TrainingStep`; the stage is the epoch.
    """
    images, labels = examples
    descent = torch.optim.SGD(chain.parameters(), rate, momentum=0.9)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(descent, factor=1 / 3, patience=1, threshold=0.02)
    convolutions = [module.weight for module in chain.modules() if isinstance(module, nn.Conv2d)]
    per_epoch = -(-len(images) // batch)

    def generate() -> Iterator[Step]:
        dropout = int(torch.randint(2**31, (), generator=generator))
        for epoch in range(epochs):
            losses: list[float] = []
            for chosen in torch.randperm(len(images), generator=generator).split(batch):
                number = epoch * per_epoch + len(losses) + 1
                seen = augment(images[chosen], generator).contiguous(memory_format=torch.channels_last)
                chain.train()
                with torch.random.fork_rng(devices=[]):  # dropout has no generator of its own
                    torch.manual_seed(dropout + number)
                    logits = chain(seen)  # (batch, classes)
                loss = F.cross_entropy(logits, labels[chosen])
                descent.zero_grad()
                loss.backward()
                descent.step()
                with torch.no_grad():
                    for filters in convolutions:
                        filters.copy_(renormalize(filters, radius))
                losses.append(loss.item())
                ends = len(losses) == per_epoch
                if ends:
                    schedule.step(sum(losses) / per_epoch)
                yield TrainingStep(
                    number, epochs * per_epoch, losses[-1], partial(torch.clone, seen), partial(torch.clone, seen),
                    stage=epoch, ends_stage=ends, accuracy=(logits.argmax(1) == labels[chosen]).float().mean().item(),
                    chain=chain,
                )  # fmt: skip

    return Run(generate(), epochs * per_epoch, images[:batch])


# What `make checkpoints` trains beside the main net: name -> epochs, options of `zfnet`, options of `train_zfnet`.
VARIANTS: dict[str, tuple[int, dict, dict]] = {
    "11x11 stride 4": (48, {"first": "11x11 stride 4"}, {}),
    "radius 5e-2": (32, {}, {"radius": 5e-2}),
    "He throughout": (32, {"small": ()}, {}),
    "1e-2 throughout": (24, {"small": ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "logits")}, {}),
    "without conv3, conv4": (24, {"conv": (32, 48, 48)}, {}),
    "without fc6, fc7": (24, {"dense": ()}, {}),
    "without all four": (24, {"conv": (32, 48, 48), "dense": ()}, {}),
    "fc6, fc7 a third": (24, {"dense": (32, 32)}, {}),
    "fc6, fc7 threefold": (24, {"dense": (288, 288)}, {}),
    "conv3 .. conv5 halved": (24, {"conv": (32, 48, 32, 32, 24)}, {}),
    "conv3 .. conv5 doubled": (24, {"conv": (32, 48, 128, 128, 96)}, {}),
}
EPOCHS = (1, 2, 4, 8, 16, 24, 32, 48)  # of the main net that are kept; the last ends its training
FOLDER = CHECKPOINTS / "zfnet"


def zfnet_data() -> tuple[Examples, Examples]:
    """What the shipped nets were trained on, 3,200 stored crops, and 1,600 held out, as a net sees them."""
    generator = Generator().manual_seed(0)
    train, held_out = crops(200, generator), crops(100, generator, held_out=True)
    return train, Examples(centre(held_out.images), held_out.labels)


def trained_zfnet(name: str | int = EPOCHS[-1]) -> Net:
    """A shipped net, made by `make checkpoints`: after so many epochs (0: untrained), or a variant by its name.

    Raises:
        ValueError: for an unknown name.
    """
    if name == 0:
        return Net(zfnet(Generator().manual_seed(0)), PHOTOS)
    if name not in (*EPOCHS, *VARIANTS):
        known = ", ".join(map(str, (0, *EPOCHS, *VARIANTS)))
        raise ValueError(f"unknown ZF-net {name!r}: there are {known}")
    file = checkpoint_file(name)
    build = VARIANTS[name][1] if isinstance(name, str) else {}
    return Net(load_checkpoint(zfnet(Generator(), **build), file, recorded_sha256(f"zfnet/{file.name}")), PHOTOS)


def checkpoint_file(name: str | int) -> Path:
    """Where the weights of a shipped net are."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()) if isinstance(name, str) else f"epoch-{name:02}"
    return FOLDER / f"{words}.safetensors"
