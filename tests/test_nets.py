"""Nets: named chains that run only as deep as asked, frozen, with the right weights and clear errors."""

import hashlib
import http.server
import threading
from pathlib import Path

import pytest
import torch
from torch import nn

from cnnlab.images import photo
from cnnlab.nets import Net, load_net, named


@pytest.fixture(scope="module")
def squeezenet():
    return load_net("squeezenet", device="cpu")


@pytest.mark.parametrize(("name", "label"), [("cat", "Egyptian cat"), ("coffee", "espresso"), ("camera", "tripod")])
def test_squeezenet_knows_what_is_on_the_photographs(squeezenet, name, label):
    assert squeezenet.predict(photo(name, 224))[0].label == label


def test_probabilities_sum_to_one_and_predict_sorts_them(squeezenet):
    image = photo("cat", 128)
    probabilities = squeezenet.probabilities(image)
    assert probabilities.shape == (1, 1000)
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-5)
    top = squeezenet.predict(image, 4)
    assert [p.probability for p in top] == pytest.approx(probabilities[0].topk(4).values.tolist())
    assert top[0].label == squeezenet.labels[probabilities.argmax()]


def test_the_normalisation_is_caffes(squeezenet):
    """RGB in [0, 1] inside the net equals BGR 0..255 minus Caffe's mean, through the packaged kernel as it is."""
    image = torch.rand(1, 3, 20, 30)
    convolution = squeezenet.chain.conv1[1]
    bgr = 255 * image.flip(1) - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    expected = nn.functional.conv2d(bgr, convolution.weight.flip(1), convolution.bias, stride=2)
    assert torch.allclose(squeezenet.activations(image, ["conv1"])["conv1"], expected, atol=1e-2, rtol=1e-4)


def test_activations_equal_the_chain_run_by_hand_and_stop_at_the_deepest_layer(squeezenet):
    image = torch.rand(2, 3, 64, 80)
    x, expected = image, {}
    for name, layer in squeezenet.chain.named_children():
        x = expected[name] = layer(x)
    found = squeezenet.activations(image, ["fire3", "relu1"])
    assert set(found) == {"fire3", "relu1"}
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
    assert not net.chain.training
    assert {p.label for p in net.predict(torch.rand(1, 1, 8, 8), 9)} == set("abcd")
    with pytest.raises(ValueError, match="nn.Sequential"):
        Net(nn.Linear(2, 2))


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
    with pytest.raises(ValueError, match="unknown net 'vgg11': there are squeezenet, efficientnet_lite0, vgg19"):
        load_net("vgg11")
    with pytest.raises(ValueError, match="did you mean ostrich"):
        squeezenet.index("ostrichh")
    assert squeezenet.labels[squeezenet.index("ostrich")] == "ostrich"


class Weights:
    """Stands in for a torchvision weights entry: random weights on a local server, hash true or false."""

    def __init__(self, url: str):
        self.url = url

    def get_state_dict(self, **options):
        return torch.hub.load_state_dict_from_url(self.url, **options)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder served on this machine; downloads go to tmp_path/hub."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    folder = tmp_path / "www"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def put(folder: Path, build, name: str, **options) -> str:
    torch.manual_seed(0)
    torch.save(build(**options).state_dict(), folder / "w.pth")
    digest = hashlib.sha256((folder / "w.pth").read_bytes()).hexdigest()[:8]
    (folder / "w.pth").rename(folder / f"{name}-{digest}.pth")
    return f"{name}-{digest}.pth"


def test_a_downloaded_net_is_a_named_chain_that_equals_torchvisions(served, monkeypatch):
    from cnnlab import zoo

    folder, address = served
    file = put(folder, zoo.models.googlenet, "googlenet", init_weights=False)
    monkeypatch.setitem(zoo.DOWNLOADS, "googlenet", Weights(f"{address}/{file}"))
    net = load_net("googlenet", device="cpu")
    assert "inception4c" in net.layers
    assert net.layers[-1] == "logits"
    model = zoo.models.googlenet(init_weights=False, aux_logits=False)
    state = torch.load(folder / file, weights_only=True)
    model.load_state_dict({k: v for k, v in state.items() if not k.startswith("aux")})
    image = torch.rand(1, 3, 96, 96)
    with torch.no_grad():
        expected = model.eval()((image - 0.5) / 0.5)
    assert torch.allclose(net(image), expected, atol=1e-4)


def test_the_papers_layer_names_of_vgg19_and_alexnet(monkeypatch):
    from cnnlab import zoo

    with torch.device("meta"):  # their dense layers have half a gigabyte: names and shapes need no numbers
        vgg, alexnet = zoo.models.vgg19(), zoo.models.alexnet()
    monkeypatch.setattr(zoo, "_torchvision_model", lambda build, *_: vgg if build is zoo.models.vgg19 else alexnet)
    names = [name for name, _ in zoo.vgg19().named_children()]
    assert names[:5] == ["conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1"]
    assert names[-7:] == ["relu5_4", "pool5", "fc6", "relu6", "fc7", "relu7", "logits"]
    assert sum(name.startswith("conv") for name in names) == 16
    assert sum(name.startswith("pool") for name in names) == 5
    names = [name for name, _ in zoo.alexnet().named_children()]
    assert names[:3] == ["conv1", "relu1", "pool1"]
    assert names[-5:] == ["fc6", "relu6", "fc7", "relu7", "logits"]


def test_without_a_network_one_clear_error_says_what_to_do(served, monkeypatch):
    from cnnlab import zoo

    monkeypatch.setitem(zoo.DOWNLOADS, "vgg19", Weights("http://127.0.0.1:9/vgg19-00000000.pth"))
    with pytest.raises(RuntimeError, match=r"no weights for vgg19: .* copy that file into .*squeezenet"):
        load_net("vgg19")


def test_a_damaged_download_is_refused_and_leaves_no_half_file(served, monkeypatch, tmp_path):
    from cnnlab import zoo

    folder, address = served
    (folder / "alexnet-12345678.pth").write_bytes(b"not these weights")
    monkeypatch.setitem(zoo.DOWNLOADS, "alexnet", Weights(f"{address}/alexnet-12345678.pth"))
    with pytest.raises(RuntimeError, match="hash"):
        load_net("alexnet")
    assert not [file for file in (tmp_path / "hub").rglob("*") if file.is_file()]


def test_the_packaged_pickle_is_read_by_a_reader_that_runs_nothing():
    import io
    import pickle

    from cnnlab.zoo import _ArraysOnly

    with pytest.raises(pickle.UnpicklingError, match="no NumPy array"):
        _ArraysOnly(io.BytesIO(pickle.dumps(print))).load()


def test_importing_the_package_is_cheap():
    import subprocess
    import sys

    code = """if True:
        import sys
        import cnnlab.nets, cnnlab.descent, cnnlab.objectives, cnnlab.octaves, cnnlab.parametrizations
        print([m for m in ("torchvision", "skimage", "sklearn", "ipywidgets", "matplotlib") if m in sys.modules])"""
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"
