"""The digits in three sets, and the nets that chapter 02 compares: connected ones, small CNNs, the lecture's CNN."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, nn

from cnnlab.material.digits import mnist
from cnnlab.nets import named
from cnnlab.training import Examples, accuracy, fit, initialize
from cnnlab.zoo.digits_cnn import mnist_cnn

Build = Callable[[], nn.Sequential]


def three_sets() -> tuple[Examples, Examples, Examples]:
    """Give 3,500 digits for training, 500 for validation and 1,000 for the exam; each digit is equally frequent."""
    digits, exam = mnist()
    return Examples(*(part[:3500] for part in digits)), Examples(*(part[3500:] for part in digits)), exam


def shuffled(examples: Examples, seed: int) -> Examples:
    """Put the pixels of all images into the same random order, which the seed gives."""
    order = torch.randperm(examples.images[0].numel(), generator=Generator().manual_seed(seed))
    return Examples(examples.images.flatten(1)[:, order].view_as(examples.images), examples.labels)


def connected(width: int) -> nn.Sequential:
    """Build the chain 784 pixels - `width` neurons - 10 logits, in which every neuron reads all numbers below it."""
    return named(flatten=nn.Flatten(), dense1=nn.Linear(784, width), relu1=nn.ReLU(), logits=nn.Linear(width, 10))


def small_cnn(first: int, second: int) -> nn.Sequential:
    """Build the lecture's architecture with other numbers of filters and without its hidden dense layer."""
    layers = dict(mnist_cnn(Generator(), (first, second)).named_children())
    below = {name: layer for name, layer in layers.items() if name not in ("dense1", "relu3", "logits")}
    return named(**below, logits=nn.Linear(second * 25, 10))


NETS: dict[str, Build] = {
    "connected, 100": lambda: connected(100),
    "connected, 300": lambda: connected(300),
    "connected, 1,000": lambda: connected(1000),
    "small CNN, 4 and 8": lambda: small_cnn(4, 8),
    "small CNN, 8 and 16": lambda: small_cnn(8, 16),
    "the lecture's CNN": lambda: mnist_cnn(Generator()),
}


def trained(
    build: Build, train: Examples, seed: int, rate: float, epochs: int, frozen: Sequence[str] = ()
) -> nn.Sequential:
    """Draw the first weights and train all layers but the `frozen` ones; everything random comes from the seed."""
    generator = Generator().manual_seed(seed)
    chain = initialize(build(), generator)
    for name in frozen:
        chain.get_submodule(name).requires_grad_(False)
    fit(chain, train, epochs=epochs, rate=rate, generator=generator).finish(progress=False)
    return chain


def best_of(
    build: Build, sets: Sequence[Examples], seed: int, rates: Sequence[float], epochs: int, frozen: Sequence[str] = ()
) -> tuple[dict[str, Any], nn.Sequential]:
    """Train with each learning rate, and take the net that is the best on the validation set.

    Gives its number of parameters that are trained, its rate, its accuracy on each set, and the net itself.
    """
    train, validation, exam = sets
    tried = {rate: trained(build, train, seed, rate, epochs, frozen) for rate in rates}
    rate, chain = max(tried.items(), key=lambda pair: accuracy(pair[1], validation))
    scores = {"train": train, "validation": validation, "exam": exam}
    numbers: dict[str, Any] = {
        "parameters": sum(parameter.numel() for parameter in chain.parameters() if parameter.requires_grad),
        "rate": rate,
    }
    return numbers | {name: round(accuracy(chain, of), 4) for name, of in scores.items()}, chain
