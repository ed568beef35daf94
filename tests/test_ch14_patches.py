"""The patch of chapter 14 lies inside its scene, is of the size it says, and passes gradients."""

import torch
from torch import Generator, nn

from cnnlab import Net, named
from cnnlab.chapters.ch14_patches import LIGHT, seen_as, stick


def test_a_patch_that_does_not_move_is_upright_in_the_middle() -> None:
    scenes, patch = torch.zeros(2, 3, 40, 40), torch.ones(1, 3, 20, 20)
    patch[:, :, :10] = 0.5  # its upper half
    stuck = stick(patch, scenes, Generator(), width=0.5, moving=False)
    expected = scenes.clone()
    expected[:, :, 10:30, 10:30] = patch
    torch.testing.assert_close(stuck, expected)


def test_patches_lie_inside_their_scenes_each_at_its_own_position() -> None:
    scenes, patch = torch.full((50, 3, 60, 60), 0.5), torch.zeros(1, 3, 64, 64, requires_grad=True)
    stuck = stick(patch, scenes, Generator().manual_seed(0), width=0.3)
    area = (stuck[:, 0] < 0.25).float().mean((1, 2))
    assert 0.3**2 / 1.3**2 * 0.9 < area.min() < 0.3**2 < area.max() < 0.3**2 * 1.3**2 * 1.1
    assert len(torch.unique(stuck[:, 0].flatten(1), dim=0)) == 50
    stuck.sum().backward()
    assert patch.grad is not None
    assert patch.grad.gt(0).all()


def test_the_light_changes_by_at_most_a_fifth() -> None:
    stuck = stick(torch.full((1, 3, 8, 8), 0.5), torch.zeros(50, 3, 40, 40), Generator().manual_seed(0))
    brightest = stuck.amax((1, 2, 3))
    assert 0.5 * (1 - LIGHT) <= brightest.min() < 0.45 < 0.55 < brightest.max() <= 0.5 * (1 + LIGHT) + 1e-6


def test_images_of_several_labels_are_counted() -> None:
    net = Net(named(logits=nn.Flatten()), labels="abc", device="cpu")
    images = torch.eye(3)[[0, 1, 1, 2] * 5].view(20, 1, 1, 3)
    assert [seen_as(net, labels, images) for labels in (("b",), ("a", "b"), ("c", "a"))] == [10, 15, 10]
