"""The net that paints in one pass does so with photographs that it has not seen, and its training runs."""

from pathlib import Path

import pytest
import torch

from cnnlab import load_net, painting, photo, score
from cnnlab.chapters.ch12_style_net import CHECKPOINT, STYLE, UNSEEN, style_net, trained_style_net
from cnnlab.zoo.checkpoints import read_weights
from tools import train_style_net as training


@pytest.mark.parametrize("name", UNSEEN[:2])
def test_one_pass_paints_a_photograph_that_was_not_trained_with(name: str) -> None:
    net, image = load_net("squeezenet", device="cpu"), photo(name, (128, 160))
    painted = trained_style_net()(image)
    assert painted.shape == image.shape
    assert 0 <= painted.min() < painted.max() <= 1
    objective = training.painted_like(net, image, training.in_the_style_of(net, painting(STYLE, 224)))
    assert score(net, objective, painted) < 0.7 * score(net, objective, image)


def test_training_makes_the_loss_smaller_and_writes_the_weights(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    assert training.train(6, tmp_path) < 1
    torch.set_num_threads(threads)
    style_net().load_state_dict(read_weights(tmp_path / CHECKPOINT))
    assert CHECKPOINT in (tmp_path / "SHA256SUMS").read_text()
