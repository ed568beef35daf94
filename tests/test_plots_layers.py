"""Figures that compare layers: what stands where."""

import torch

from cnnlab import plots, plots_layers


def test_a_gallery_has_a_row_per_layer_with_its_name_and_its_images_in_order():
    dark, light = torch.zeros(2, 3, 4, 5), torch.ones(3, 3, 4, 5)
    figure = plots_layers.gallery({"low": dark, "high": light})
    drawn = [[bool(axis.images) for axis in figure.axes[:3]], [bool(axis.images) for axis in figure.axes[3:]]]
    assert drawn == [[True, True, False], [True, True, True]]
    assert [text.get_text() for axis in figure.axes for text in axis.texts] == ["low", "high"]
    assert [figure.axes[i].images[0].get_array().mean() for i in (0, 3)] == [0, 1]


def test_a_gallery_keeps_the_images_proportions_and_names_its_columns():
    figure = plots_layers.gallery({"low": torch.zeros(2, 3, 6, 12)}, ["one", "two"], height=2)
    assert figure.get_size_inches().tolist() == [2 * 4 + 0.5, 2 + 0.3]
    assert [axis.get_title() for axis in figure.axes] == ["one", "two"]


def test_measures_by_layer_show_each_value_and_the_medians():
    figure = plots_layers.by_layer({"size": {"a": [1.0, 2.0, 9.0], "b": torch.tensor([4.0])}})
    first, second, medians = figure.axes[0].lines
    assert first.get_ydata().tolist() == [1, 2, 9]
    assert second.get_xdata().tolist() == [1]
    assert medians.get_ydata().tolist() == [2, 4]


def test_activity_is_shown_relative_to_each_strips_largest():
    figure = plots_layers.activity(torch.tensor([[0.0, 2.0, 4.0], [0.0, 0.0, 0.0]]), ["a", "b"], "frame")
    assert figure.axes[0].images[0].get_array().tolist() == [[0, 0.5, 1], [0, 0, 0]]


def test_curves_stand_over_their_x():
    figure = plots.curves({"a": [1.0, 2.0]}, "x", "y", x=[0.5, 0.7])
    assert figure.axes[0].lines[0].get_xdata().tolist() == [0.5, 0.7]


def test_curves_name_the_values_of_a_logarithmic_axis():
    axis = plots.curves({"a": [1.0, 2.0], "formula": [1.0, 2.0]}, "x", "y", x=[10, 1000], log="xy", ylim=(0.5, 3)).axes[
        0
    ]
    assert (axis.get_xscale(), axis.get_yscale(), axis.get_ylim()) == ("log", "log", (0.5, 3))
    assert [label.get_text() for label in axis.get_xticklabels()] == ["10", "1,000"]
    assert [line.get_linestyle() for line in axis.lines] == ["-", "--"]
    named = plots.curves({"a": [1.0, 2.0]}, "x", "y", x=[1, 2], ticks=["one", "two"], ordered=True).axes[0]
    assert [label.get_text() for label in named.get_xticklabels()] == ["one", "two"]


def test_curves_over_names_and_over_numbers():
    assert plots.curves({"a": [1.0, 2.0]}, "x", "y", x=["relu1", "fire2"]).axes[0].lines[0].get_marker() == "o"
    many = plots.curves({"a": list(range(40))}, "x", "y").axes[0].lines[0]
    assert many.get_marker() == "None"
    assert many.get_xdata()[:2].tolist() == [1, 2]


def test_a_logarithmic_axis_fits_the_values():
    low, high = plots.curves({"a": [1e-9, 1e-3]}, "x", "y", log="y").axes[0].get_ylim()
    assert 1e-10 < low < 1e-9
    assert 1e-3 < high < 1e-2


def test_a_logarithmic_axis_within_a_decade_has_plain_numbers():
    axis = plots.curves({"a": [0.2, 0.6]}, "x", "y", log="y").axes[0]
    labels = {round(tick, 1): axis.yaxis.get_minor_formatter()(tick) for tick in axis.get_yticks(minor=True)}
    assert labels[0.3] == "0.3"
