"""What do other nets read in the pictures that the course's net makes for its outputs and for its dense neurons?

A reader has the same architecture and is trained by the same recipe, from other first weights. So it shares what the
net learned about digits, but not its accidents. Chapter 03.
"""

from functools import cache, partial
from typing import Any

import torch
from torch import Generator, Tensor

from cnnlab.chapters.ch03_measures import neighbor, thinned
from cnnlab.descent import descend
from cnnlab.images import noise
from cnnlab.material.digits import mnist
from cnnlab.objectives import channel, cross_entropy, logit, pixel_norm, total_variation
from cnnlab.training import accuracy, logits_of
from cnnlab.transforms import blur, compose, jitter
from cnnlab.zoo.digits_cnn import mnist_cnn, train_mnist_cnn
from cnnlab.zoo.load import load_net

SEEDS = (1, 2, 3, 4, 5)  # the course's net has the seed 0
FULL = {"epochs": 30, "starts": 4, "steps": 200, "noises": 1000}
TINY = {"epochs": 1, "starts": 1, "steps": 2, "noises": 10}
SOFT = compose(partial(blur, sigma=1.0), jitter(2))


@cache
def dense_pictures(steps: int, noises: int) -> dict[str, Tensor]:
    """Make the pictures of all dense neurons, without a prior and with one, and noises; the same for each reader."""
    net, neurons = load_net("mnist", device="cpu"), list(range(100))
    start = noise((100, 1, 28, 28), Generator().manual_seed(0))
    made = {"noise": noise((noises, 1, 28, 28), Generator().manual_seed(1), std=0.5)}
    for name, transform in {"dense": None, "dense, blur + jitter": SOFT}.items():
        run = descend(net, -channel("dense1", neurons), start, steps=steps, transform=transform)
        made[name] = run.finish(progress=False)
    return made


def pictures(seed: int, starts: int, steps: int) -> dict[str, Tensor]:
    """Make pictures of the outputs 0 to 9 in the chapter's ways, from several starts of this seed; and real digits."""
    net, classes = load_net("mnist", device="cpu"), list(range(10)) * starts
    start = noise((len(classes), 1, 28, 28), Generator().manual_seed(seed))
    ways: dict[str, tuple[Any, Any]] = {
        "nothing": (-logit(classes), None),
        "L1": (-logit(classes) + 100 * pixel_norm(1), None),
        "TV": (-logit(classes) + 50 * total_variation(), None),
        "L1 + TV": (-logit(classes) + 50 * pixel_norm(1) + 50 * total_variation(), None),
        "blur + jitter": (-logit(classes), SOFT),
        "L1 + blur + jitter": (-logit(classes) + 20 * pixel_norm(1), SOFT),
        "probability": (cross_entropy(classes), None),
    }
    made = {
        name: descend(net, objective, start, steps=steps, transform=transform).finish(progress=False)
        for name, (objective, transform) in ways.items()
    }
    made["thinned"] = thinned(made["nothing"], float(made["L1"].mean()), Generator().manual_seed(seed))
    return made | {"digits": mnist()[1].images}


def measure(seed: int, epochs: int, starts: int, steps: int, noises: int) -> dict[str, Any]:
    """Train a reader; for each kind of picture, what it and the nearest training digit say, as digits in a row."""
    train, held_out = mnist()
    generator = Generator().manual_seed(seed)
    chain = mnist_cnn(generator)
    train_mnist_cnn(chain, train, generator, epochs).finish(progress=False)
    kinds: dict[str, dict[str, Any]] = {}
    for name, images in (pictures(seed, starts, steps) | dense_pictures(steps, noises)).items():
        chances = logits_of(chain, images).softmax(dim=1)
        kinds[name] = {"read": in_a_row(chances.argmax(dim=1)), "ink": images.mean().item()}
        if not name.startswith(("dense", "noise")):
            wanted = held_out.labels if name == "digits" else torch.arange(len(images)) % 10
            labels, distances = neighbor(images, train)
            kinds[name] |= {
                "probability": chances[torch.arange(len(images)), wanted].mean().item(),
                "neighbor": in_a_row(labels),
                "distance": distances.median().item(),
            }
    return {"accuracy": accuracy(chain, held_out), "kinds": kinds}


def in_a_row(labels: Tensor) -> str:
    return "".join(map(str, labels.tolist()))
