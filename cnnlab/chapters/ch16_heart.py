"""Made-up recordings of hearts, a new kind of data: where may a filter move on them, and what may be pooled?"""

from functools import cache

import torch
from torch import Generator, nn

from cnnlab.training import Examples, accuracy, fit, initialize

LEADS, MOMENTS = 6, 64  # wires on the chest, and points in time


def heart_examples(number: int, generator: Generator, late: bool) -> Examples:
    """Record one beat of each heart, (N, 1, LEADS, MOMENTS), with the number of its sick lead as the label (N,).

    A beat is a spike in all leads and a wave 6 moments later; in the sick lead the wave comes after 11 moments. The
    beat begins at a random moment of the first quarter of the recording, or, if `late`, of the third.
    """
    labels, starts = (torch.randint(end, (number,), generator=generator) for end in (LEADS, MOMENTS // 4))
    images = 0.1 * torch.randn((number, 1, LEADS, MOMENTS), generator=generator)
    for image, sick, start in zip(images, labels.tolist(), (starts + late * MOMENTS // 2).tolist(), strict=True):
        image[0, :, start : start + 3] += torch.tensor([-0.2, 1.0, -0.4])
        for lead in range(LEADS):
            wave = start + (11 if lead == sick else 6)
            image[0, lead, wave : wave + 4] += torch.tensor([0.2, 0.5, 0.5, 0.2])
    return Examples(images, labels)


@cache
def learned(kernel: tuple[int, int], pooled: frozenset[str]) -> tuple[float, float]:
    """Train 16 filters (leads, moments) with one maximum over each axis in `pooled`; judge early and late beats."""
    generator = Generator().manual_seed(0)
    examples, exam = heart_examples(600, generator, late=False), heart_examples(300, generator, late=True)
    rest = 1 if "leads" in pooled else LEADS - kernel[0] + 1, 1 if "time" in pooled else MOMENTS - kernel[1] + 1
    layers = nn.Conv2d(1, 16, kernel), nn.ReLU(), nn.AdaptiveMaxPool2d(rest), nn.Flatten()
    chain = initialize(nn.Sequential(*layers, nn.Linear(16 * rest[0] * rest[1], LEADS)), generator)
    fit(chain, examples, epochs=12, generator=generator, rate=0.01).finish(progress=False)
    return accuracy(chain, examples), accuracy(chain, exam)
