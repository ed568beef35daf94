"""Train the networks that the course ships, and write their weights into data/: `python -m tools.make_checkpoints`.

SHA256SUMS there is what `sha256sum -c` reads. Another processor rounds differently, so that the same recipe gives other
bytes; the accuracies agree within a few thousandths.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Generator, nn

from cnnlab._data import DATA
from cnnlab.material.digits import mnist
from cnnlab.training import accuracy
from cnnlab.zoo.checkpoints import save_checkpoint
from cnnlab.zoo.digits_cnn import CHECKPOINT, mnist_cnn, train_mnist_cnn
from cnnlab.zoo.zfnets import EPOCHS, VARIANTS, Variant, checkpoint_file, train_zfnet, zfnet, zfnet_data
from tools.hashes import record


def make_mnist(folder: Path = DATA, epochs: int = 30) -> float:
    """Train the digits' net, write it into the folder, and give its accuracy on the 1,000 held-out digits.

    One thread trains: so the order of summation, and with it the result, does not depend on the number of cores.
    """
    torch.set_num_threads(1)
    train, held_out = mnist()
    generator = Generator().manual_seed(0)
    chain = mnist_cnn(generator)
    train_mnist_cnn(chain, train, generator, epochs).finish()
    save_checkpoint(chain, folder / CHECKPOINT)
    record(folder, CHECKPOINT)
    return accuracy(chain, held_out)


def make_zfnet(name: str, folder: Path = DATA) -> tuple[dict[str, str], float]:
    """Train a ZF-net, "main" or a variant; gives the files written with their hashes, and the held-out accuracy."""
    torch.set_num_threads(1)
    variant = Variant("", EPOCHS[-1], {}) if name == "main" else VARIANTS[name]
    kept = {epoch: checkpoint_file(epoch) for epoch in EPOCHS}
    kept = kept if name == "main" else {variant.epochs: checkpoint_file(name)}
    train, held_out = zfnet_data()
    generator = Generator().manual_seed(0)
    chain, hashes = zfnet(generator, **variant.options), {}
    if not any(isinstance(module, nn.Dropout) for module in chain.modules()):
        # The shipped nets without dropout were trained when `fit` drew a seed for it even so: draw it here.
        torch.randint(2**31, (), generator=generator)
    for step in train_zfnet(chain, train, epochs=variant.epochs, generator=generator, radius=variant.radius):
        if step.ends_stage and step.stage + 1 in kept:
            file = kept[step.stage + 1]
            hashes[file] = save_half(chain, folder / file)
    return hashes, accuracy(chain, held_out)


def save_half(chain: nn.Sequential, file: Path) -> str:
    """Write the parameters in 16 bits, half the bytes, which changes no accuracy; gives the SHA-256."""
    file.parent.mkdir(parents=True, exist_ok=True)
    return save_checkpoint(deepcopy(chain).half(), file)


def main() -> None:
    """Train them all, one process per core."""
    print(f"{CHECKPOINT}: {make_mnist():.1%} of 1,000 held-out digits", flush=True)
    names = ["main", *VARIANTS]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for name, (hashes, share) in zip(names, pool.map(make_zfnet, names), strict=True):
            record(DATA, *hashes)
            print(f"ZF-net, {name}: {share:.1%} of 1,600 held-out crops", flush=True)


if __name__ == "__main__":
    main()
