"""Measures that compare, against formulas written out."""

import numpy as np
import pytest
import torch
from torch import Generator

from cnnlab.comparing import (
    alikeness,
    beyond_nyquist,
    difference_hash,
    hide,
    jpeg,
    probe,
    sign_distance,
    thumbnails,
)  # fmt: skip


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(seed))


def test_sign_distance_equals_the_loop() -> None:
    changes = random(5, 3, 4, 2).relu() - random(5, 3, 4, 2, seed=1).relu().round()
    total = pairs = 0.0
    for i in range(5):
        for j in range(i + 1, 5):
            one, other = np.sign(changes[i].flatten().numpy()), np.sign(changes[j].flatten().numpy())
            total += sum(a != b for a, b in zip(one, other, strict=True)) / len(one)
            pairs += 1
    assert sign_distance(changes) == pytest.approx(total / pairs)
    with pytest.raises(ValueError, match="changes must be of at least two images, not 1"):
        sign_distance(changes[:1])


def test_alikeness_is_cka_and_does_not_mind_the_order_of_channels() -> None:
    a, b = random(12, 4, 3, 3), random(12, 7, seed=1)
    x, y = (t.flatten(1).numpy() - t.flatten(1).numpy().mean(axis=0) for t in (a, b))
    expected = np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))  # feature by feature
    assert alikeness(a, b) == pytest.approx(expected, rel=1e-4)
    assert alikeness(a, 3 * a[:, [2, 0, 3, 1]] + 1) == pytest.approx(1, abs=1e-5)


def test_beyond_nyquist_tells_fine_gratings_from_coarse_ones() -> None:
    x = torch.arange(24.0)
    gratings = torch.stack([torch.cos(2 * torch.pi * f * x).expand(3, 24, 24) for f in (0.05, 0.2, 0.4)])
    by_stride = {stride: beyond_nyquist(gratings, stride).round().tolist() for stride in (1, 2, 4)}
    assert by_stride == {1: [0, 0, 0], 2: [0, 0, 1], 4: [0, 1, 1]}
    torch.testing.assert_close(beyond_nyquist(5 * gratings.mT, 4), beyond_nyquist(gratings, 4))


def test_hide_covers_its_rectangle_alone() -> None:
    images = random(2, 1, 10, 12)
    hidden = hide(images, [(1, 2), (6, 8)], (3, 4))
    assert hidden[0, 0, 1:4, 2:6].unique().item() == pytest.approx(images[0].mean().item())
    assert hidden[1, 0, 6:9, 8:12].unique().item() == pytest.approx(images[1].mean().item())
    assert (hidden != images).sum() == 2 * 12


def test_difference_hash_is_darker_than_the_right_neighbour() -> None:
    coarse = torch.rand((1, 1, 8, 9), generator=Generator().manual_seed(0))
    image = coarse.repeat_interleave(8, 2).repeat_interleave(8, 3)  # (1, 1, 64, 72)
    expected = [bool(coarse[0, 0, y, x] < coarse[0, 0, y, x + 1]) for y in range(8) for x in range(8)]
    assert (difference_hash(image)[0] == torch.tensor(expected)).float().mean() > 0.9  # bicubic weights reach further
    assert torch.equal(difference_hash(0.5 * image + 0.2), difference_hash(image))


def test_thumbnails_forget_the_light_and_know_the_picture() -> None:
    images = torch.rand((4, 3, 64, 64), generator=Generator().manual_seed(0))
    products = thumbnails(images) @ thumbnails(0.6 * images + 0.3).T
    torch.testing.assert_close(products.diag(), torch.ones(4))
    small = images[0].reshape(3, 16, 4, 16, 4).mean(dim=(2, 4))
    vector = (small - small.mean(dim=(1, 2), keepdim=True)).flatten()
    torch.testing.assert_close(thumbnails(images)[0], vector / vector.norm())


def test_jpeg_loses_little_and_less_at_high_quality() -> None:
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 48, 64)
    errors = [(jpeg(ramp, quality) - ramp).abs().mean() for quality in (10, 95)]
    assert errors[1] < 0.01
    assert errors[1] < errors[0]


def test_probe_separates_what_is_separable() -> None:
    labels = torch.arange(60) % 3
    features = torch.nn.functional.one_hot(labels, 3).float()[:, :, None, None] + 0.1 * random(60, 3, 2, 2)
    assert probe(features[:30], labels[:30], features[30:], labels[30:]) == {"SVM": 1.0, "softmax": 1.0}
    guessed = probe(random(30, 5), labels[:30], random(300, 5, seed=1), torch.arange(300) % 3)
    assert all(0.2 < share < 0.5 for share in guessed.values())
