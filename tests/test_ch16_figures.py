"""Figures of chapter 16: everything stands where it belongs."""

import numpy as np
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from cnnlab.chapters import ch16_figures
from cnnlab.chapters.ch16_go import BLACK, WHITE, board_from, planes
from cnnlab.chapters.ch16_vowels import Spectrogram


def stones(axis) -> dict:
    found = [patch for patch in axis.patches if isinstance(patch, Circle) and patch.radius > 0.4]
    return {(int(p.center[1]), int(p.center[0])): to_hex(p.get_facecolor()) for p in found}


def test_stones_lie_on_their_points_in_their_colors() -> None:
    board = board_from("X . O \n . . X")
    for color in (BLACK, WHITE):
        axis = Figure().subplots()
        ch16_figures.draw_board(axis, planes(board, color), black=color == BLACK)
        assert stones(axis) == {(0, 0): "#141414", (0, 2): "#fbfbf6", (1, 2): "#141414"}


def test_heat_is_relative_to_the_largest_and_wood_only_where_points_are() -> None:
    seen = torch.zeros(3, 2, 2)
    seen[2, 0] = 1  # the second row is beyond the edge
    axis = Figure().subplots()
    ch16_figures.draw_board(axis, seen, torch.tensor([[0.1, 0.2], [0.0, 0.0]]))
    squares = [patch for patch in axis.patches if isinstance(patch, Rectangle)]
    heat = [square.get_alpha() for square in squares if square.get_alpha()]
    assert np.allclose(heat, [0.425, 0.85])
    assert len(squares) - len(heat) == 2


def test_formants_and_ticks_stand_at_their_band() -> None:
    axis = Figure().subplots()
    frequencies = Spectrogram().frequencies
    ch16_figures.draw_spectrogram(axis, torch.zeros(40, 40), formants=[float(frequencies[7])])
    assert np.isclose(axis.lines[0].get_ydata()[0], 7, atol=1e-3)
    ticks = dict(zip([text.get_text() for text in axis.get_yticklabels()], axis.get_yticks(), strict=True))
    assert abs(float(frequencies[round(ticks["1,000"])]) - 1000) < 70
    assert ticks["200"] > ticks["5,000"]  # high frequencies on top


def test_ranges_show_the_mean_of_the_seeds() -> None:
    figure = ch16_figures.show_ranges({"a": np.array([[0.2, 0.4], [0.4, 0.8]])}, [0.5, 1], "x", (0.9, 1.1))
    assert np.allclose(figure.axes[0].lines[0].get_ydata(), [30, 60])


def test_a_sentence_is_labeled_with_its_n_grams() -> None:
    axis = Figure().subplots()
    ch16_figures.draw_reading(axis, ["the", "film", "was", "good"], torch.zeros(5, 2))
    assert [text.get_text() for text in axis.get_xticklabels()] == ["the film was", "film was good"]


def test_the_table_escapes_what_it_shows() -> None:
    table = ch16_figures.ngram_table([("0", -0.5, ["<b>not</b>"])])
    assert "&lt;b&gt;not" in table
    assert "-0.50" in table
