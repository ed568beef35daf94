"""Figures that one chapter alone needs: they are drawn without pyplot, and every value stands where it belongs."""

import matplotlib.pyplot as plt
import pytest
import torch
from torch import Generator, nn

from cnnlab import Net, initialize, load_net, named, plots
from cnnlab.chapters import ch02_figures, ch03_figures, ch04_figures, ch06_figures, ch14_figures, ch15_figures
from cnnlab.chapters.ch02_drawing import DIGIT_STROKES, draw
from cnnlab.teaching.frames import picture
from cnnlab.techniques.patches import Crop, Patch


def tiny(seed: int, numbers: int, classes: int) -> Net:
    chain = named(flatten=nn.Flatten(), logits=nn.Linear(numbers, classes))
    return Net(initialize(chain, Generator().manual_seed(seed)), labels="abcdefghij"[:classes], device="cpu")


def test_figures_of_digits_are_drawn_without_pyplot() -> None:
    net, image, before = load_net("mnist", device="cpu"), draw(DIGIT_STROKES["5"]), plt.get_fignums()
    rows = {"a": torch.rand(2, 1, 28, 28), "change": torch.rand(2, 1, 28, 28) - 0.5}
    figures = [
        ch02_figures.show_layers(net, image),
        ch02_figures.show_training([2.0, 1.0, 0.5], {"training": [0.5, 0.9], "validation": [0.4, 0.8]}),
        ch02_figures.show_training([], {"training": []}),
        ch02_figures.show_descents(lambda w: (w - 1) ** 2, {"slow": [-0.8, 0.5], "good": [-0.8, 0.9, 1.0]}),
        ch02_figures.show_loss({"one": torch.rand(10), "other": torch.rand(10)}, label=3),
        ch02_figures.show_filters({"before": torch.rand(25, 3, 3), "change": torch.zeros(25, 3, 3)}),
        ch02_figures.show_seeds({"a": {"training": [0.9, 1.0], "exam": [0.8, 0.9]}}),
        ch02_figures.show_confusion(torch.tensor([4, 4, 9]), torch.tensor([9, 9, 9])),
        ch03_figures.show_above(torch.rand(20, 3), torch.rand(3), ["1", "2", "3"], "a"),
        ch03_figures.show_answer(net, image),
        ch03_figures.show_classes({"a": torch.rand(3, 1, 28, 28)}, torch.rand(3, 10), ["1", "2", "3"]),
        plots.show_rows(rows, ["x", "y"]),
    ]
    assert all(picture(figure).getextrema() != ((255, 255),) * 3 for figure in figures)
    assert plt.get_fignums() == before


def test_layers_are_named_with_their_sizes() -> None:
    figure = ch02_figures.show_layers(load_net("mnist", device="cpu"), draw(DIGIT_STROKES["5"]))
    titles = ["image 28 × 28", "relu1  25 × 26 × 26", "pool1  25 × 13 × 13", "relu2  50 × 11 × 11", "pool2  50 × 5 × 5",
              "relu3  100", ""]  # fmt: skip
    assert [axis.get_title() for axis in figure.axes] == titles


def test_fooled_photographs_stand_beside_the_originals() -> None:
    images = torch.rand(2, 3, 12, 16, generator=Generator().manual_seed(0))
    changed = (images * 0.9 + 0.01).clamp(0, 1)
    net = tiny(0, 3 * 12 * 16, 5)
    said = [net.predict(image[None], 1)[0] for image in images]
    figure = ch14_figures.show_fooled(images, changed, said, said, magnify=20)
    assert len(figure.axes) == 8
    drawn = [torch.as_tensor(axis.images[0].get_array()).permute(2, 0, 1) for axis in figure.axes[:4]]
    torch.testing.assert_close(drawn[:2], [images[0], changed[0]])
    torch.testing.assert_close(drawn[2], 0.5 + changed[0] - images[0])
    assert "largest" in figure.axes[3].get_title()


def test_rates_stand_in_their_cells() -> None:
    table = torch.tensor([[0.25, 1.0], [0.0, 0.5]])
    figure = ch15_figures.show_rates({"a": table, "b": table}, ["one", "two"], ["x", "y"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["25%", "100%", "0%", "50%"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["one", "two"]


def test_every_net_says_what_it_makes_of_the_sum() -> None:
    nets = {"one": tiny(0, 6, 10), "two": tiny(1, 6, 10)}
    image = torch.rand(1, 1, 2, 3)
    changed = (image + 0.1).clamp(0, 1)
    figure = ch15_figures.show_fooled(nets, image, changed, "title")
    for axis, net in zip(figure.axes[3:], nets.values(), strict=True):
        heights = [bar.get_height() for bar in axis.patches[:10]]
        assert heights == pytest.approx(net.probabilities(changed)[0].tolist(), abs=1e-5)


def test_confusions_stand_in_their_cells() -> None:
    figure = ch02_figures.show_confusion(torch.tensor([4, 4, 9]), torch.tensor([9, 9, 9]))
    written = {(text.get_position(), text.get_text()) for text in figure.axes[0].texts}
    assert written == {((9, 4), "2"), ((9, 9), "1")}  # column: what the net says; row: what it is


def test_every_seed_is_a_dot_and_the_mean_a_bar() -> None:
    figure = ch02_figures.show_seeds({"a": {"training": [0.9, 1.0], "exam": [0.8, 0.9]}})
    lines = [line.get_xdata() for line in figure.axes[0].lines]
    assert [list(line) for line in lines] == [[90, 100], [95, 95], [80, 90], pytest.approx([85, 85])]


def test_figures_of_where_the_net_looks_hold_their_images_and_labels() -> None:
    photos = {"a": torch.rand(1, 3, 64, 64), "b": torch.rand(1, 3, 64, 64)}
    mask = torch.zeros(64, 64, dtype=torch.bool)
    mask[16:32, 8:24] = True
    values = torch.rand(5, 5)
    numbers = torch.tensor([[0, 0], [1, 2]])
    figures = [
        ch06_figures.show_outlines(photos, [mask, mask], columns=2),
        ch06_figures.show_heat(photos, [values, values], patch=32, stride=8, masks=[mask, mask]),
        ch06_figures.show_answers(photos, [numbers, numbers], ["cat", "dog", "cup"], patch=32, stride=32),
        ch06_figures.show_on_photo(photos["a"], {"x": torch.rand(64, 64)}, mask, columns=1, height=2),
        ch06_figures.show_by_method({"x": [0.5, 0.7], "edges": [0.6, 0.6]}, {"x": [0.4, 0.6]}, "x", 0.5),
    ]
    assert all(picture(figure).getextrema() != ((255, 255),) * 3 for figure in figures)
    keys = [text.get_text() for text in figures[2].axes[0].get_legend().get_texts()]
    assert sorted(keys) == ["cat", "cup", "dog"]
    assert [list(line.get_xdata()) for line in figures[4].axes[0].lines[:3]] == [
        [0.5, 0.7], pytest.approx([0.6, 0.6]), pytest.approx([0.5, 0.5])
    ]  # fmt: skip


def test_portraits_stand_beside_their_patches() -> None:
    crop = Crop("a", torch.rand(1, 3, 120, 120, generator=Generator().manual_seed(0)), 0, 0, 1)
    liked = [Patch(crop, 0, 0, 1.0, 4 * k, 0, size) for k, size in enumerate((7, 100, 84))]
    pictures = ch04_figures.Portraits(["no. 1", "no. 2"], torch.rand(2, 3, 32, 32), [liked, []])
    figure = ch04_figures.show_portraits({"fire2": pictures, "fire3": pictures}, count=2)
    assert [axis.get_title() for axis in figure.axes] == ["no. 1", "", "no. 2", ""] * 2
    assert ch04_figures.four_patches([]).min() == 1
    figures = [figure, ch04_figures.show_waves(32)]
    assert all(picture(figure).getextrema() != ((255, 255),) * 3 for figure in figures)


def test_a_color_is_a_net_and_a_style_of_line_is_a_kind() -> None:
    series = {f"{net}, {kind}": [0.5, 1.0] for net in ("one", "two") for kind in ("fooled", "at random")}
    lines = ch15_figures.show_kinds(series, "eps", "share", [0, 1]).axes[0].lines
    colors, styles = [line.get_color() for line in lines], [line.get_linestyle() for line in lines]
    assert colors[0] == colors[1] != colors[2] == colors[3]
    assert styles == ["-", "--", "-", "--"]


def test_an_estimate_that_is_right_lies_in_the_band() -> None:
    figure = ch15_figures.show_estimate(torch.tensor([0.1, 0.2]), torch.tensor([0.1, 0.3]))
    (axis,) = figure.axes
    assert [list(line.get_ydata()) for line in axis.lines] == [pytest.approx([0.1, 0.3])]
    (band,) = axis.collections
    assert band.get_paths()[0].contains_point((0.1, 0.1))
    assert not band.get_paths()[0].contains_point((0.2, 0.3))
