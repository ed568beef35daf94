"""The ZF-nets that chapter 08 trains with several seeds, and what it measures of them."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from cnnlab.images import center_crop
from cnnlab.material.crops import SEEN, photo_crops
from cnnlab.nets import Net, Normalize
from cnnlab.training import Examples, accuracy
from cnnlab.zoo.zfnets import VARIANTS, train_zfnet, zfnet

LAYERS = ("relu1", "relu2", "relu3", "relu4", "relu5", "relu6", "relu7", "logits")

# What is changed -> arguments of `zfnet`. The first nine are those of the shipped nets, which trained once.
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
    name: str, train: Examples, seed: int, epochs: int, *, scale: float = 1.0, radius: float = 0.1,
    keep: Sequence[int] = (),
) -> dict[int, Net]:  # fmt: skip
    """Train the net of `OPTIONS`, and give it after the epochs in `keep` (0: untrained) and at the end.

    The seed decides the first weights, the order of the crops, their colors and the dropout. The numbers that the
    first layer sees are multiplied by `scale`; `radius` is that of `train_zfnet`.
    """
    generator = Generator().manual_seed(seed)
    chain = zfnet(generator, **OPTIONS[name])
    chain.conv1[0] = Normalize((0.45,) * 3, (0.25 / scale,) * 3)  # type: ignore[index, operator]
    if name == "without dropout":
        chain.drop6 = chain.drop7 = nn.Identity()
    nets = {0: Net(chain)} if 0 in keep else {}
    for step in train_zfnet(chain, train, epochs=epochs, generator=generator, radius=radius):
        epoch = step.stage + 1
        if step.ends_stage and epoch in (*keep, epochs):
            nets[epoch] = Net(chain)
    return nets


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
