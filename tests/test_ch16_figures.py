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


def test_bands_formants_and_ticks_stand_at_their_frequencies() -> None:
    axis = Figure().subplots()
    values = torch.zeros(40, 40)
    values[7, 3] = 1
    band = float(Spectrogram().frequencies[7])
    ch16_figures.draw_spectrogram(axis, values, formants=[band])
    (mesh,), low, high = axis.collections, *axis.get_ylim()
    assert mesh.get_array()[7, 3] == 1
    corners = mesh.get_coordinates()[7:9, 3:5]  # (2, 2, x and y)
    assert corners[..., 1].min() < band < corners[..., 1].max()
    assert corners[..., 0].min() < 3 * 400 / 39 < corners[..., 0].max()
    assert axis.lines[0].get_ydata() == [band]
    ticks = dict(zip([text.get_text() for text in axis.get_yticklabels()], axis.get_yticks(), strict=True))
    assert ticks["1,000"] == 1000
    assert low < ticks["200"] < ticks["5,000"] < high  # high frequencies on top


def test_ranges_show_the_mean_of_the_trainings_over_numbers_or_names() -> None:
    shares = {"along time": np.array([[0.2, 0.4], [0.4, 0.8]])}
    figure = ch16_figures.show_ranges(shares, [0.5, 1], "x", guessing=0.5, trained=(0.9, 1.1))
    line, guess = figure.axes[0].lines
    assert np.allclose(line.get_ydata(), [30, 60])
    assert list(guess.get_ydata()) == [50, 50]
    assert figure.axes[0].get_xscale() == "log"
    (axis,) = ch16_figures.show_ranges(shares, ["early", "late"], "x").axes
    assert [text.get_text() for text in axis.get_xticklabels()] == ["early", "late"]
    assert axis.lines[0].get_color() == line.get_color() == ch16_figures.ORANGE


def test_a_sentence_is_labeled_with_its_n_grams() -> None:
    axis = Figure().subplots()
    ch16_figures.draw_reading(axis, ["the", "film", "was", "good"], torch.zeros(5, 2))
    assert [text.get_text() for text in axis.get_xticklabels()] == ["the film was", "film was good"]


def test_the_table_escapes_what_it_shows() -> None:
    table = ch16_figures.ngram_table([("0", -0.5, ["<b>not</b>"])])
    assert "&lt;b&gt;not" in table
    assert "-0.50" in table
