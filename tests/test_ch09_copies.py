"""Copies of training crops are disguised as the chapter says, and found again."""

import torch
from torch import Generator

from cnnlab.chapters import ch09_copies as doubles
from cnnlab.images import center_crop
from cnnlab.material.crops import photo_crops


def test_a_disguise_keeps_the_picture_but_no_pixel() -> None:
    crops = photo_crops(1, Generator().manual_seed(0)).images[:4]
    copies = doubles.disguise(crops, Generator().manual_seed(0), shift=0)
    originals = center_crop(crops, 64)
    assert copies.shape == originals.shape
    light = copies.mean(dim=(1, 2, 3)) / originals.mean(dim=(1, 2, 3))
    assert bool((light > 0.75).all() and (light < 1.25).all())
    assert light.std() > 0.01
    for copy, original in zip(copies, originals, strict=True):
        assert torch.corrcoef(torch.stack([copy.flatten(), original.flatten()]))[0, 1] > 0.9
        assert not torch.equal(copy, original)


def test_a_collection_knows_its_copies() -> None:
    train = photo_crops(10, Generator().manual_seed(0))
    found = doubles.collect(train, 1)
    assert found.examples.images.shape == (500, 3, 64, 64)
    assert found.is_copy.sum() == 100
    assert torch.equal(found.examples.labels[found.is_copy], train.labels[found.source])
    copies, sources = found.examples.images[found.is_copy], center_crop(train.images[found.source], 64)
    assert (copies - sources).abs().mean() < (copies - sources.roll(1, 0)).abs().mean()


def test_the_hash_compares_right_neighbors() -> None:
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    assert bool(doubles.difference_hash(ramp).all())
    assert not doubles.difference_hash(ramp.flip(3)).any()
    assert doubles.differing_bits(ramp, torch.cat([ramp.flip(3), 0.5 * ramp])).tolist() == [0]
