"""The lecture's network for handwritten digits: its frame, its recipe, its trained weights."""

from torch import Generator, nn

from cnnlab.datasets import Examples, affine
from cnnlab.descent import Run
from cnnlab.nets import named
from cnnlab.training import CHECKPOINTS, fit, initialize, load_checkpoint, recorded_sha256

POOLINGS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d, "none": nn.Identity}
CHECKPOINT = CHECKPOINTS / "mnist_cnn.safetensors"


def mnist_cnn(
    generator: Generator, filters: tuple[int, int] = (25, 50), kernel: int = 3, pooling: str = "max", dense: int = 100
) -> nn.Sequential:
    """The frame conv - pool - conv - pool - flatten - dense - 10 logits, untrained (rows A4 of the lecture).

    (B, 1, 28, 28) -> 25x26x26 -> 25x13x13 -> 50x11x11 -> 50x5x5 -> 1250 -> 100 -> 10 with the defaults.

    Args:
        generator: where the first weights come from.
        filters: of the two convolutions.
        kernel: rows and columns of their filters, at most 9.
        pooling: "max", "average" or "none"; of 2 x 2.
        dense: neurons between the maps and the logits.

    Raises:
        ValueError: for another pooling or a kernel that does not fit.
    """
    if pooling not in POOLINGS or not 1 <= kernel <= 9:
        raise ValueError(
            f"pooling must be one of {', '.join(POOLINGS)} and kernel 1 to 9, not {pooling!r} and {kernel}"
        )
    pool, (first, second) = POOLINGS[pooling], filters
    side = 28 - kernel + 1
    side = (side if pooling == "none" else side // 2) - kernel + 1
    side = side if pooling == "none" else side // 2
    chain = named(
        conv1=nn.Conv2d(1, first, kernel),
        relu1=nn.ReLU(),
        pool1=pool(2),
        conv2=nn.Conv2d(first, second, kernel),
        relu2=nn.ReLU(),
        pool2=pool(2),
        flatten=nn.Flatten(),
        dense1=nn.Linear(second * side * side, dense),
        relu3=nn.ReLU(),
        logits=nn.Linear(dense, 10),
    )
    return initialize(chain, generator)


def train_mnist_cnn(chain: nn.Sequential, train: Examples, generator: Generator, epochs: int = 30) -> Run:
    """The recipe of the shipped weights: one cycle of Adam, each digit turned, sized, sheared and moved a little."""
    return fit(chain, train, epochs=epochs, generator=generator, batch=64, rate=3e-3, augment=affine)


def trained_mnist_cnn() -> nn.Sequential:
    """The chain with the shipped weights, made by `make checkpoints`."""
    return load_checkpoint(mnist_cnn(Generator().manual_seed(0)), CHECKPOINT, recorded_sha256(CHECKPOINT.name))
