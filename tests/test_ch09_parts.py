"""Faces with hidden parts: what is hidden lies where it should, and the distances count what they say."""

import pytest
import torch
from torch import Generator

from cnnlab import load_net
from cnnlab.chapters import ch09_parts as parts
from cnnlab.chapters.ch09_checks import sign_distance
from cnnlab.teaching.checks import random_tensor


def covered(images: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Top, left, height and width of what differs, for each image."""
    found = []
    for differs in (images != hidden)[:, 0]:
        rows, columns = differs.any(dim=1).nonzero(), differs.any(dim=0).nonzero()
        found.append([*map(int, (rows.min(), columns.min(), 1 + rows.max() - rows.min()))])
        found[-1].append(int(1 + columns.max() - columns.min()))
    return torch.tensor(found)


def test_hidden_parts_move_with_the_face_and_one_position_does_not() -> None:
    faces = random_tensor((10, 1, 25, 25))
    wide, hidden = parts.shifted_faces(faces, Generator().manual_seed(0))
    offsets = torch.randint(0, 11, (10, 2), generator=Generator().manual_seed(0))
    for face, image, (top, left) in zip(faces, wide, offsets.tolist(), strict=True):
        torch.testing.assert_close(image[:, top : top + 25, left : left + 25], face)
    for part, corner in parts.PARTS.items():
        found = covered(wide, hidden[part])
        assert torch.equal(found[:, :2], offsets + torch.tensor(corner))
        assert torch.equal(found[:, 2:], torch.tensor([parts.PART] * 10))
    once = covered(wide, hidden["one random position"])
    assert torch.equal(once[:5], once[:1].expand(5, -1))
    assert torch.equal(once[5:], once[5:6].expand(5, -1))
    for name, images in hidden.items():
        here = covered(wide, images)[:, :2] - offsets
        assert bool((here >= 0).all() and (here <= torch.tensor(parts.LAST)).all()), f"{name} leaves the face"


def test_equally_dark_positions_are_as_dark_and_lie_apart_from_eyes_and_nose() -> None:
    faces = parts.faces()
    for part, corner in parts.PARTS.items():
        found = parts.equally_dark(faces, corner, Generator().manual_seed(0))
        means = torch.nn.functional.avg_pool2d(faces, parts.PART, stride=1)[:, 0]
        apart = means[torch.arange(100), found[:, 0], found[:, 1]] - means[:, corner[0], corner[1]]
        others = means.flatten(1) - means[:, corner[0], corner[1]][:, None]
        assert apart.abs().mean() < 0.3 * others.abs().mean(), part
        for other in parts.PARTS.values():
            down, across = (found - torch.tensor(other)).abs().unbind(dim=1)
            assert bool(((down >= parts.PART[0]) | (across >= parts.PART[1])).all()), part


def test_only_features_that_change_count() -> None:
    changes = torch.tensor([[1.0, -2, 0, 3], [4.0, -1, 0, -1], [0, 0, 0, 0]])
    assert parts.among_changed(changes[:2]) == pytest.approx(1 / 3)
    assert parts.among_changed(changes[[0, 0]]) == 0
    assert parts.among_changed(changes[[0, 2]]) == 1
    assert parts.among_changed(changes) == pytest.approx((1 / 3 + 1 + 1) / 3)


def test_distances_are_those_of_the_whole_batch() -> None:
    net = load_net("squeezenet", device="cpu")
    faces = parts.faces()[:10]
    hidden = {"nose": parts.hide(faces, torch.tensor([[12, 8]] * 10))}
    plain, sharper = parts.distances([sign_distance, parts.among_changed], net, faces, hidden, means=True)
    before, after = (parts.features(net, images, means=True) for images in (faces, hidden["nose"]))
    for layer in range(len(parts.DEPTHS)):
        for group, five in enumerate((before[layer] - after[layer]).split(5)):
            assert plain["nose"][layer, group] == pytest.approx(sign_distance(five), abs=0.02)
            assert sharper["nose"][layer, group] == pytest.approx(parts.among_changed(five), abs=0.02)


def test_results_are_sorted_by_kind() -> None:
    names = [*parts.PARTS, *(f"as dark as the {part}" for part in parts.PARTS), "random positions"]
    result = {name: dict.fromkeys(parts.DEPTHS, float(number)) for number, name in enumerate(names)}
    result["one random position"] = {layer: float(depth) for depth, layer in enumerate(parts.DEPTHS)}
    found = parts.by_kind([result, result])
    assert {kind: of.shape for kind, of in found.items()} == dict.fromkeys(found, (2, 6))
    assert [of[0, 0].item() for of in found.values()] == [1, 4, 0, 6]
    assert found["one random position"][1].tolist() == [0, 1, 2, 3, 4, 5]
