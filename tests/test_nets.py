"""Nets: named chains that run only as deep as asked, frozen, with clear errors."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnlab import nets
from cnnlab.material.photos import photo
from cnnlab.nets import Net, Normalize, Prediction, best_device, named, weights_of
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
    for wrong, found in ((lambda x: x, "function"), (nn.Sequential(), "Sequential"), (None, "NoneType")):
        with pytest.raises(ValueError, match=f"model must be an nn.Module with at least one layer, not {found}$"):
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
    with pytest.raises(ValueError, match=r"^k must be at least 1, not 0"):
        squeezenet.predict(image, 0)
    with pytest.raises(ValueError, match=r"image \(1, 2, 64, 64\) does not fit this net: "):
        squeezenet(image[:, :2])
    with pytest.raises(ValueError, match=r"normalize must be Normalize\(mean, std\), not int"):
        Net(nn.Sequential(nn.ReLU()), device="cpu", normalize=3)


def test_predict_gives_five_labels_or_as_many_as_wanted(squeezenet):
    image = photo("cat", 64)
    assert [len(squeezenet.predict(image, *k)) for k in ([], [1], [7])] == [5, 1, 7]
    net = Net(named(flat=nn.Flatten(), logits=nn.Linear(12, 3)), device="cpu")
    image = torch.rand(1, 3, 2, 2)
    order = net.probabilities(image)[0].argsort(descending=True).tolist()
    assert [p.label for p in net.predict(image)] == [str(number) for number in order], "without labels, their numbers"
    assert net.labels is None
    assert repr(Prediction("cat", 0.12345)) == "cat 12.3%"


def test_a_label_is_found_by_its_name_its_parts_and_its_spelling():
    labels = ["tabby cat", "Persian cat", "dog", "Egyptian Cat", "cat flap", "wildcat", "catamaran", "god"]
    net = Net(named(flat=nn.Flatten(), logits=nn.Linear(12, 8)), labels, "cpu")
    assert [net.index(label) for label in labels] == list(range(8))
    cats = "tabby cat, Persian cat, Egyptian Cat, cat flap, wildcat"
    for wrong, near in (("cat", cats), ("CAT", cats), ("tabby", "tabby cat"), ("dogg", "dog")):
        with pytest.raises(ValueError, match=rf"unknown label '{wrong}'; did you mean {near}\?$"):
            net.index(wrong)
    with pytest.raises(ValueError, match="unknown label 'xyz'$"):
        net.index("xyz")
    lions = Net(named(flat=nn.Flatten(), logits=nn.Linear(12, 6)), [f"lion{number}" for number in range(6)], "cpu")
    with pytest.raises(ValueError, match="mean (lion., ){4}lion.\\?$"):  # five at most
        lions.index("lino")
    with pytest.raises(ValueError, match="unknown label 'cat'$"):
        Net(named(relu=nn.ReLU()), device="cpu").index("cat")


def test_normalization_is_per_channel():
    image, mean, std = torch.rand(2, 3, 4, 5), [0.4, 0.5, 0.6], [0.1, 0.2, 0.4]
    expected = torch.stack([(image[:, c] - mean[c]) / std[c] for c in range(3)], 1)
    torch.testing.assert_close(Normalize(mean, std)(image), expected)
    assert set(Normalize(mean, std).state_dict()) == {"mean", "std"}


@pytest.mark.parametrize(("cuda", "mps", "best"), [(1, 1, "cuda"), (1, 0, "cuda"), (0, 1, "mps"), (0, 0, "cpu")])
def test_the_best_device_is_a_gpu_where_there_is_one(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(cuda))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: bool(mps))
    assert best_device() == best


def test_a_net_lives_on_the_best_device_unless_told(monkeypatch):
    monkeypatch.setattr(nets, "best_device", lambda: "meta")
    chain = named(conv=nn.Conv2d(3, 4, 3))
    for device, expected in ((None, "meta"), ("cpu", "cpu")):
        net = Net(chain, device=device, normalize=Normalize([0.5], [0.2]))
        assert {tensor.device.type for tensor in (net._here, *net.state_dict().values())} == {expected}
        assert net.device.type == expected
    assert chain.conv.weight.device.type == "cpu"


def test_the_weights_of_a_layer_are_the_parameter_itself(squeezenet):
    chain = named(conv=nn.Conv2d(3, 4, 5), block=nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))
    assert weights_of(chain, "conv") is chain.conv.weight
    assert weights_of(chain, "block") is chain.block[1].weight
    assert weights_of(squeezenet.model, "fire3.squeeze") is squeezenet.model.fire3.squeeze.weight


def test_a_net_stays_in_eval_mode_and_computes_in_the_precision_it_is_moved_to():
    net = Net(named(conv=nn.Conv2d(3, 4, 3), drop=nn.Dropout()), device="cpu")
    assert net.train() is net
    assert not net.training
    assert not net.model.drop.training
    image = torch.rand(1, 3, 8, 8)
    before = net(image)
    assert (net.dtype, before.dtype) == (torch.float32, torch.float32)
    assert (net.double().dtype, net(image).dtype) == (torch.float64, torch.float64)
    torch.testing.assert_close(net(image).float(), before)


def test_what_a_model_reads_itself_moves_with_the_net_also_after_a_run():
    class Mix(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("weights", torch.ones(2, 12))

        def forward(self, x):
            return F.linear(x.flatten(1), self.weights)

    net, image = Net(Mix(), device="cpu"), torch.rand(1, 3, 2, 2)
    before = net(image)
    assert net.double()(image).dtype == torch.float64
    torch.testing.assert_close(net.float()(image), before)


def test_memory_that_is_full_is_not_the_images_fault():
    class Full(nn.Module):
        def forward(self, x):
            if x.sum() > 0:
                raise torch.OutOfMemoryError("full")
            return x

    net = Net(named(full=Full(), relu=nn.ReLU()), device="cpu")
    with pytest.raises(torch.OutOfMemoryError, match="^full$"):
        net(torch.ones(1, 3, 4, 4))
