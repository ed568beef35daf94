"""The other loop: training a net. It is an iterator of steps like every other run."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from cnnlab.inputs import as_floats, as_labels, integer, real
from cnnlab.runs import Run, Step

Augment = Callable[[Tensor, Generator], Tensor]
Perturb = Callable[[Tensor, Tensor], Tensor]
OptimizerRule = Callable[[Iterable[nn.Parameter], float], Optimizer]
ScheduleRule = Callable[[Optimizer, float, int], Callable[[Step], None]]


class Examples(NamedTuple):
    """Images (N, C, H, W) in [0, 1] and their labels (N,), class numbers."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class TrainingStep(Step):
    """One step of a training: `value` is the loss of its batch before the step; the stage is the epoch.

    Attributes:
        accuracy: of its batch before the step, in [0, 1].
        chain: the net so far. It goes on learning: `Net(step.chain)` is a copy to keep.
    """

    accuracy: float = 0.0
    chain: nn.Sequential | None = None


def one_cycle(optimizer: Optimizer, rate: float, total: int) -> Callable[[Step], None]:
    """Raise the learning rate to `rate` and lower it to nothing again (Smith & Topin 2018, "Super-convergence")."""
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=total)
    return lambda step: schedule.step() if step.number < total else None


def fit(
    chain: nn.Sequential, examples: Examples, *, epochs: int, generator: Generator, batch: int = 64, rate: float = 3e-3,
    augment: Augment | None = None, perturb: Perturb | None = None, optimizer: OptimizerRule = torch.optim.Adam,
    schedule: ScheduleRule = one_cycle, after_step: Callable[[], None] | None = None,
) -> Run:  # fmt: skip
    """Train the chain in place with cross-entropy; a step is one batch, and the run's image is the batch it saw.

    Args:
        chain: gives logits (B, classes); the batches are moved to where its parameters are.
        examples: what to learn.
        epochs: how often each example is seen.
        generator: shuffles the examples, is handed to `augment`, and seeds dropout.
        batch: examples per step.
        rate: the highest learning rate.
        augment: (images, generator) -> images of the same shape, anew at each step.
        perturb: (images, labels) -> images of the same shape, called after `augment`. If it returns adversarial
            examples for the current chain, this is adversarial training.
        optimizer: (parameters, rate) -> one of PyTorch's optimizers.
        schedule: (optimizer, rate, number of steps) -> a function that is called with each step and sets the rate.
        after_step: is called after each step, to change the chain's parameters once more.

    Raises:
        ValueError: for epochs, batch or rate that are not positive, a chain that cannot be trained, images and labels
            of different number, labels that are not whole numbers, or (at the first step) not classes of the chain.
        FloatingPointError: when the loss becomes NaN or infinite: the learning rate is too large.
    """
    images, labels = _checked(examples)
    epochs, batch = integer(epochs, "epochs", 1), integer(batch, "batch", 1)
    rate = real(rate, "rate")
    if not 0 < rate < float("inf"):
        raise ValueError(f"rate must be finite and positive, not {rate}")
    parameters = [parameter for parameter in chain.parameters() if parameter.requires_grad]
    if not parameters:
        raise ValueError("chain has no parameter to train; those of a Net are frozen: train the model, then wrap it")
    per_epoch = -(-len(images) // batch)
    total = epochs * per_epoch
    optimizing = optimizer(chain.parameters(), rate)
    adjust_rate = schedule(optimizing, rate, total)
    device = parameters[0].device
    lowest, highest = int(labels.min()), int(labels.max())
    seen = images[:batch]

    def take_steps() -> Iterator[Step]:
        nonlocal seen
        drops = any(isinstance(module, nn.Dropout) for module in chain.modules())
        seed = int(torch.randint(2**31, (), generator=generator)) if drops else 0
        for number in range(1, total + 1):
            epoch, position = divmod(number - 1, per_epoch)
            if position == 0:
                batches = torch.randperm(len(images), generator=generator).split(batch)
            chosen = batches[position]
            with torch.inference_mode(False), torch.enable_grad():  # whatever mode the caller is in
                seen = augment(images[chosen], generator) if augment else images[chosen]  # (batch, C, H, W)
                seen = perturb(seen, labels[chosen]) if perturb else seen
                target = labels[chosen].to(device)
                chain.train()
                with torch.random.fork_rng(devices=[], enabled=drops):  # dropout takes no generator
                    if drops:
                        torch.manual_seed(seed + number)
                    logits = _answers(chain, seen.to(device))  # (batch, classes)
                if not 0 <= lowest <= highest < logits.shape[1]:
                    wrong = lowest if lowest < 0 else highest
                    raise ValueError(f"class {wrong} is not one of the chain's, 0 to {logits.shape[1] - 1}")
                loss = F.cross_entropy(logits, target)
                value = loss.item()
                if not value < float("inf"):
                    raise FloatingPointError(f"step {number} of {total}: the loss is {value}; try a smaller rate")
                optimizing.zero_grad()
                loss.backward()
                optimizing.step()
            if after_step:
                after_step()
            right = (logits.argmax(1) == target).float().mean().item()
            step = TrainingStep(number, total, value, epoch, position == per_epoch - 1, accuracy=right, chain=chain)
            adjust_rate(step)
            yield step

    return Run(take_steps(), total, image=lambda: seen.clone())


def initialize(chain: nn.Sequential, generator: Generator) -> nn.Sequential:
    """Draw every weight with variance 2 / inputs (He et al. 2015, eq. 10), set every bias to 0, and give the chain."""
    for module in chain.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return chain


def logits_of(chain: nn.Module, images: Tensor, batch: int = 500) -> Tensor:
    """The logits (N, classes) of all images, a batch at a time, without gradients and in eval mode."""
    images, batch = as_floats(images), integer(batch, "batch", 1)
    was_training, device = chain.training, next((p.device for p in chain.parameters()), images.device)
    chain.eval()
    with torch.no_grad():
        logits = torch.cat([_answers(chain, part.to(device)) for part in images.split(batch)])
    chain.train(was_training)
    if not logits.isfinite().all():
        raise FloatingPointError("the logits are not finite: the images or the chain's weights hold NaN or infinity")
    return logits


def accuracy(chain: nn.Module, examples: Examples) -> float:
    """The share of the examples whose largest logit is the right one, in [0, 1]."""
    images, labels = _checked(examples)
    logits = logits_of(chain, images)
    if not 0 <= int(labels.min()) <= int(labels.max()) < logits.shape[1]:
        raise ValueError(f"labels must be classes of the chain, 0 to {logits.shape[1] - 1}, not {labels.unique()}")
    return (logits.argmax(1) == labels.to(logits.device)).float().mean().item()


def _checked(examples: Examples) -> Examples:
    """Images as a tensor of floats, and labels of any type of whole numbers as int64, as many as images."""
    with torch.inference_mode(False):
        images = as_floats(examples[0])
        images = images.clone() if images.is_inference() else images
        return Examples(images, as_labels(examples[1], len(images)))


def _answers(chain: nn.Module, images: Tensor) -> Tensor:
    """The chain's logits; a ValueError says which images do not fit."""
    try:
        logits: Any = chain(images)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"images {tuple(images.shape)} do not fit this chain: {error}") from error
    if not isinstance(logits, Tensor) or logits.ndim < 2 or len(logits) != len(images):
        raise ValueError(f"chain must give logits (B, classes) for images {tuple(images.shape)}")
    return logits
