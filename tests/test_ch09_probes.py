"""Linear classifiers on features: the sets are apart, the classes come in turn, the validation set chooses C."""

import pytest
import torch
from torch import Generator

from cnnlab import Examples, load_net
from cnnlab.chapters import ch09_probes as probes
from cnnlab.teaching.checks import random_tensor


def test_sets_share_no_image_and_their_classes_come_in_turn() -> None:
    examples = Examples(torch.arange(60.0).view(60, 1, 1, 1), torch.arange(3).repeat(20))
    sets = list(probes.drawn(examples, 3, (2, 5, 7), Generator().manual_seed(0)))
    assert [len(part.labels) for part in sets] == [6, 15, 21]
    for part in sets:
        assert torch.equal(part.labels, torch.arange(3).repeat(len(part.labels) // 3))
        assert torch.equal(part.images.flatten() % 3, part.labels)
    assert len(torch.cat([part.images.flatten() for part in sets]).unique()) == 42


@pytest.mark.parametrize(("name", "sizes"), [("faces or not", (6, 40, 140)), ("digits", (100, 100, 300))])
def test_a_task_has_three_sets(name: str, sizes: tuple[int, int, int]) -> None:
    task = probes.make_task(name, 0)
    assert tuple(len(part.labels) for part in task) == sizes
    assert torch.equal(task.learn.images, probes.make_task(name, 0).learn.images)
    assert not torch.equal(task.learn.images, probes.make_task(name, 1).learn.images)


def test_faces_are_faces() -> None:
    from cnnlab.chapters.ch09_parts import faces

    examples = probes.faces_or_not()
    assert torch.equal(examples.images[examples.labels == 1], faces())


def test_features_are_means_of_quarters_and_the_pixels() -> None:
    net, images = load_net("squeezenet", device="cpu"), random_tensor((3, 1, 25, 25))
    features = probes.pooled(net, images, ["pool1"], 64)
    assert {layer: tuple(of.shape) for layer, of in features.items()} == {"pixels": (3, 64), "pool1": (3, 256)}
    large = torch.nn.functional.interpolate(images, (64, 64), mode="bicubic", antialias=True).clamp(0, 1)
    maps = net.activations(large.expand(-1, 3, -1, -1), ["pool1"])["pool1"]
    assert maps.shape[-1] == 15
    torch.testing.assert_close(features["pool1"].view(3, 64, 2, 2)[..., 0, 0], maps[..., :8, :8].mean(dim=(2, 3)),
                               rtol=0.05, atol=0.02)  # fmt: skip


def test_the_validation_set_chooses_c() -> None:
    features, labels = random_tensor((40, 30)), torch.arange(2).repeat(20)
    features[:, 0] += labels
    chosen = probes.tuned("softmax", features, labels, features, labels)
    scores = [probes.fitted("softmax", strength, features, labels).score(features.numpy(), labels.numpy())
              for strength in probes.STRENGTHS]  # fmt: skip
    assert chosen.score(features.numpy(), labels.numpy()) == max(scores)
    assert probes.STRENGTHS[scores.index(max(scores))] == chosen[-1].C


def test_fewer_images_are_the_first_of_each_class() -> None:
    features, labels = random_tensor((12, 5)), torch.arange(3).repeat(4)
    examples = Examples(features, labels)
    task = probes.Task(examples, examples, examples)
    few = probes.tuned_on(task, probes.Features(*[{"a": features}] * 3), "a", "SVM", 2)
    assert few[0].n_samples_seen_ == 6
    torch.testing.assert_close(torch.tensor(few[0].mean_), features[:6].mean(dim=0).double())
