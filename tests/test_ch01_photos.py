"""What chapter 01 measures on photographs: windows, coins, peaks, shifts, surroundings that are hidden."""

import numpy as np
import torch
from torch import Generator, nn

from cnnlab import Net, initialize, load_net, named, photo
from cnnlab.chapters import ch01_photos


def chain(seed: int = 0) -> Net:
    """A net of two strided convolutions: a neuron of the second one sees 7 pixels, and neighbors are 4 pixels apart."""
    layers = named(conv1=nn.Conv2d(3, 4, 3, stride=2, padding=1), relu1=nn.ReLU(), conv2=nn.Conv2d(4, 5, 3, stride=2))
    return Net(initialize(layers, Generator().manual_seed(seed)), device="cpu")


def test_windows_are_spread_from_corner_to_corner() -> None:
    image = torch.arange(7 * 9.0).view(1, 1, 7, 9)
    cut = ch01_photos.windows(image, 3)
    assert cut.shape == (25, 1, 3, 3)
    assert torch.equal(cut[0, 0], image[0, 0, :3, :3])
    assert torch.equal(cut[-1, 0], image[0, 0, -3:, -3:])
    assert ch01_photos.windows(image[..., :7], 7).shape == (1, 1, 7, 7)


def test_the_best_classes_are_those_that_the_net_predicts() -> None:
    net, images = load_net("mnist", device="cpu"), torch.rand(27, 1, 28, 28, generator=Generator().manual_seed(0))
    found = ch01_photos.best_classes(net, images, 3)
    for image, classes in zip(images, found.tolist(), strict=True):
        assert [net.labels[number] for number in classes] == [said.label for said in net.predict(image[None], 3)]


def test_24_coins_are_numbered_and_every_peak_is_the_largest_in_its_surroundings() -> None:
    coins = photo("coins", (152, 192))[0].mean(dim=0).numpy()
    numbers = ch01_photos.coin_numbers(coins)
    assert set(np.unique(numbers)) == set(range(25))
    centers = {tuple(np.argwhere(numbers == number).mean(axis=0).round().astype(int)) for number in range(1, 25)}
    assert len({y // 38 for y, _ in centers}) == 4  # rows of coins
    peaks = ch01_photos.strongest_peaks(coins, 10, apart=5)
    heights = [coins[y, x] for y, x in peaks]
    assert heights == sorted(heights, reverse=True)
    for y, x in peaks:
        assert coins[y, x] == coins[max(y - 5, 0) : y + 6, max(x - 5, 0) : x + 6].max()


def test_maps_move_with_the_picture_by_the_stride_and_not_by_half_of_it() -> None:
    net, scene = chain(), torch.rand(1, 3, 40, 60, generator=Generator().manual_seed(1))
    moved = [ch01_photos.shift_change(net, scene, "conv2", pixels, size=40) for pixels in (0, 2, 4, 8)]
    assert max(moved[0], moved[2], moved[3]) < 1e-5
    assert moved[1] > 0.1


def test_a_neuron_that_sees_its_whole_field_keeps_everything() -> None:
    net, images = chain(), torch.rand(3, 3, 31, 31, generator=Generator().manual_seed(2))
    shares = ch01_photos.seen_alone(net, images, "conv2", [0, 3], 15)
    torch.testing.assert_close(shares[:, 0], torch.ones(2))
    assert (shares[:, 1] < 0.99).all()


def test_only_the_receptive_field_has_an_effect() -> None:
    net, images = chain(), torch.rand(2, 3, 31, 31, generator=Generator().manual_seed(3))
    begin, side = ch01_photos.middle_view(net, "conv2", images)
    assert side == 7
    effects = ch01_photos.effective_field(net, "conv2", images)
    rows, columns = np.nonzero(effects.numpy())
    assert (rows.min(), rows.max()) == (columns.min(), columns.max()) == (begin, begin + side - 1)
