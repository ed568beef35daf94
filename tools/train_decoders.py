"""Train the decoders of chapter 10, into data/: `python -m tools.train_decoders`, about a minute."""

from pathlib import Path

import torch
from torch import Generator

from cnnlab._data import DATA
from cnnlab.chapters.ch10_readers import CHECKPOINT, crops_without
from cnnlab.zoo.load import load_net
from tools.evidence.ch10_readers import FULL, trained
from tools.hashes import record
from tools.make_checkpoints import save_half


def train(crops: int = FULL["crops"], epochs: int = FULL["epochs"], folder: Path = DATA) -> None:
    """Train as the experiment of the same chapter does for its first group of photographs, with one thread."""
    torch.set_num_threads(1)
    net, generator = load_net("squeezenet", device="cpu"), Generator().manual_seed(0)
    images = crops_without(0, crops, generator)
    for layer in FULL["layers"]:
        codes = torch.cat([net.activations(part, [layer])[layer] for part in images.split(60)])
        file = CHECKPOINT.format(layer)
        save_half(trained(codes, images, epochs, generator), folder / file)
        record(folder, file)
        print(file, flush=True)


if __name__ == "__main__":
    train()
