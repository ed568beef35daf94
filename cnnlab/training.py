"""Training a net: an iterator of steps like every other run, the accuracy, and checkpoints."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load, save_file
from torch import Generator, Tensor, nn

from cnnlab.datasets import Examples
from cnnlab.descent import Run, Step

Augment = Callable[[Tensor, Generator], Tensor]
Perturb = Callable[[Tensor, Tensor], Tensor]
OptimizerRule = Callable[[Iterable[nn.Parameter], float], torch.optim.Optimizer]

CHECKPOINTS = Path(__file__).parent.parent / "data"


@dataclass(frozen=True)
class TrainingStep(Step):
    """One step of a training: `value` is the loss of its batch before the step, `image` the batch as the net saw it.

    Attributes:
        stage: the epoch, from 0; `ends_stage` at its last batch.
        accuracy: of its batch before the step, in [0, 1].
        chain: the net so far. It goes on learning: `Net(step.chain)` is a copy to keep.
    """

    accuracy: float = 0.0
    chain: nn.Sequential | None = None


def fit(
    chain: nn.Sequential, examples: Examples, *, epochs: int, generator: Generator, batch: int = 64, rate: float = 3e-3,
    augment: Augment | None = None, perturb: Perturb | None = None, optimizer: OptimizerRule = torch.optim.Adam,
) -> Run:  # fmt: skip
    """Train the chain, which changes, with cross-entropy; a step is one batch.

    The rate rises to `rate` and falls to nothing again (one cycle: Smith & Topin 2018, "Super-convergence").

    Args:
        chain: gives logits (B, classes); where its parameters are, the batches are moved.
        examples: what to learn.
        epochs: how often each example is seen.
        generator: shuffles, and is handed to `augment`.
        batch: examples per step.
        rate: the highest learning rate.
        augment: (images, generator) -> images of the same shape, anew at each step.
        perturb: (images, labels) -> images of the same shape, after `augment`; one that asks the chain what fools it
            now makes this adversarial training.
        optimizer: (parameters, rate) -> an optimizer of torch.

    Raises:
        ValueError: for epochs, batch or rate that are not positive, or images and labels of different number.
        FloatingPointError: when the loss becomes NaN or infinite: the rate is too large.
    """
    images, labels = examples
    if len(images) != len(labels):
        raise ValueError(f"examples must have a label for each image, not {len(labels)} for {len(images)} images")
    if min(epochs, batch, rate) <= 0:
        raise ValueError(f"epochs, batch and rate must be positive, not {epochs}, {batch} and {rate:g}")
    per_epoch = -(-len(images) // batch)
    total = epochs * per_epoch
    descent = optimizer(chain.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(descent, rate, total_steps=total)
    device = next(chain.parameters()).device

    def generate() -> Iterator[Step]:
        for number in range(1, total + 1):
            epoch, position = divmod(number - 1, per_epoch)
            if position == 0:
                batches = torch.randperm(len(images), generator=generator).split(batch)
            chosen = batches[position]
            seen = augment(images[chosen], generator) if augment else images[chosen]  # (batch, C, H, W)
            seen = perturb(seen, labels[chosen]) if perturb else seen
            target = labels[chosen].to(device)
            chain.train()
            logits = chain(seen.to(device))  # (batch, classes)
            loss = F.cross_entropy(logits, target)
            value = loss.item()
            if not value < float("inf"):
                raise FloatingPointError(f"step {number} of {total}: the loss is {value}; try a smaller rate")
            descent.zero_grad()
            loss.backward()
            descent.step()
            if number < total:
                schedule.step()
            yield TrainingStep(
                number,
                total,
                value,
                now=partial(torch.clone, seen),
                lowest=partial(torch.clone, seen),
                stage=epoch,
                ends_stage=position == per_epoch - 1,
                accuracy=(logits.argmax(1) == target).float().mean().item(),
                chain=chain,
            )

    return Run(generate(), total, images[:batch])


def initialize(chain: nn.Sequential, generator: Generator) -> nn.Sequential:
    """Make every weight random with variance 2 / inputs (He et al. 2015, eq. 10), every bias 0; gives the chain."""
    for module in chain.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return chain


def logits_of(chain: nn.Module, images: Tensor, batch: int = 500) -> Tensor:
    """The logits (N, classes) of all images, a batch at a time, without gradients and in eval mode."""
    was_training, device = chain.training, next(chain.parameters()).device
    chain.eval()
    with torch.no_grad():
        logits = torch.cat([chain(part.to(device)) for part in images.split(batch)])
    chain.train(was_training)
    return logits


def accuracy(chain: nn.Module, examples: Examples) -> float:
    """The share of the examples whose largest logit is the right one, in [0, 1]."""
    found = logits_of(chain, examples.images).argmax(1)
    return (found == examples.labels.to(found.device)).float().mean().item()


def save_checkpoint(chain: nn.Sequential, file: str | os.PathLike) -> str:
    """Write the parameters as safetensors; gives the SHA-256 of the file."""
    save_file({name: value.contiguous().cpu() for name, value in chain.state_dict().items()}, file)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def recorded_sha256(name: str) -> str:
    """The SHA-256 of a checkpoint that the course ships, as data/SHA256SUMS has it.

    Raises:
        RuntimeError: where data/ is missing: the course runs from its own folder.
    """
    try:
        lines = (CHECKPOINTS / "SHA256SUMS").read_text().splitlines()
        return next(line.split()[0] for line in lines if line.split()[1] == name)
    except (OSError, StopIteration):
        where = f"no hash of {name} in {CHECKPOINTS}"
        raise RuntimeError(f"{where}: install the course from its folder (make install)") from None


def load_checkpoint(chain: nn.Sequential, file: str | os.PathLike, sha256: str | None = None) -> nn.Sequential:
    """Put a checkpoint's parameters into the chain, and give it.

    Raises:
        RuntimeError: if there is no such file, it is damaged (its SHA-256 is another), or it is of another net.
    """
    path = Path(file)
    if not path.exists():
        raise RuntimeError(
            f"no checkpoint {path.name}: it belongs into {path.parent}; `make checkpoints` trains it again"
        )
    content = path.read_bytes()
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise RuntimeError(f"the checkpoint {path.name} is damaged: get it again from git, or run `make checkpoints`")
    chain.load_state_dict(load(content))
    return chain
