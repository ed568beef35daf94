"""Chapter 05 asks another network whether patches belong together."""

import math
from dataclasses import replace

import torch

from cnnlab.chapters import ch05_grouping as grouping
from cnnlab.nets import Net, named
from cnnlab.techniques.patches import Crop, Patch, scan


def patch(source: str, color: tuple[float, float, float]) -> Patch:
    image = torch.tensor(color, dtype=torch.float).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    return Patch(Crop(source, image, 0, 0, 1), 0, 0, 1.0, 0, 0, 8)


def mean_color() -> Net:
    pool = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    return Net(named(pool=pool), device="cpu")


def test_likeness_is_the_mean_cosine_over_pairs_from_different_photographs() -> None:
    red, green, also_red = patch("a", (1, 0, 0)), patch("a", (0, 1, 0)), patch("b", (1, 0, 0))
    assert math.isclose(grouping.likeness(mean_color(), [red, green, also_red]), 0.5, abs_tol=1e-6)
    assert math.isnan(grouping.likeness(mean_color(), [red, green]))


def test_a_random_order_keeps_the_positions() -> None:
    crops = [patch(str(number), (number / 9, 0.5, 0)).crop for number in range(9)]
    scanned = scan(Net(named(same=torch.nn.Identity()), device="cpu"), crops, ["same"], progress=False)
    shuffled = grouping.random_order(scanned)
    assert not torch.equal(shuffled.values["same"], scanned.values["same"])
    assert replace(shuffled, values=scanned.values) == scanned
