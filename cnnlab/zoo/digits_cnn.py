"""The network for handwritten digits: its layers, how it is trained, its trained weights."""

from torch import Generator, nn

from cnnlab.material.digits import affine
from cnnlab.nets import named
from cnnlab.runs import Run
from cnnlab.training import Examples, fit, initialize
from cnnlab.zoo.checkpoints import load_checkpoint

POOLINGS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d, "none": nn.Identity}
CHECKPOINT = "mnist_cnn.safetensors"


def mnist_cnn(
    generator: Generator, filters: tuple[int, int] = (25, 50), kernel: int = 3, pooling: str = "max"
) -> nn.Sequential:
    """The chain conv - pool - conv - pool - flatten - dense - 10 logits, untrained. Chapter 02.

    (B, 1, 28, 28) -> 25x26x26 -> 25x13x13 -> 50x11x11 -> 50x5x5 -> 1250 -> 100 -> 10 with the defaults.

    Args:
        generator: where the first weights come from.
        filters: how many each of the two convolutions has.
        kernel: rows and columns of the filters, at most 9.
        pooling: "max", "average" or "none"; of 2 x 2. Another pooling, or another kernel, raises a ValueError.
    """
    if pooling not in POOLINGS or not 1 <= kernel <= 9:
        known = ", ".join(POOLINGS)
        raise ValueError(f"pooling must be one of {known} and kernel 1 to 9, not {pooling!r} and {kernel}")
    pool, (first, second) = POOLINGS[pooling], filters
    shrink = 1 if pooling == "none" else 2
    side = ((28 - kernel + 1) // shrink - kernel + 1) // shrink
    chain = named(
        conv1=nn.Conv2d(1, first, kernel),
        relu1=nn.ReLU(),
        pool1=pool(2),
        conv2=nn.Conv2d(first, second, kernel),
        relu2=nn.ReLU(),
        pool2=pool(2),
        flatten=nn.Flatten(),
        dense1=nn.Linear(second * side * side, 100),
        relu3=nn.ReLU(),
        logits=nn.Linear(100, 10),
    )
    return initialize(chain, generator)


def train_mnist_cnn(chain: nn.Sequential, train: Examples, generator: Generator, epochs: int = 30) -> Run:
    """Train as the shipped weights were trained: one cycle of Adam, with small random changes of each digit."""
    return fit(chain, train, epochs=epochs, generator=generator, augment=affine)


def trained_mnist_cnn() -> nn.Sequential:
    """The chain with the shipped weights, which `make checkpoints` made."""
    return load_checkpoint(mnist_cnn(Generator()), CHECKPOINT)
