"""Nets: named chains that run only as deep as asked, frozen, with clear errors."""

import pytest
import torch
from torch import nn

from cnnlab.material.photos import photo
from cnnlab.nets import Net, named
from cnnlab.zoo.load import load_net


@pytest.fixture(scope="module")
def squeezenet():
    return load_net("squeezenet", device="cpu")


def test_probabilities_sum_to_one_and_predict_sorts_them(squeezenet):
    image = photo("cat", 128)
    probabilities = squeezenet.probabilities(image)
    assert probabilities.shape == (1, 1000)
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-5)
    top = squeezenet.predict(image, 4)
    assert [p.probability for p in top] == pytest.approx(probabilities[0].topk(4).values.tolist())
    assert top[0].label == squeezenet.labels[probabilities.argmax()]


def test_activations_equal_the_chain_run_by_hand_and_stop_at_the_deepest_layer(squeezenet):
    image = torch.rand(2, 3, 64, 80)
    x, expected = image, {}
    for name, layer in squeezenet.model.named_children():
        x = expected[name] = layer(x)
    found = squeezenet.activations(image, ["fire3", "relu1"])
    assert list(found) == ["relu1", "fire3"], "in the order in which they run"
    for name, value in found.items():
        assert torch.equal(value, expected[name])

    class Bomb(nn.Module):
        def forward(self, x):
            raise AssertionError("ran deeper than asked")

    net = Net(named(conv=nn.Conv2d(1, 2, 3), relu=nn.ReLU(), bomb=Bomb()), device="cpu")
    assert net.activations(torch.rand(1, 1, 5, 5), ["conv"])["conv"].shape == (1, 2, 3, 3)


def test_an_in_place_relu_cannot_change_what_was_captured_before_it():
    chain = named(conv=nn.Conv2d(1, 4, 3), relu=nn.ReLU(inplace=True))
    net = Net(chain, device="cpu")
    found = net.activations(torch.rand(1, 1, 9, 9), ["conv", "relu"])
    assert torch.equal(found["conv"].relu(), found["relu"])
    assert (found["conv"] < 0).any()
    assert chain.relu.inplace, "the student's own chain must stay as it was"


def test_a_students_chain_is_wrapped_as_a_frozen_copy():
    chain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Dropout(), nn.Flatten(), nn.Linear(2 * 36, 4))
    chain.train()
    net = Net(chain, labels="abcd", device="cpu")
    assert net.layers == ("0", "1", "2", "3")
    assert all(p.requires_grad for p in chain.parameters())
    assert chain.training
    assert not any(p.requires_grad for p in net.parameters())
    assert not net.model.training
    assert {p.label for p in net.predict(torch.rand(1, 1, 8, 8), 9)} == set("abcd")
    for wrong in (lambda x: x, nn.Sequential()):
        with pytest.raises(ValueError, match="model must be an nn.Module with at least one layer"):
            Net(wrong)


def test_the_device_is_where_the_net_lives_with_parameters_or_without():
    net = Net(named(relu=nn.ReLU()), device="cpu")
    assert net.device == torch.device("cpu")
    assert not net.state_dict()  # how it knows is not part of the net
    assert net.to("meta").device == torch.device("meta")
    assert net.activations(torch.rand(1, 3, 4, 4), ["relu"])["relu"].is_meta


def test_errors_name_what_would_be_right(squeezenet):
    image = torch.rand(1, 3, 64, 64)
    with pytest.raises(ValueError, match="unknown layer 'fire99': this net has conv1, relu1, .*logits"):
        squeezenet.activations(image, ["fire2", "fire99"])
    with pytest.raises(ValueError, match=r"float tensor \(B, C, H, W\)"):
        squeezenet.activations(image[0], ["fire2"])
    with pytest.raises(ValueError, match="single one"):
        squeezenet.predict(image.repeat(2, 1, 1, 1))
    with pytest.raises(ValueError, match="did you mean ostrich"):
        squeezenet.index("ostrichh")
    assert squeezenet.labels[squeezenet.index("ostrich")] == "ostrich"
