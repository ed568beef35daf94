"""Figures of images in rows and columns: every image, number and color stands where it belongs."""

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient

from cnnlab import plots
from cnnlab.nets import Prediction


def test_show_takes_numpy_arrays_too() -> None:
    figure = plots.show({"array": np.zeros((3, 4, 5)), "tensor": torch.ones(1, 3, 4, 5)})
    assert [axes.get_title() for axes in figure.axes] == ["array", "tensor"]
    with pytest.raises(ValueError, match="at least one image"):
        plots.show([])


def test_a_few_extremes_may_lie_beyond_the_colors() -> None:
    values = torch.full((10, 10), 0.5)
    values[0, 0] = -9
    whole, most = (plots.show_maps([values], signed=True, saturate=share) for share in (0.0, 0.02))
    assert [figure.axes[0].images[0].get_clim() for figure in (whole, most)] == [(-9, 9), (-0.5, 0.5)]
    assert plots.show_maps([torch.eye(30)], saturate=0.1).axes[0].images[0].get_clim() == (0, 1)  # sparse: the maximum


def test_numbers_stand_in_their_cells_and_boxes_around_theirs() -> None:
    matrix = np.array([[1.0, -2.5, 0.0], [1 / 3, 4.0, 5.0]])
    figure = plots.show_numbers({"a": matrix, "b": matrix.T}, {"b": [(1, 0, 2, 1)]})
    first, second = figure.axes
    assert {text.get_position(): text.get_text() for text in first.texts}[1, 0] == "-2.5"
    assert len(first.texts) == 6
    assert [(box.get_xy(), box.get_height(), box.get_width()) for box in second.patches] == [((-0.5, 0.5), 2, 1)]
    assert not first.patches


def test_rows_have_their_names_and_their_images_in_order() -> None:
    dark, light = torch.zeros(2, 3, 4, 5), torch.ones(3, 3, 4, 5)
    figure = plots.show_rows({"low": dark, "high": light}, ["one", "two\nlines", "three"])
    assert [bool(axis.images) for axis in figure.axes] == [True, True, False, True, True, True]
    assert [axis.get_ylabel() for axis in figure.axes] == ["low", "", "", "high", "", ""]
    assert [axis.get_title() for axis in figure.axes[:3]] == ["one", "two\nlines", "three"]
    assert [figure.axes[i].images[0].get_array().mean() for i in (0, 3)] == [0, 1]


def test_rows_keep_the_proportions_of_their_images() -> None:
    figure = plots.show_rows({"low": torch.zeros(2, 3, 6, 12)}, height=2)
    figure.draw_without_rendering()
    drawn = figure.axes[1].get_window_extent()
    assert drawn.width / drawn.height == pytest.approx(2, rel=0.01)
    assert drawn.height == pytest.approx(2 * figure.dpi, rel=0.05)


def test_a_row_of_changes_has_the_full_color_at_its_largest() -> None:
    figure = plots.show_rows({"change": torch.tensor([-0.2, 0.1]).view(2, 1, 1, 1)})
    assert [axis.images[0].get_array().item() for axis in figure.axes] == pytest.approx([-1, 0.5])
    assert figure.axes[0].images[0].get_clim() == (-1, 1)


def test_predictions_stand_from_the_top() -> None:
    predictions = [Prediction("cat", 0.75), Prediction("dog", 0.25)]
    image, bars = plots.show_predictions(torch.rand(1, 3, 8, 8), predictions).axes
    assert image.images[0].get_array().shape == (8, 8, 3)
    assert [bar.get_width() for bar in bars.patches] == [0.75, 0.25]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["cat", "dog"]
    assert bars.yaxis_inverted()


def test_bars_below_images_compare_with_before() -> None:
    images = {"one": torch.rand(1, 1, 8, 8), "two": torch.rand(1, 3, 8, 8)}
    bars = {"cat": 0.25, "dog": 1.5}
    figure = plots.show_with_bars(images, bars, before={"cat": 0.75}, highlight="dog", form=".2f")
    assert [axis.get_title() for axis in figure.axes[:2]] == ["one", "two"]
    axis = figure.axes[2]
    assert [bar.get_width() for bar in axis.patches] == [0.25, 1.5]
    assert [text.get_text() for text in axis.texts] == ["0.25", "1.50"]
    assert list(axis.lines[0].get_xdata()) == [0.75, 0.75]
    assert axis.get_xlim()[1] > 1.5
    assert axis.patches[0].get_facecolor() != axis.patches[1].get_facecolor()


@pytest.mark.parametrize(("setup", "kind"), [("", "image/png"), ("set_matplotlib_formats('jpeg')", "image/jpeg")])
def test_a_notebook_shows_a_figure_as_a_picture(setup: str, kind: str) -> None:
    inline = "from matplotlib_inline.backend_inline import set_matplotlib_formats" if setup else ""
    source = f"{inline}\n{setup}\nfrom cnnlab import plots\nimport torch\nplots.show(torch.rand(1, 3, 8, 8))"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    assert kind in notebook.cells[0].outputs[-1].data
