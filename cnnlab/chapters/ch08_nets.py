"""The ZF-nets that chapter 08 trains with several seeds, and what it measures of them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn

from cnnlab.images import center_crop
from cnnlab.material.crops import SEEN, STORED, augment_crops, photo_crops
from cnnlab.nets import Net, Normalize, weights_of
from cnnlab.runs import Run
from cnnlab.training import Augment, Examples, accuracy, fit
from cnnlab.zoo.zfnets import VARIANTS, renormalize, zfnet

LAYERS = ("relu1", "relu2", "relu3", "relu4", "relu5", "relu6", "relu7", "logits")

# The numbers that a neuron of each layer above the first reads in the paper's net (its figure 3).
PAPER_INPUTS = {"conv2": 2400, "conv3": 2304, "conv4": 3456, "conv5": 3456, "fc6": 9216, "fc7": 4096, "logits": 4096}

# What is changed -> arguments of `zfnet`; those of `VARIANTS` were trained once more, with the paper's recipe.
OPTIONS: dict[str, dict[str, Any]] = {"as it is": {}} | {name: variant.options for name, variant in VARIANTS.items()}
OPTIONS |= {
    "both enlarged": {"conv": (32, 48, 128, 128, 96), "dense": (288, 288)},
    "without dropout": {},
}


def crop_sets(crops: int) -> tuple[Examples, Examples]:
    """So many crops of each photograph to learn from, and half as many held out; with 200 they are `zfnet_data`."""
    generator = Generator().manual_seed(0)
    train, held_out = photo_crops(crops, generator), photo_crops(crops // 2, generator, held_out=True)
    return train, Examples(center_crop(held_out.images, SEEN), held_out.labels)


def trained(
    name: str, train: Examples, seed: int, epochs: int, keep: Sequence[int] = (), augment: Augment = augment_crops
) -> dict[int, Net]:  # fmt: skip
    """Train the net of `OPTIONS`, and give it after the epochs in `keep` (0: untrained) and at the end.

    The rate rises to 2e-2 and falls to nothing (`one_cycle`). The filters are not renormalized: with our inputs the
    rule never acts. The seed decides the first weights, the order of the crops, their colors and the dropout.
    """
    generator = Generator().manual_seed(seed)
    chain = zfnet(generator, **OPTIONS[name])
    if name == "without dropout":
        chain.drop6 = chain.drop7 = nn.Identity()
    nets = {0: Net(chain)} if 0 in keep else {}
    for step in _training(chain, train, epochs, generator, augment, rate=2e-2):
        if step.ends_stage and step.stage + 1 in (*keep, epochs):
            nets[step.stage + 1] = Net(chain)
    return nets


def trained_as_in_the_paper(train: Examples, seed: int, epochs: int, radius: float) -> Net:
    """Train the net as it is on inputs of the paper's size, at the paper's rate of 1e-2; infinity is no radius.

    The paper subtracts the mean and leaves pixels in 0 .. 255. It begins with weights of 1e-2, with which each of its
    layers multiplies the differences between images by 0.01 sqrt(inputs / 2). We give our narrower layers first weights
    with the same factor.
    """
    generator = Generator().manual_seed(seed)
    chain = zfnet(generator)
    chain.get_submodule("conv1").register_module("0", Normalize((0.45,) * 3, (1 / 255,) * 3))
    for name, inputs in PAPER_INPUTS.items():
        weights_of(chain, name).data *= 1e-2 * (inputs / 2) ** 0.5  # they were drawn with the factor 1
    convolutions = [weights_of(chain, f"conv{number}").data for number in range(1, 6)]

    def shrink_filters() -> None:
        for filters in convolutions:
            filters.copy_(renormalize(filters, radius))

    steady = {"rate": 1e-2, "schedule": lambda *_: lambda step: None}
    run = _training(chain, train, epochs, generator, augment_crops, after_step=shrink_filters, **steady)
    run.finish(progress=False)
    return Net(chain)


def moved(images: Tensor, generator: Generator) -> Tensor:
    """A random 64 x 64 part of stored crops, the same for all, mirrored or not: `augment_crops` without new colors."""
    y, x = torch.randint(STORED - SEEN + 1, (2,), generator=generator).tolist()
    seen = images[..., y : y + SEEN, x : x + SEEN]
    return seen.flip(3) if torch.rand((), generator=generator) < 0.5 else seen


def _training(
    chain: nn.Sequential, train: Examples, epochs: int, generator: Generator, augment: Augment, **options: Any
) -> Run:
    """SGD with the paper's momentum, but batches of 32 instead of 128: they learn more per crop."""

    def changed(images: Tensor, generator: Generator) -> Tensor:
        return augment(images, generator).contiguous(memory_format=torch.channels_last)  # as the weights are

    descent = partial(torch.optim.SGD, momentum=0.9)
    return fit(
        chain, train, epochs=epochs, generator=generator, batch=32, augment=changed, optimizer=descent, **options
    )


def scores(net: Net, train: Examples, held_out: Examples) -> dict[str, float]:
    """The accuracy on (half of) the crops that it learned, without their random changes, and on the held-out crops."""
    half = len(train.labels) // 2
    learned = Examples(center_crop(train.images[:half], SEEN), train.labels[:half])
    return {"learned": round(accuracy(net.model, learned), 4), "held out": round(accuracy(net.model, held_out), 4)}


def cka(activations: Tensor, others: Tensor) -> float:
    """The cosine of two matrices of inner products of the same B images, whose activations are (B, ...).

    Source: Kornblith et al. 2019, "Similarity of neural network representations revisited" (linear CKA).
    """
    centered = (x.flatten(1) - x.flatten(1).mean(dim=0) for x in (activations, others))
    ours, theirs = (x @ x.T for x in centered)
    return torch.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0).item()


def beyond_nyquist(filters: Tensor, stride: int) -> Tensor:
    """The share of each filter's energy whose waves are too fine for the stride: (F, C, h, w) -> (F,)."""
    energy = torch.fft.fft2(filters, s=(64, 64)).abs().square().sum(dim=1)
    fine = torch.fft.fftfreq(64, device=filters.device).abs() > 0.5 / stride
    return (energy * (fine[:, None] | fine)).sum(dim=(1, 2)) / energy.sum(dim=(1, 2))
