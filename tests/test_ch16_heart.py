"""The made-up hearts are as they are said to be: the wave of the sick lead is late, whenever the beat comes."""

import torch
from torch import Generator

from cnnlab.chapters.ch16_heart import LEADS, MOMENTS, heart_examples


def test_the_wave_of_the_sick_lead_is_late() -> None:
    for late in (False, True):
        hearts = heart_examples(60, Generator().manual_seed(0), late)
        assert hearts.images.shape == (60, 1, LEADS, MOMENTS)
        assert set(hearts.labels.tolist()) == set(range(LEADS))
        starts = hearts.images.mean((1, 2)).argmax(1) - 1  # the spike is in all leads, at the second moment of the beat
        assert bool((starts >= MOMENTS // 2).all()) == late
        assert bool((starts < MOMENTS // 4).all()) != late
        for image, label, start in zip(hearts.images, hearts.labels, starts.tolist(), strict=True):
            waves = [image[0, :, start + delay : start + delay + 4].sum(1) for delay in (6, 11)]  # (LEADS,) each
            assert waves[0].argmin() == waves[1].argmax() == label


def test_hearts_are_drawn_by_the_generator_alone() -> None:
    first, again = (heart_examples(5, Generator().manual_seed(3), late=True) for _ in range(2))
    assert torch.equal(first.images, again.images)
