"""The figures of chapter 12 show what they are given."""

import torch
from torch import Generator

from cnnlab.chapters import ch12_figures as figures


def test_the_drawing_names_every_layer_and_compares_the_code_in_one() -> None:
    images = {name: torch.rand(1, 3, 8, 8) for name in ("painting", "image", "photograph")}
    figure = figures.show_method(images, ["a", "b", "c"], "b")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [texts.count(layer) for layer in "abc"] == [3, 3, 3]
    assert len(figure.axes) == 4
    colors = [patch.get_facecolor() for patch in figure.axes[0].patches if hasattr(patch, "get_xy")][-3:]
    assert colors[0] == colors[2] != colors[1]


def test_the_ellipse_has_the_second_moments_of_its_cloud() -> None:
    cloud = torch.randn(500, 2, generator=Generator().manual_seed(0)) @ torch.tensor([[2.0, 1.0], [0.0, 0.5]])
    figure = figures.show_clouds({"a": cloud, "b": 2 * cloud}, ["x", "y"])
    ellipses = [torch.as_tensor(axis.lines[1].get_xydata()).float() for axis in figure.axes]
    inverse = torch.linalg.inv(cloud.mT @ cloud / len(cloud))
    for ellipse, scale in zip(ellipses, (1, 4), strict=True):
        torch.testing.assert_close(
            (ellipse @ inverse * ellipse).sum(1), torch.full((100,), 4.0 * scale), rtol=1e-3, atol=0
        )
