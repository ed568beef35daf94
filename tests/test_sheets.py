"""Images made of images: tiles lie in rows, and colors have the sign and the size of the values."""

import pytest
import torch

from cnnlab import plots


def test_signed_values_become_white_at_0_red_above_and_blue_below() -> None:
    values = torch.tensor([[[-2.0, 0.0, 2.0]], [[0.0, 0.0, 0.01]]])  # two maps, each on its own scale
    first, second = plots.on_white(values)  # (3, 1, 3) each
    assert first.shape == (3, 1, 3)
    assert first[:, 0, 1].min() > 0.95
    assert first[2, 0, 0] > first[0, 0, 0] + 0.2
    assert first[0, 0, 2] > first[2, 0, 2] + 0.2
    torch.testing.assert_close(second[:, 0, 2], first[:, 0, 2])


def test_a_map_of_zeros_is_white() -> None:
    assert plots.on_white(torch.zeros(1, 4, 5)).min() > 0.95


def test_projections_on_gray_keep_their_sign_and_their_scale_does_not_matter() -> None:
    signed = torch.zeros(2, 3, 8, 8)
    signed[0, :, 2, 3], signed[0, :, 5, 5], signed[1, :, 1, 1] = 4.0, -4.0, 1e-6
    gray = plots.on_gray(signed)
    assert gray[0, 0, 0, 0] == 0.5
    assert gray[0, 0, 2, 3] == gray[1, 0, 1, 1] == 0.75
    assert gray[0, 0, 5, 5] == 0.25
    assert torch.allclose(plots.on_gray(100 * signed[:1]), gray[:1])
    assert torch.equal(plots.on_gray(torch.zeros(1, 3, 2, 2)), torch.full((1, 3, 2, 2), 0.5))


def test_the_value_that_becomes_white_may_be_given() -> None:
    assert plots.on_gray(torch.tensor([[[[0.01, -0.02, 3.0]]]]), top=0.1).flatten().tolist() == pytest.approx(
        [0.55, 0.4, 1]
    )


def test_tiles_lie_row_by_row() -> None:
    tiles = [torch.full((1, 3, 4, 5), value / 10) for value in range(5)]
    sheet = plots.tile(tiles, columns=3, gap=2)
    assert torch.equal(sheet, plots.tile(torch.cat(tiles), columns=3, gap=2))
    assert sheet.shape == (1, 3, 10, 19)
    assert sheet[0, 0, 0, 0] == 0
    assert sheet[0, 0, 0, 7] == pytest.approx(0.1)
    assert sheet[0, 0, 6, 0] == pytest.approx(0.3)
    assert sheet[0, 0, 6, -1] == sheet[0, 0, 4, 0] == 1  # an empty position, and a gap


def test_a_patch_sheet_has_projections_at_the_left() -> None:
    patches, projections = [torch.zeros(1, 3, 4, 4)] * 9, [torch.zeros(1, 3, 7, 7)] * 9
    sheet = plots.patch_sheet(patches, projections, size=6)
    assert sheet.shape == (1, 3, 24, 60)
    assert sheet[0, 0, 0, 0] == 0.5
    assert sheet[0, 0, 0, -1] == 0


def test_the_strongest_filter_is_the_first_and_its_largest_number_white() -> None:
    filters = torch.zeros(2, 3, 2, 2)
    filters[0, 0, 0, 0], filters[1, 0, 1, 1] = 1.0, -2.0
    sheet = plots.filter_sheet(filters)
    assert sheet[0, 0, 1, 1] == 0
    assert sheet[0, 0, 0, 3] == 1
    assert sheet[0, 1, 0, 0] == 0.5
