"""The digits' network: its layers, its recipe, its shipped weights."""

import hashlib
from pathlib import Path

import pytest
import torch
from torch import Generator

from cnnlab.material.digits import mnist
from cnnlab.nets import Net
from cnnlab.training import accuracy
from cnnlab.zoo.digits_cnn import CHECKPOINT, mnist_cnn, train_mnist_cnn
from cnnlab.zoo.load import load_net
from tools import make_checkpoints


def test_the_shapes_and_the_parameters_of_the_lecture() -> None:
    chain = mnist_cnn(Generator().manual_seed(0))
    x, shapes = torch.zeros(2, 1, 28, 28), []
    for layer in chain:
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    assert list(dict.fromkeys(shapes)) == [
        (25, 26, 26), (25, 13, 13), (50, 11, 11), (50, 5, 5), (1250,), (100,), (10,)
    ]  # fmt: skip
    assert " ".join(Net(chain).layers) == "conv1 relu1 pool1 conv2 relu2 pool2 flatten dense1 relu3 logits"
    assert chain.conv2.weight[0].numel() == 225


@pytest.mark.parametrize("pooling", ["max", "average", "none"])
@pytest.mark.parametrize("kernel", [1, 3, 6, 9])
def test_any_choice_gives_ten_logits(kernel: int, pooling: str) -> None:
    chain = mnist_cnn(Generator().manual_seed(0), (2, 3), kernel, pooling)
    assert chain(torch.zeros(1, 1, 28, 28)).shape == (1, 10)


def test_a_choice_that_does_not_fit_is_refused() -> None:
    for wrong in ({"kernel": 10}, {"pooling": "min"}):
        with pytest.raises(ValueError, match="pooling must be one of max, average, none and kernel 1 to 9"):
            mnist_cnn(Generator(), **wrong)


def test_the_shipped_weights_read_98_percent() -> None:
    net = load_net("mnist", device="cpu")
    assert accuracy(net.model, mnist()[1]) >= 0.98
    assert net.labels == tuple("0123456789")


def test_one_epoch_of_the_recipe_is_worth_much() -> None:
    train, held_out = mnist()
    generator = Generator().manual_seed(0)
    chain = mnist_cnn(generator)
    train_mnist_cnn(chain, train, generator, epochs=1).finish(progress=False)
    assert accuracy(chain, held_out) > 0.85


def test_make_checkpoints_writes_weights_and_their_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = tuple(type(half)(half.images[:100], half.labels[:100]) for half in mnist())
    monkeypatch.setattr(make_checkpoints, "mnist", lambda: few)
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  {CHECKPOINT}\n{'1' * 64}  other\n")
    threads = torch.get_num_threads()
    try:
        make_checkpoints.make_mnist(tmp_path, epochs=1)
    finally:
        torch.set_num_threads(threads)
    made = hashlib.sha256((tmp_path / CHECKPOINT).read_bytes()).hexdigest()
    assert (tmp_path / "SHA256SUMS").read_text() == f"{made}  {CHECKPOINT}\n{'1' * 64}  other\n"
