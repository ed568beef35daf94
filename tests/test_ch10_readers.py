"""The readers of chapter 10: the shipped decoders read photographs that they have not seen."""

from pathlib import Path

import pytest
import torch
from torch import Generator

from cnnlab import center_crop, gray, load_net, photo
from cnnlab.chapters import ch10_readers as readers
from cnnlab.material.photos import PHOTOS
from tools.evidence.ch10_readers import trained
from tools.train_decoders import train


def test_every_photograph_is_in_one_group() -> None:
    assert sorted(name for group in readers.GROUPS for name in group) == list(PHOTOS)


def test_crops_are_photographs_of_other_groups_and_repeat() -> None:
    crops, again = (readers.crops_without(0, 1, Generator().manual_seed(3)) for _ in range(2))
    assert crops.shape == (12, 3, 144, 144)
    assert 0 <= crops.min() < crops.max() <= 1
    assert torch.equal(crops, again)


@pytest.mark.parametrize("layer", ["fire7", "relu10"])
def test_shipped_decoders_read_more_than_gray_from_unseen_photographs(layer: str) -> None:
    net, photos = load_net("squeezenet", device="cpu"), torch.cat([photo(name, 144) for name in readers.GROUPS[0]])
    code, wanted = net.activations(photos, [layer])[layer], center_crop(photos, readers.READ)
    read = readers.trained_decoder(layer, code.shape[1])(code)
    assert read.shape == wanted.shape
    assert (read - wanted).square().mean() < (gray(wanted.shape) - wanted).square().mean()


def test_training_lowers_the_error_and_repeats() -> None:
    images = torch.rand(4, 3, 1, 1, generator=Generator().manual_seed(0)).expand(4, 3, 144, 144)
    codes = torch.nn.functional.avg_pool2d(images, 18)
    errors = []
    for epochs in (1, 30, 30):
        chain = trained(codes, images, epochs, Generator().manual_seed(1), batch=4)
        errors.append((chain(codes) - center_crop(images, readers.READ)).square().mean().item())
    assert errors[1] < 0.5 * errors[0]
    assert errors[1] == errors[2]


def test_the_tool_writes_both_decoders_and_their_hashes(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    train(crops=1, epochs=1, folder=tmp_path)
    torch.set_num_threads(threads)
    names = {readers.CHECKPOINT.format(layer) for layer in ("fire7", "relu10")}
    assert {line.split()[1] for line in (tmp_path / "SHA256SUMS").read_text().splitlines()} == names
    assert all((tmp_path / name).stat().st_size < 500_000 for name in names)


def test_recorded_readings_are_of_sixteen_photographs() -> None:
    found = readers.found_by_readers("relu10")
    assert list(found) == ["trained", "linear", "loop", "own mean color", "gray"]
    for psnr, own_first in found.values():
        assert psnr.shape == own_first.shape == (16,)
    wanted = torch.cat([center_crop(photo(name, 144), readers.READ) for group in readers.GROUPS for name in group])
    torch.testing.assert_close(
        found["gray"][0], -10 * (wanted - 0.5).square().mean((1, 2, 3)).log10(), atol=1e-3, rtol=0
    )
