"""The figures of chapter 05: switches are addresses, patches have their activation in %, what is shared is bright."""

import torch
from torch import Generator

from cnnlab.chapters import ch05_figures as figures
from cnnlab.techniques.patches import Crop, Patch


def patches(count: int, size: int = 24) -> list[Patch]:
    images = torch.rand(count, 1, 3, size, size, generator=Generator().manual_seed(0))
    return [Patch(Crop("a", image, 0, 0, 1), 0, 0, 10.0 - n, 0, 0, size) for n, image in enumerate(images)]


def test_switches_have_no_colors_and_other_numbers_have() -> None:
    numbers = torch.arange(9.0).view(1, 1, 3, 3)
    map_axis, switch_axis = figures.show_switches({"map": numbers, "switches": numbers.long()}).axes
    white = [axis.images[0].to_rgba(numbers[0, 0].numpy())[..., :3].min() for axis in (map_axis, switch_axis)]
    assert white[0] < 0.9
    assert white[1] == 1
    assert [text.get_text() for text in switch_axis.texts] == [str(number) for number in range(9)]


def test_each_patch_has_its_activation_in_percent() -> None:
    few = patches(4)
    figure = figures.show_patches({"one": (few, [p.image - 0.5 for p in few]), "two": (few[:1], [few[0].image])}, 2)
    first, second = (axis for axis in figure.axes if axis.get_title())
    assert [text.get_text() for text in first.texts] == ["100%", "90%", "80%", "70%"]
    assert [text.get_text() for text in second.texts] == ["100%"]
    width, height = first.images[0].get_array().shape[1::-1]
    assert all(width / 2 < text.get_position()[0] < width for text in first.texts)
    assert all(0 < text.get_position()[1] < height for text in first.texts)


def test_what_is_shared_stays_bright() -> None:
    few, marked = patches(2), torch.zeros(2, 2, 2, dtype=torch.bool)
    marked[:, 0] = True
    figure = figures.show_shared(few, marked, {"own": [p.image - 0.5 for p in few]}, size=24)
    assert len(figure.axes) == 6
    whole, dark = (torch.as_tensor(axis.images[0].get_array()) for axis in (figure.axes[0], figure.axes[2]))
    torch.testing.assert_close(dark[:12], whole[:12])
    torch.testing.assert_close(dark[12:], 0.25 * whole[12:])
