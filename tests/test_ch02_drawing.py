"""The pad of chapter 02: smooth lines, drawings like MNIST's digits, strokes from clicks."""

import pytest
import torch

from cnnlab import load_net
from cnnlab.chapters.ch02_drawing import DIGIT_STROKES, DotPad, draw


def test_straight_strokes_stay_straight_and_a_dot_is_a_point() -> None:
    diagonal = draw((((0, 0), (1, 1), (3, 3)),))[0, 0]
    torch.testing.assert_close(diagonal, diagonal.T, atol=1e-3, rtol=0)
    assert draw((((3, 4),),), pen=2).sum() == pytest.approx(3.1, abs=1)  # a disk of radius 1


def test_a_smooth_line_goes_through_its_dots() -> None:
    stroke = ((0, 0), (2, 5), (4, 1), (4, 7))
    line, dots = (draw(strokes, centered=False) for strokes in ((stroke,), tuple((dot,) for dot in stroke)))
    assert (line >= dots - 0.05).all()


def test_a_drawing_is_centered_where_a_digit_is() -> None:
    for strokes in (DIGIT_STROKES["3"], DIGIT_STROKES["4"]):
        rows = draw(strokes)[0, 0].sum(1).nonzero()[:, 0]
        assert 19 <= rows.max() - rows.min() + 1 <= 21  # 20 of 28 pixels, and their rim
    corner = (((0, 0), (1, 0), (1, 1), (0, 1), (0, 0)),)
    ring = draw(corner)[0, 0]
    assert (ring.sum(1) * torch.arange(28)).sum() / ring.sum() == pytest.approx(13.5, abs=0.5)
    assert not draw(corner, centered=False)[0, 0, 14:, 14:].any()
    assert not draw(()).any()
    assert not draw(((),)).any()


def test_the_net_reads_our_ten_drawings() -> None:
    drawn = torch.cat([draw(strokes) for strokes in DIGIT_STROKES.values()])
    assert load_net("mnist", device="cpu").probabilities(drawn).argmax(1).tolist() == list(range(10))


def test_a_pad_takes_strokes_from_clicks() -> None:
    pad = DotPad()
    for dot in ((1, 0), (3, 4), (3, 4), (5, 5), (2, 2)):  # the second click on a dot lifts the pen
        pad.dots[dot].click()
    assert pad.value == (((1, 0), (3, 4)), ((5, 5), (2, 2)))
    assert pad.dots[2, 2].button_style == "warning"  # the last one
    assert pad.dots[1, 0].button_style == "primary"
    assert pad.dots[0, 0].button_style == ""
    pad.tools["undo"].click()
    pad.tools["undo"].click()
    assert pad.value == (((1, 0), (3, 4)), ())  # the pen stays lifted
    pad.tools["lift the pen"].click()
    pad.dots[6, 8].click()
    assert pad.value == (((1, 0), (3, 4)), ((6, 8),))
    pad.tools["clear"].click()
    assert pad.value == ()
    pad.tools["undo"].click()
    pad.tools["lift the pen"].click()
    assert pad.value == ()
    assert {button.button_style for button in pad.dots.values()} == {""}
