"""Train the networks that the course ships, and write their weights into data/: `python tools/make_checkpoints.py`.

SHA256SUMS there is what `sha256sum -c` reads. Another processor rounds otherwise, so that the same recipe gives other
bytes; accuracies agree within a few digits of a thousand.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Generator, nn

from cnnlab.datasets import mnist
from cnnlab.mnist import CHECKPOINT, mnist_cnn, train_mnist_cnn
from cnnlab.training import CHECKPOINTS, accuracy, save_checkpoint
from cnnlab.zfnet import EPOCHS, VARIANTS, checkpoint_file, train_zfnet, zfnet, zfnet_data


def record(file: Path, sha256: str, folder: Path | None = None) -> None:
    """Put the hash of a file into SHA256SUMS of `folder`, else beside it, in the place of an older one."""
    folder = folder or file.parent
    sums, name = folder / "SHA256SUMS", file.relative_to(folder).as_posix()
    lines = sums.read_text().splitlines() if sums.exists() else []
    lines = [line for line in lines if line.split()[1] != name] + [f"{sha256}  {name}"]
    sums.write_text("".join(f"{line}\n" for line in sorted(lines, key=lambda line: line.split()[1])))


def make_mnist(file: Path = CHECKPOINT, epochs: int = 30) -> float:
    """Train the digits' net, write it to `file`, and give its accuracy on the 1,000 held-out digits.

    One thread: so the order of summation, and with it the result, does not depend on the number of cores.
    """
    torch.set_num_threads(1)
    train, held_out = mnist()
    generator = Generator().manual_seed(0)
    chain = mnist_cnn(generator)
    train_mnist_cnn(chain, train, generator, epochs).finish()
    file.parent.mkdir(exist_ok=True)
    record(file, save_checkpoint(chain, file))
    return accuracy(chain, held_out)


def make_zfnet(name: str) -> tuple[dict[Path, str], float]:
    """Train a ZF-net, "main" or a variant; gives the files written with their hashes, and the held-out accuracy."""
    torch.set_num_threads(1)
    epochs, build, options = (EPOCHS[-1], {}, {}) if name == "main" else VARIANTS[name]
    kept = {epoch: checkpoint_file(epoch) for epoch in EPOCHS} if name == "main" else {epochs: checkpoint_file(name)}
    train, held_out = zfnet_data()
    generator = Generator().manual_seed(0)
    chain, hashes = zfnet(generator, **build), {}
    for step in train_zfnet(chain, train, epochs=epochs, generator=generator, **options):
        if step.ends_stage and step.stage + 1 in kept:
            file = kept[step.stage + 1]
            hashes[file] = save_half(chain, file)
    return hashes, accuracy(chain, held_out)


def save_half(chain: nn.Sequential, file: Path) -> str:
    """Write the parameters in 16 bits, half the bytes, which changes no accuracy; gives the SHA-256."""
    file.parent.mkdir(parents=True, exist_ok=True)
    return save_checkpoint(deepcopy(chain).half(), file)


def main() -> None:
    """Train them all, one process per core."""
    print(f"{CHECKPOINT.name}: {make_mnist():.1%} of 1,000 held-out digits", flush=True)
    names = ["main", *VARIANTS]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for name, (hashes, share) in zip(names, pool.map(make_zfnet, names), strict=True):
            for file, sha256 in hashes.items():
                record(file, sha256, CHECKPOINTS)
            print(f"ZF-net, {name}: {share:.1%} of 1,600 held-out crops", flush=True)


if __name__ == "__main__":
    main()
