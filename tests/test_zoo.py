"""The nets by name: right weights, right names of layers, files that are read only if their hash is right."""

import hashlib
import http.server
import io
import pickle
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import Generator, nn

from cnnlab._torchvision import torchvision
from cnnlab.material.photos import photo
from cnnlab.nets import Net, Normalize, named, weights_of
from cnnlab.training import initialize
from cnnlab.zoo import classifiers, imagenet
from cnnlab.zoo.checkpoints import load_checkpoint, save_checkpoint
from cnnlab.zoo.digits_cnn import mnist_cnn
from cnnlab.zoo.load import load_net, untrained
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
    convolution = squeezenet.model.conv1[1]
    bgr = 255 * image.flip(1) - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    expected = nn.functional.conv2d(bgr, convolution.weight.flip(1), convolution.bias, stride=2)
    assert torch.allclose(squeezenet.activations(image, ["conv1"])["conv1"], expected, atol=1e-2, rtol=1e-4)


def test_an_unknown_name_is_refused_with_similar_ones():
    with pytest.raises(
        ValueError, match=r"unknown net 'ResNet-50': did you mean resnet50, .*\? There are squeezenet, "
    ):
        load_net("ResNet-50")
    with pytest.raises(
        ValueError, match=r"unknown net '\?': There are squeezenet, efficientnet_lite0, mnist, and torch"
    ):
        load_net("?")


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


def point(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    """Let torchvision's default weights of the model be downloaded from the URL."""
    recorded = models.get_model_weights(name).DEFAULT
    there = SimpleNamespace(DEFAULT=SimpleNamespace(url=url, meta=recorded.meta, transforms=recorded.transforms))
    monkeypatch.setattr(models, "get_model_weights", lambda asked: there)


def test_a_downloaded_net_is_a_named_chain_that_equals_torchvisions(served, monkeypatch):
    folder, address = served
    file = put(folder, models.googlenet, "googlenet", init_weights=False)
    point(monkeypatch, "googlenet", f"{address}/{file}")
    net = load_net("googlenet", device="cpu")
    assert "inception4c" in net.layers
    assert net.layers[-1] == "logits"
    assert net.labels == imagenet.IMAGENET_LABELS
    model = models.googlenet(init_weights=False, aux_logits=False, transform_input=True)
    state = torch.load(folder / file, weights_only=True)
    model.load_state_dict({k: v for k, v in state.items() if not k.startswith("aux")})
    image, preset = torch.rand(1, 3, 96, 96), models.GoogLeNet_Weights.DEFAULT.transforms()
    with torch.no_grad():
        expected = model.eval()(Normalize(preset.mean, preset.std)(image))
    assert torch.allclose(net(image), expected, atol=1e-4)


def test_any_classifier_of_torchvision_has_its_weights_labels_and_normalization(served, monkeypatch):
    folder, address = served
    point(monkeypatch, "densenet121", f"{address}/{put(folder, models.densenet121, 'densenet121')}")
    net = load_net("densenet121", device="cpu")
    file = next(folder.glob("*.pth"))
    assert "features.denseblock1.denselayer1.conv1" in net.layers
    assert net.labels[:2] == ("tench", "goldfish")
    model = models.densenet121().eval()
    model.load_state_dict(torch.load(file, weights_only=True))
    image = torch.rand(1, 3, 64, 64)
    expected = model(
        (image - torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        / torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    )
    assert torch.allclose(net(image), expected, atol=1e-5)
    file.unlink()  # the next one comes out of the cache
    assert torch.equal(load_net("densenet121", device="cpu")(image), net(image))


def test_torchvision_records_all_that_is_needed_for_every_name() -> None:
    assert len(classifiers.NAMES) >= 80
    for name in classifiers.NAMES:
        recorded = models.get_model_weights(name).DEFAULT
        assert len(recorded.meta["categories"]) == 1000
        assert re.search(r"-[0-9a-f]{8,}\.pth$", recorded.url)
        assert len(recorded.transforms().mean) == len(recorded.transforms().std) == 3


def test_the_papers_layer_names_of_vgg19():
    with torch.device("meta"):  # its dense layers have half a gigabyte: names and shapes need no numbers
        names = [name for name, _ in imagenet.vgg19(models.vgg19()).named_children()]
    assert names[:5] == ["conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1"]
    assert names[-7:] == ["relu5_4", "pool5", "fc6", "relu6", "fc7", "relu7", "logits"]
    assert sum(name.startswith("conv") for name in names) == 16
    assert sum(name.startswith("pool") for name in names) == 5


def test_without_a_network_one_clear_error_says_what_to_do(served, monkeypatch):
    point(monkeypatch, "vgg19", "http://127.0.0.1:9/vgg19-00000000.pth")
    with pytest.raises(
        RuntimeError, match=r"no weights for vgg19: .* copy that file into .*hub/checkpoints/.*squeezenet"
    ):
        load_net("vgg19")


def test_a_damaged_download_is_refused_and_leaves_no_half_file(served, monkeypatch, tmp_path):
    folder, address = served
    (folder / "googlenet-12345678.pth").write_bytes(b"not these weights")
    point(monkeypatch, "googlenet", f"{address}/googlenet-12345678.pth")
    with pytest.raises(RuntimeError, match="no weights for googlenet: .*hash"):
        load_net("googlenet")
    assert not [file for file in (tmp_path / "hub").rglob("*") if file.is_file()]


def test_a_damaged_file_in_the_cache_is_named_with_the_remedy(served, monkeypatch, tmp_path):
    folder, address = served
    point(monkeypatch, "squeezenet1_1", f"{address}/{put(folder, models.squeezenet1_1, 'squeezenet1_1')}")
    load_net("squeezenet1_1", device="cpu")
    (file,) = (tmp_path / "hub" / "checkpoints").iterdir()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1  # torch itself would not notice
    file.write_bytes(content)
    with pytest.raises(RuntimeError, match=rf"{file.name} is damaged: delete it, then load_net\('squeezenet1_1'\)"):
        load_net("squeezenet1_1")
    file.unlink()
    load_net("squeezenet1_1", device="cpu")


def saved(folder: Path, state: object, name: str) -> Path:
    (save_file if name.endswith(".safetensors") else torch.save)(state, folder / name)
    return folder / name


@pytest.mark.parametrize(
    ("name", "wrap"),
    [
        ("w.safetensors", lambda state: state),
        ("w.pth", lambda state: state),
        ("w.PT", lambda state: {"epoch": 3, "state_dict": state}),
        ("w.pt", lambda state: {f"module.{name}": value.half() for name, value in state.items()}),
    ],
)
def test_a_file_of_weights_is_loaded_with_as_many_classes_as_it_has(tmp_path, monkeypatch, name, wrap):
    model = models.mnasnet0_5(num_classes=7).eval()
    saved(tmp_path, wrap(model.state_dict()), name)
    monkeypatch.setenv("HOME", str(tmp_path))
    net = load_net("mnasnet0_5", device="cpu", weights=f"~/{name}")
    image, preset = torch.rand(1, 3, 64, 64), models.MNASNet0_5_Weights.DEFAULT.transforms()
    assert torch.allclose(net(image), model(Normalize(preset.mean, preset.std)(image)), atol=2e-3)
    assert net.labels is None
    assert {prediction.label for prediction in net.predict(image, 9)} == set("0123456")


def test_files_with_auxiliary_classifiers_other_sizes_and_old_names(tmp_path):
    image = torch.rand(1, 3, 80, 80)
    model = models.inception_v3(num_classes=3, init_weights=False, transform_input=True).eval()
    net = load_net("inception_v3", "cpu", saved(tmp_path, model.state_dict(), "inception.pth"))
    preset = models.Inception_V3_Weights.DEFAULT.transforms()
    with torch.no_grad():
        assert torch.allclose(net(image), model(Normalize(preset.mean, preset.std)(image)), atol=1e-4)
    model = models.vit_b_32(image_size=64, num_classes=3).eval()
    net = load_net("vit_b_32", "cpu", saved(tmp_path, model.state_dict(), "vit.safetensors"))
    image, preset = image[..., :64, :64], models.ViT_B_32_Weights.DEFAULT.transforms()
    assert torch.allclose(net(image), model(Normalize(preset.mean, preset.std)(image)), atol=1e-5)
    old = {re.sub(r"(norm|conv)(\d\.\w+)$", r"\1.\2", name) if "denselayer" in name else name: value
           for name, value in models.densenet121().state_dict().items()}  # fmt: skip
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    assert load_net("densenet121", "cpu", saved(tmp_path, old, "old.pth")).labels == imagenet.IMAGENET_LABELS


def test_a_file_of_the_digits_net(tmp_path):
    chain = mnist_cnn(torch.Generator().manual_seed(5))
    save_checkpoint(chain, tmp_path / "mine.safetensors")
    net = load_net("mnist", "cpu", tmp_path / "mine.safetensors")
    image = torch.rand(1, 1, 28, 28)
    assert torch.allclose(net(image), chain(image), atol=1e-5)
    assert net.labels == tuple("0123456789")


def test_files_that_do_not_fit_are_refused_in_words(tmp_path):
    state = models.squeezenet1_1(num_classes=4).state_dict()
    lacking = {name: value for name, value in state.items() if name != "features.0.bias"}
    file = saved(tmp_path, state, "w.safetensors")
    (tmp_path / "garbage.pth").write_bytes(b"not these weights")
    (tmp_path / "half.pth").write_bytes(saved(tmp_path, state, "w.pth").read_bytes()[:1000])
    (tmp_path / "half.safetensors").write_bytes(file.read_bytes()[:1000])
    (tmp_path / "w.txt").write_text("weights")
    refused = [
        ("squeezenet1_1", tmp_path / "none.pth", r"must be a file .safetensors, .pth or .pt; .*none.pth is no file"),
        ("squeezenet1_1", tmp_path / "w.txt", r"w.txt is a file of another kind"),
        ("squeezenet1_1", state, r"weights must be the path of a file, not OrderedDict"),
        ("squeezenet1_1", tmp_path / "garbage.pth", r"cannot be read: .*garbage.pth is damaged, or holds"),
        ("squeezenet1_1", tmp_path / "half.pth", r"half.pth is damaged"),
        ("squeezenet1_1", tmp_path / "half.safetensors", r"half.safetensors is damaged"),
        ("squeezenet1_1", saved(tmp_path, models.squeezenet1_1(), "whole.pth"), r"whole.pth holds other objects"),
        ("squeezenet1_1", saved(tmp_path, {"epoch": 3}, "epoch.pth"), r"epoch.pth holds others"),
        ("squeezenet1_1", saved(tmp_path, {1: torch.ones(2)}, "numbers.pth"), r"numbers.pth holds others"),
        ("squeezenet1_1", saved(tmp_path, lacking, "lacking.pth"), r"do not fit squeezenet1_1: .*0.bias is missing"),
        ("squeezenet1_0", file, r"features.0.weight is \(64, 3, 3, 3\), not \(96, 3, 7, 7\), .* and \d+ more"),
        ("resnet18", file, r"do not fit resnet18: .*conv1.weight is missing"),
        ("squeezenet", file, r"squeezenet has its own"),
    ]  # fmt: skip
    for name, weights, message in refused:
        with pytest.raises(ValueError, match=message):
            load_net(name, weights=weights)


def test_the_packaged_pickle_is_read_by_a_reader_that_runs_nothing():
    with pytest.raises(pickle.UnpicklingError, match="no NumPy array"):
        ArraysOnly(io.BytesIO(pickle.dumps(print))).load()


def test_the_shipped_squeezenet_has_the_numbers_of_the_package() -> None:
    shipped, packaged = load_net("squeezenet").model.state_dict(), packaged_squeezenet().state_dict()
    shipped = {name: value for name, value in shipped.items() if not name.endswith((".mean", ".std"))}
    assert len(shipped) == len(packaged) == 52
    for ours, theirs in zip(shipped.values(), packaged.values(), strict=True):
        assert torch.equal(ours, theirs)


def tiny(seed: int) -> nn.Sequential:
    chain = named(conv=nn.Conv2d(1, 3, 3), relu=nn.ReLU(), logits=nn.Conv2d(3, 2, 1))
    return initialize(chain, torch.Generator().manual_seed(seed))


def test_a_checkpoint_comes_back_and_a_damaged_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab._data.DATA", tmp_path)
    (tmp_path / "SHA256SUMS.packages").touch()
    file = tmp_path / "tiny.safetensors"
    chain = tiny(1)
    sha256 = save_checkpoint(chain, file)
    assert save_checkpoint(tiny(1), tmp_path / "again.safetensors") == sha256
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  other.safetensors\n{sha256}  tiny.safetensors\n")
    again = load_checkpoint(tiny(2), "tiny.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(chain.parameters(), again.parameters(), strict=True))
    with pytest.raises(RuntimeError, match=r"size mismatch"):
        load_checkpoint(named(conv=nn.Conv2d(1, 4, 3), relu=nn.ReLU(), logits=nn.Conv2d(4, 2, 1)), "tiny.safetensors")
    with pytest.raises(
        RuntimeError, match="other.safetensors is missing: install cnnlab again, or run `git restore data`"
    ):
        load_checkpoint(tiny(0), "other.safetensors")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(RuntimeError, match=r"tiny.safetensors is altered: install cnnlab again"):
        load_checkpoint(tiny(0), "tiny.safetensors")


def test_an_untrained_net_is_the_same_chain_with_other_weights() -> None:
    net = Net(named(conv=nn.Conv2d(3, 4, 3), relu=nn.ReLU()), labels="abcd", device="cpu")
    before = weights_of(net.model, "conv").clone()
    one, same, other = (untrained(net, Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert (one.layers, one.labels) == (net.layers, net.labels)
    weights = [weights_of(each.model, "conv") for each in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], before)
    assert torch.equal(weights_of(net.model, "conv"), before)
    assert not weights[0].requires_grad
    image = torch.rand((1, 3, 8, 8), generator=Generator().manual_seed(0))
    assert torch.equal(one.activations(image, ["conv"])["conv"], one.model.conv(image))


def test_a_file_that_another_kernel_has_got_meanwhile_is_taken(served, monkeypatch, tmp_path):
    folder, address = served
    name = put(folder, models.squeezenet1_1, "squeezenet1_1")
    point(monkeypatch, "squeezenet1_1", f"{address}/{name}")

    def other_kernel(url: str, file: Path, sha256: str) -> None:
        file.parent.mkdir(parents=True)
        file.write_bytes((folder / name).read_bytes())
        raise RuntimeError("the file is open in another process")

    monkeypatch.setattr(classifiers, "download", other_kernel)
    load_net("squeezenet1_1", device="cpu")


def test_a_login_page_instead_of_the_weights_is_said(served, monkeypatch, tmp_path):
    folder, address = served
    (folder / "vgg11-12345678.pth").write_bytes(b"\n <html><body>Please log in</body></html>")
    point(monkeypatch, "vgg11", f"{address}/vgg11-12345678.pth")
    with pytest.raises(
        RuntimeError, match="no weights for vgg11: .*[(]a page came instead of the file; does your network"
    ):
        load_net("vgg11")
    assert not [file for file in (tmp_path / "hub").rglob("*") if file.is_file()]
