"""What chapter 13 measures: colors without positions, structures by their size, outlines without colors, styles."""

import pytest
import torch
from torch import Generator

from cnnlab import load_net, named, photo, score
from cnnlab.chapters import ch13_figures, ch13_measures as measures
from cnnlab.nets import Net
from tools.evidence import ch13_draws, ch13_styles, ch13_textures


@pytest.fixture(scope="module")
def net() -> Net:
    return load_net("squeezenet", device="cpu")


def checks(field: int) -> torch.Tensor:
    """A board of 64 × 64 pixels with fields of so many pixels, (3, 64, 64)."""
    row = torch.arange(64) // field % 2
    return (row[:, None] ^ row).float().expand(3, -1, -1)


def test_colors_are_counted_by_their_shares() -> None:
    assert ch13_textures.colors(torch.full((3, 8, 8), 0.4)) == pytest.approx(1)
    assert ch13_textures.colors(checks(8)) == pytest.approx(2)
    assert ch13_textures.colors(torch.rand(3, 200, 200, generator=Generator().manual_seed(0))) > 500


def test_a_structure_of_twice_the_size_has_twice_the_extent() -> None:
    noise = torch.rand(3, 16, 16, generator=Generator().manual_seed(0))
    fine, coarse = (noise.repeat_interleave(k, 1).repeat_interleave(k, 2) for k in (4, 8))
    assert ch13_textures.extent(coarse) == pytest.approx(2 * ch13_textures.extent(fine), rel=0.25)


def test_outlines_do_not_depend_on_color_or_contrast() -> None:
    image = photo("cat", (64, 64))
    tinted = 0.2 + 0.5 * image * torch.tensor([0.9, 0.9, 0.9]).view(1, 3, 1, 1)
    assert (ch13_draws.outlines(image) @ ch13_draws.outlines(tinted).T).item() == pytest.approx(1, abs=1e-4)
    assert (ch13_draws.outlines(image) @ ch13_draws.outlines(image.flip(2)).T).item() < 0.5


def test_the_color_gap_sees_tints_and_neither_positions_nor_brightness() -> None:
    image = 0.2 + 0.5 * photo("cat", (32, 32))
    assert ch13_draws.color_gap(image, image.flip(3)).item() == pytest.approx(0, abs=1e-6)
    assert ch13_draws.color_gap(image, image + 0.1).item() == pytest.approx(0, abs=1e-6)
    redder = image + torch.tensor([0.2, -0.1, -0.1]).view(1, 3, 1, 1)
    assert ch13_draws.color_gap(image, redder).item() == pytest.approx(0.4 / 3, abs=1e-4)


def test_livelier_takes_the_half_that_fires_most_in_every_set() -> None:
    chain = named(same=torch.nn.Identity())
    strong = torch.tensor([0.9, 0.1, 0.8, 0.7]).view(1, 4, 1, 1).expand(1, 4, 2, 2)
    weak = torch.tensor([0.9, 0.9, 0.1, 0.8]).view(1, 4, 1, 1).expand(1, 4, 2, 2)
    net = Net(chain, [], device="cpu")
    assert measures.livelier(net, "same", [strong, weak]) == [0, 3]


def test_descriptions_have_length_one_per_layer_and_know_no_positions(net: Net) -> None:
    image = photo("cat", (64, 64))
    for describe in (measures.sums_of, measures.grams_of):
        found = describe(net, ["relu1", "fire2"])(image)
        assert found.norm().item() == pytest.approx(2**0.5, rel=1e-4)
    by_sums = measures.sums_of(net, ["relu1"])(torch.cat([image, image.roll(16, 3)]))
    assert (by_sums[0] @ by_sums[1]).item() > 0.99


def test_a_tinted_photograph_has_the_mean_colors_of_the_painting() -> None:
    model = 0.4 + 0.1 * photo("coffee", (32, 40))
    tinted = ch13_styles.tinted(photo("cat", (48, 64)), model)
    torch.testing.assert_close(tinted.mean((2, 3)), model.mean((2, 3)), atol=0.01, rtol=0)
    torch.testing.assert_close(tinted.std((2, 3)), model.std((2, 3)), atol=0.01, rtol=0)


@pytest.mark.parametrize("way", ["Gram", "sums"])
def test_a_painting_has_its_own_style_and_no_other_one(net: Net, way: str) -> None:
    paintings = [photo("cat", (64, 64)), photo("brick", (64, 64))]
    objective = measures.style_of(net, paintings, ["relu1", "fire2"], way)
    assert score(net, objective, torch.cat(paintings)).max() < 1e-6
    assert score(net, objective, torch.cat(paintings[::-1])).min() > 0.1


def test_labels_stand_in_the_pictures_that_have_one() -> None:
    rows = {"a": torch.rand(2, 3, 8, 8), "b": torch.rand(2, 3, 8, 8)}
    figure = ch13_figures.show_labeled(rows, {"a": ["filter 1", ""], "b": ["", "its map is silent"]})
    assert [[text.get_text() for text in axis.texts] for axis in figure.axes] == [
        ["filter 1"], [], [], ["its map is silent"]
    ]  # fmt: skip
