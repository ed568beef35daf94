import numpy as np
import torch

from cnnlab import plots


def test_signed_values_become_white_at_0_red_above_and_blue_below() -> None:
    values = torch.tensor([[[-2.0, 0.0, 2.0]], [[0.0, 0.0, 0.01]]])  # two maps, each on its own scale
    first, second = plots.diverging(values)  # (3, 1, 3) each
    assert first.shape == (3, 1, 3)
    assert first[:, 0, 1].min() > 0.95
    assert first[2, 0, 0] > first[0, 0, 0] + 0.2
    assert first[0, 0, 2] > first[2, 0, 2] + 0.2
    torch.testing.assert_close(second[:, 0, 2], first[:, 0, 2])


def test_a_map_of_zeros_is_white() -> None:
    assert plots.diverging(torch.zeros(1, 4, 5)).min() > 0.95


def test_numbers_stand_in_their_cells_and_boxes_around_theirs() -> None:
    matrix = np.array([[1.0, -2.5, 0.0], [1 / 3, 4.0, 5.0]])
    figure = plots.show_numbers({"a": matrix, "b": matrix.T}, {"b": [(1, 0, 2, 1)]})
    first, second = figure.axes
    assert {text.get_position(): text.get_text() for text in first.texts}[1, 0] == "-2.5"
    assert len(first.texts) == 6
    assert [(box.get_xy(), box.get_height(), box.get_width()) for box in second.patches] == [((-0.5, 0.5), 2, 1)]
    assert not first.patches


def test_show_takes_numpy_arrays_too() -> None:
    figure = plots.show({"array": np.zeros((3, 4, 5)), "tensor": torch.ones(1, 3, 4, 5)})
    assert [axes.get_title() for axes in figure.axes] == ["array", "tensor"]


def test_a_few_extremes_may_lie_beyond_the_colours() -> None:
    values = torch.full((10, 10), 0.5)
    values[0, 0] = -9
    whole, most = (plots.show_maps([values], signed=True, saturate=share) for share in (0.0, 0.02))
    assert [figure.axes[0].images[0].get_clim() for figure in (whole, most)] == [(-9, 9), (-0.5, 0.5)]
    assert plots.show_maps([torch.eye(30)], saturate=0.1).axes[0].images[0].get_clim() == (0, 1)  # sparse: the maximum
