"""Train the networks that the course ships, and write their weights into data/: `python tools/make_checkpoints.py`.

SHA256SUMS there is what `sha256sum -c` reads. Another processor rounds otherwise, so that the same recipe gives other
bytes; accuracies agree within a few digits of a thousand.
"""

from pathlib import Path

from torch import Generator

from cnnlab.datasets import mnist
from cnnlab.mnist import CHECKPOINT, mnist_cnn, train_mnist_cnn
from cnnlab.training import accuracy, save_checkpoint


def record(file: Path, sha256: str) -> None:
    """Put the hash of a file into SHA256SUMS beside it, in the place of an older one."""
    sums = file.parent / "SHA256SUMS"
    lines = sums.read_text().splitlines() if sums.exists() else []
    lines = [line for line in lines if line.split()[1] != file.name] + [f"{sha256}  {file.name}"]
    sums.write_text("".join(f"{line}\n" for line in sorted(lines, key=lambda line: line.split()[1])))


def make_mnist(file: Path = CHECKPOINT, epochs: int = 30) -> float:
    """Train the digits' net, write it to `file`, and give its accuracy on the 1,000 held-out digits."""
    train, held_out = mnist()
    generator = Generator().manual_seed(0)
    chain = mnist_cnn(generator)
    train_mnist_cnn(chain, train, generator, epochs).finish()
    file.parent.mkdir(exist_ok=True)
    record(file, save_checkpoint(chain, file))
    return accuracy(chain, held_out)


if __name__ == "__main__":
    print(f"{CHECKPOINT.name}: {make_mnist():.1%} of 1,000 held-out digits")
