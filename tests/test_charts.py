"""Lines and bars: every value stands where it belongs."""

import pytest
import torch

from cnnlab import plots


def test_measures_by_layer_show_each_value_and_the_medians() -> None:
    figure = plots.show_by_layer({"size": {"a": [1.0, 2.0, 9.0], "b": torch.tensor([4.0])}})
    first, second, medians = figure.axes[0].lines
    assert first.get_ydata().tolist() == [1, 2, 9]
    assert second.get_xdata() == [1]
    assert list(medians.get_ydata()) == [2, 4]


def test_bars_stand_from_the_top_with_their_numbers() -> None:
    axis = plots.show_bars({"all": 0.75, "none": 0.125}, "accuracy").axes[0]
    assert [bar.get_width() for bar in axis.patches] == [0.75, 0.125]
    assert [text.get_text() for text in axis.texts] == ["75.0%", "12.5%"]
    assert axis.get_xlabel() == "accuracy"


def test_probabilities_name_the_largest() -> None:
    axis = plots.new_figure(2, 1).subplots()
    plots.draw_probabilities(axis, torch.tensor([0.25, 0.75]), ["no", "yes"], torch.tensor([0.5, 0.5]))
    assert [bar.get_height() for bar in axis.patches] == [0.25, 0.75, 0.5, 0.5]
    assert [text.get_text() for text in axis.texts] == ["75.0%"]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["no", "yes"]


def test_curves_stand_over_their_x() -> None:
    figure = plots.curves({"a": [1.0, 2.0]}, "x", "y", x=[0.5, 0.7])
    assert figure.axes[0].lines[0].get_xdata().tolist() == [0.5, 0.7]


def test_curves_name_the_values_of_a_logarithmic_axis() -> None:
    series = {"a": [1.0, 2.0], "formula": [1.0, 2.0]}
    (axis,) = plots.curves(series, "x", "y", x=[10, 1000], log="xy", ylim=(0.5, 3)).axes
    assert (axis.get_xscale(), axis.get_yscale(), axis.get_ylim()) == ("log", "log", (0.5, 3))
    assert [label.get_text() for label in axis.get_xticklabels()] == ["10", "1,000"]
    assert [line.get_linestyle() for line in axis.lines] == ["-", "--"]
    named = plots.curves({"a": [1.0, 2.0]}, "x", "y", x=[1, 2], ticks=["one", "two"], ordered=True).axes[0]
    assert [label.get_text() for label in named.get_xticklabels()] == ["one", "two"]


def test_curves_over_names_and_over_numbers() -> None:
    assert plots.curves({"a": [1.0, 2.0]}, "x", "y", x=["relu1", "fire2"]).axes[0].lines[0].get_marker() == "o"
    many = plots.curves({"a": list(range(40))}, "x", "y").axes[0].lines[0]
    assert many.get_marker() == "None"
    assert many.get_xdata()[:2].tolist() == [1, 2]


def test_a_logarithmic_axis_fits_the_values() -> None:
    low, high = plots.curves({"a": [1e-9, 1e-3]}, "x", "y", log="y").axes[0].get_ylim()
    assert 1e-10 < low < 1e-9
    assert 1e-3 < high < 1e-2


@pytest.mark.parametrize("values", [[0.2, 0.6], [1.5, 4.0]])
def test_a_logarithmic_axis_within_a_decade_has_plain_numbers(values: list[float]) -> None:
    axis = plots.curves({"a": values}, "x", "y", log="y").axes[0]
    labels = {round(tick, 1): axis.yaxis.get_minor_formatter()(tick) for tick in axis.get_yticks(minor=True)}
    assert all(label == f"{tick:g}" for tick, label in labels.items() if values[0] <= tick <= values[1])
    assert labels
