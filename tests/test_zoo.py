"""The nets by name: right weights, right names of layers, files that are read only if their hash is right."""

import hashlib
import http.server
import io
import pickle
import threading
from pathlib import Path

import pytest
import torch
from torch import nn

from cnnlab._torchvision import torchvision
from cnnlab.material.photos import photo
from cnnlab.nets import Net, named
from cnnlab.training import initialize
from cnnlab.zoo import checkpoints, imagenet
from cnnlab.zoo.checkpoints import load_checkpoint, save_checkpoint, verified
from cnnlab.zoo.load import load_net
from tools.convert_squeezenet import ArraysOnly, packaged_squeezenet

models = torchvision.models


@pytest.fixture(scope="module")
def squeezenet() -> Net:
    return load_net("squeezenet", device="cpu")


@pytest.mark.parametrize(("name", "label"), [("cat", "Egyptian cat"), ("coffee", "espresso"), ("camera", "tripod")])
def test_squeezenet_knows_what_is_on_the_photographs(squeezenet, name, label):
    assert squeezenet.predict(photo(name, 224))[0].label == label


def test_the_normalization_is_caffes(squeezenet):
    """RGB in [0, 1] inside the net equals BGR 0..255 minus Caffe's mean, through the packaged kernel as it is."""
    image = torch.rand(1, 3, 20, 30)
    convolution = squeezenet.chain.conv1[1]
    bgr = 255 * image.flip(1) - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    expected = nn.functional.conv2d(bgr, convolution.weight.flip(1), convolution.bias, stride=2)
    assert torch.allclose(squeezenet.activations(image, ["conv1"])["conv1"], expected, atol=1e-2, rtol=1e-4)


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown net 'vgg11': there are squeezenet, .*, vgg19, googlenet, mnist"):
        load_net("vgg11")


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
    folder, address = served
    file = put(folder, models.googlenet, "googlenet", init_weights=False)
    monkeypatch.setitem(imagenet.DOWNLOADS, "googlenet", Weights(f"{address}/{file}"))
    net = load_net("googlenet", device="cpu")
    assert "inception4c" in net.layers
    assert net.layers[-1] == "logits"
    model = models.googlenet(init_weights=False, aux_logits=False)
    state = torch.load(folder / file, weights_only=True)
    model.load_state_dict({k: v for k, v in state.items() if not k.startswith("aux")})
    image = torch.rand(1, 3, 96, 96)
    with torch.no_grad():
        expected = model.eval()((image - 0.5) / 0.5)
    assert torch.allclose(net(image), expected, atol=1e-4)


def test_the_papers_layer_names_of_vgg19(monkeypatch):
    with torch.device("meta"):  # its dense layers have half a gigabyte: names and shapes need no numbers
        state = models.vgg19().state_dict()
        monkeypatch.setattr(imagenet, "_downloaded", lambda name: state)
        names = [name for name, _ in imagenet.vgg19().named_children()]
    assert names[:5] == ["conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1"]
    assert names[-7:] == ["relu5_4", "pool5", "fc6", "relu6", "fc7", "relu7", "logits"]
    assert sum(name.startswith("conv") for name in names) == 16
    assert sum(name.startswith("pool") for name in names) == 5


def test_without_a_network_one_clear_error_says_what_to_do(served, monkeypatch):
    monkeypatch.setitem(imagenet.DOWNLOADS, "vgg19", Weights("http://127.0.0.1:9/vgg19-00000000.pth"))
    with pytest.raises(RuntimeError, match=r"no weights for vgg19: .* copy that file into .*squeezenet"):
        load_net("vgg19")


def test_a_damaged_download_is_refused_and_leaves_no_half_file(served, monkeypatch, tmp_path):
    folder, address = served
    (folder / "googlenet-12345678.pth").write_bytes(b"not these weights")
    monkeypatch.setitem(imagenet.DOWNLOADS, "googlenet", Weights(f"{address}/googlenet-12345678.pth"))
    with pytest.raises(RuntimeError, match="hash"):
        load_net("googlenet")
    assert not [file for file in (tmp_path / "hub").rglob("*") if file.is_file()]


def test_the_packaged_pickle_is_read_by_a_reader_that_runs_nothing():
    with pytest.raises(pickle.UnpicklingError, match="no NumPy array"):
        ArraysOnly(io.BytesIO(pickle.dumps(print))).load()


def test_damaged_weights_are_refused_with_the_remedy(tmp_path, monkeypatch):
    file = tmp_path / "weights"
    file.write_bytes(b"these")
    digest = hashlib.sha256(b"these").hexdigest()
    assert verified(file, digest, "get it again") == b"these"
    with pytest.raises(RuntimeError, match="weights is damaged: get it again"):
        verified(file, "0" * 64, "get it again")
    with pytest.raises(RuntimeError, match="other is missing: get it again"):
        verified(tmp_path / "other", digest, "get it again")


def test_the_shipped_squeezenet_has_the_numbers_of_the_package() -> None:
    shipped, packaged = load_net("squeezenet").chain.state_dict(), packaged_squeezenet().state_dict()
    shipped = {name: value for name, value in shipped.items() if not name.endswith((".mean", ".std"))}
    assert len(shipped) == len(packaged) == 52
    for ours, theirs in zip(shipped.values(), packaged.values(), strict=True):
        assert torch.equal(ours, theirs)


def tiny(seed: int) -> nn.Sequential:
    chain = named(conv=nn.Conv2d(1, 3, 3), relu=nn.ReLU(), logits=nn.Conv2d(3, 2, 1))
    return initialize(chain, torch.Generator().manual_seed(seed))


def test_a_checkpoint_comes_back_and_a_damaged_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "DATA", tmp_path)
    file = tmp_path / "tiny.safetensors"
    chain = tiny(1)
    sha256 = save_checkpoint(chain, file)
    assert save_checkpoint(tiny(1), tmp_path / "again.safetensors") == sha256
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  other.safetensors\n{sha256}  tiny.safetensors\n")
    again = load_checkpoint(tiny(2), "tiny.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(chain.parameters(), again.parameters(), strict=True))
    with pytest.raises(RuntimeError, match=r"size mismatch"):
        load_checkpoint(named(conv=nn.Conv2d(1, 4, 3), relu=nn.ReLU(), logits=nn.Conv2d(4, 2, 1)), "tiny.safetensors")
    with pytest.raises(RuntimeError, match="other.safetensors is missing: .* or run `make checkpoints`"):
        load_checkpoint(tiny(0), "other.safetensors")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(RuntimeError, match=r"tiny.safetensors is damaged: .* or run `make checkpoints`"):
        load_checkpoint(tiny(0), "tiny.safetensors")
