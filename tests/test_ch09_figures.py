"""Accuracies stand at their layers, and all panels have one scale."""

import pytest

from cnnlab.chapters import ch09_figures


def test_accuracies_stand_at_their_layers_on_one_scale() -> None:
    layers = {"pixels": [0.2, 0.4], "deep": [0.9, 0.7]}
    figure = ch09_figures.show_probes({"one": {"net": layers}, "two": {"net": layers, "other": {"a": [0.5], "b": [1]}}})
    left, right = figure.axes
    assert left.get_ylim() == right.get_ylim()
    mean, dots = left.lines
    assert list(mean.get_ydata()) == pytest.approx([0.3, 0.8])
    assert list(zip(*dots.get_data(), strict=True)) == [(0, 0.2), (0, 0.4), (1, 0.9), (1, 0.7)]
    assert [label.get_text() for label in right.get_xticklabels()] == ["a", "b"]
    assert len(right.lines) == 4
