"""Linear classifiers on the layers of a net: the tasks, the features, the accuracy. Chapter 09."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits
from torch import Generator, Tensor

from cnnlab.chapters.ch09_parts import faces_and_others
from cnnlab.images import center_crop, resize
from cnnlab.material.crops import SEEN
from cnnlab.material.digits import mnist
from cnnlab.material.photos import PHOTOS
from cnnlab.nets import Net
from cnnlab.training import Examples
from cnnlab.zoo.zfnets import zfnet_data

STAGES = ("pool1", "pool3", "pool5", "fire7", "fire9")  # of SqueezeNet
BLOCKS = ("block2_2", "block3_2", "block5_3", "block7_1", "pool")  # of EfficientNet-Lite0
OWN = ("relu1", "relu2", "relu3", "relu4", "relu5", "relu6", "relu7")  # of our ZF-net
# scikit-learn's C: a small one keeps the weights small. With C = 1 the accuracies are those of 0.1, or a little lower.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)
KINDS = ("SVM", "softmax")


class Task(NamedTuple):
    """Three sets of images: to learn from, to choose C by, and those that count. In each the classes come in turn."""

    learn: Examples
    validation: Examples
    exam: Examples


def drawn(examples: Examples, classes: int, counts: Sequence[int], generator: Generator) -> Iterator[Examples]:
    """Draw sets with so many images of each class. In `examples` and in the sets the classes come in turn."""
    rounds = torch.randperm(len(examples.labels) // classes, generator=generator)
    for chosen in rounds[: sum(counts)].split(list(counts)):
        numbers = (chosen[:, None] * classes + torch.arange(classes)).flatten()
        yield Examples(examples.images[numbers], examples.labels[numbers])


def faces_or_not() -> Examples:
    """100 faces (label 1) and 100 other patches (0) that come with scikit-image, in turn: (200, 1, 25, 25)."""
    both = faces_and_others().view(2, 100, 1, 25, 25).flip(0)
    return Examples(both.transpose(0, 1).flatten(0, 1), torch.arange(2).repeat(100))


def photograph_task(generator: Generator) -> Task:
    """Which of 16 photographs is it? The exam has crops of the held-out parts, the validation set has none."""
    train, held_out = zfnet_data()
    learned = drawn(Examples(center_crop(train.images, SEEN), train.labels), len(PHOTOS), (10, 10), generator)
    return Task(*learned, *drawn(held_out, len(PHOTOS), (20,), generator))


TASKS: dict[str, Callable[[Generator], Task]] = {
    "16 photographs": photograph_task,
    "faces or not": lambda generator: Task(*drawn(faces_or_not(), 2, (3, 20, 70), generator)),
    "digits": lambda generator: Task(*drawn(mnist()[0], 10, (10, 10, 30), generator)),
}


@cache
def make_task(name: str, seed: int) -> Task:
    """Draw the sets of one of `TASKS`."""
    return TASKS[name](Generator().manual_seed(seed))


def pooled(net: Net, images: Tensor, layers: Sequence[str], side: int) -> dict[str, Tensor]:
    """Features of images that are resized to `side` pixels: layer -> (B, 4 * channels), 2 x 2 means of each map.

    A layer without maps, (B, neurons), stays as it is. "pixels" are features, too: the means of 8 x 8 squares.
    """
    kept: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    with torch.no_grad():
        for part in images.split(80):
            seen = resize(part, side).clamp(0, 1).expand(-1, 3, -1, -1)
            for layer, maps in net.activations(seen, layers).items():
                kept[layer].append((F.adaptive_avg_pool2d(maps, 2) if maps.ndim == 4 else maps).flatten(1))
    pixels = F.adaptive_avg_pool2d(images, 8).flatten(1)
    return {"pixels": pixels} | {layer: torch.cat(parts) for layer, parts in kept.items()}


def fitted(kind: str, strength: float, features: Tensor, labels: Tensor) -> Pipeline:
    """Train a linear classifier of features (N, ...), each scaled to mean 0 and variance 1; `kind` is of `KINDS`."""
    models = {
        "SVM": LinearSVC(C=strength, max_iter=10000, random_state=0),
        "softmax": LogisticRegression(C=strength, max_iter=1000),
    }
    with threadpool_limits(1):  # its steps are so small that two threads, which wait for each other, take 20 x as long
        return make_pipeline(StandardScaler(), models[kind]).fit(features.numpy(), labels.numpy())


def tuned(kind: str, known: Tensor, labels: Tensor, validation: Tensor, answers: Tensor) -> Pipeline:
    """The classifier whose C is best on the validation set; of equally good ones, that with the smallest C."""
    found = [fitted(kind, strength, known, labels) for strength in STRENGTHS]
    return max(found, key=lambda classifier: classifier.score(validation.numpy(), answers.numpy()))


class Features(NamedTuple):
    """The features of a task's three sets: layer -> (B, ...)."""

    learn: dict[str, Tensor]
    validation: dict[str, Tensor]
    exam: dict[str, Tensor]


def features_of(net: Net, task: Task, layers: Sequence[str], side: int) -> Features:
    """Compute the features of all images of a task."""
    return Features(*(pooled(net, examples.images, layers, side) for examples in task))


def tuned_on(task: Task, features: Features, layer: str, kind: str, number: int | None = None) -> Pipeline:
    """Train on a layer's features of the first `number` images of each class, or of all; the validation chooses C."""
    part = slice(number and number * int(task.learn.labels.max() + 1))
    learned, labels = features.learn[layer][part], task.learn.labels[part]
    return tuned(kind, learned, labels, features.validation[layer], task.validation.labels)


def judged(classifier: Pipeline, task: Task, features: Features, layer: str) -> float:
    """The accuracy in the exam."""
    return float(classifier.score(features.exam[layer].numpy(), task.exam.labels.numpy()))


def probe(task: Task, features: Features) -> dict[str, dict[str, float]]:
    """The accuracy of both classifiers in the exam: layer -> kind -> share."""
    return {
        layer: {kind: judged(tuned_on(task, features, layer, kind), task, features, layer) for kind in KINDS}
        for layer in features.learn
    }
