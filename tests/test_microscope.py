"""The microscope: what it measures of a channel, its files, and how they are made by one process or by many."""

import errno
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import dask
import pytest
import torch
from distributed import Client, LocalCluster
from torch import nn

from cnnlab import Net
from cnnlab.files import save_image
from cnnlab.images import noise
from cnnlab.microscope import load_microscope, measures, recipe, site, work
from cnnlab.microscope.__main__ import main, settings_of
from cnnlab.microscope.page import SETTINGS, packed, path_of, pictures_of, record_of, sheet, unpacked, write
from cnnlab.nets import named
from cnnlab.techniques.patches import strongest_patches
from cnnlab.zoo.load import load_net

GENERATOR = torch.Generator().manual_seed(0)
PHOTOGRAPHS = {name: noise((1, 3, 48, 64), GENERATOR, std=0.3, decay=1) for name in ("one", "two", "three")}


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Nothing here may leave Dask's wishes in the environment: the notebooks that are tested later would be slow."""
    before = dict(os.environ)
    yield
    changed = {name for name in before.keys() | os.environ.keys() if before.get(name) != os.environ.get(name)}
    assert not {name for name in changed if name.startswith(("MALLOC", "OMP", "MKL", "OPENBLAS"))}


@contextmanager
def two_workers() -> Iterator[LocalCluster]:
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": {}}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
    ):
        yield cluster


@pytest.fixture(scope="module")
def net() -> Net:
    torch.manual_seed(1)
    chain = named(
        conv1=nn.Conv2d(3, 6, 3, padding=1), relu1=nn.ReLU(), conv2=nn.Conv2d(6, 10, 3, stride=2), relu2=nn.ReLU(),
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), logits=nn.Linear(10, 4),
    )  # fmt: skip
    return Net(chain, ["ant", "bee", "cat", "dog"], "cpu")


@pytest.fixture(scope="module")
def scope(net: Net) -> work.Scope:
    return work.focus(net, PHOTOGRAPHS, size=32, progress=False)


@pytest.fixture(scope="module")
def made(scope: work.Scope, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A microscope of the small net, made in this process with one thread, as a worker makes it."""
    folder, threads = tmp_path_factory.mktemp("microscope"), torch.get_num_threads()
    torch.set_num_threads(1)
    for layer, numbers in work.batches(scope):
        for number, page in work.examine(scope, layer, numbers).items():
            write(path_of(folder, layer, number), page)
    torch.set_num_threads(threads)
    write(folder / SETTINGS, json.dumps(settings_of(scope, "small")))
    return folder


def test_layers_are_the_blocks_behind_their_activation_functions(net: Net) -> None:
    assert measures.weighty_layers(net) == ["relu1", "relu2", "logits"]
    squeezenet = load_net("squeezenet", "cpu")
    assert measures.weighty_layers(squeezenet) == ["relu1", *(f"fire{i}" for i in range(2, 10)), "logits"]


def test_layers_of_a_net_that_is_no_chain() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.bn1, self.relu = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()
            self.layer1 = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1))
            self.fc = nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.relu(self.bn1(self.conv1(x)))
            return self.fc((x + self.layer1(x)).mean((2, 3)))

    assert measures.weighty_layers(Net(Residual(), device="cpu")) == ["relu", "layer1.0", "layer1.1", "fc"]


def test_votes_are_the_logits_with_the_channel_less_those_without(net: Net, scope: work.Scope) -> None:
    images = torch.cat([crop.image for crop in scope.scanned.crops[:5]]) / 255
    silenced = Net(net.model, device="cpu").model
    silenced.conv2.weight.data[3], silenced.conv2.bias.data[3] = 0, 0
    with torch.no_grad():
        expected = (net.model(images) - silenced(images)).mean(dim=0)
    torch.testing.assert_close(measures.votes(measures.Rest(net, images), "relu2", 3), expected)


def test_behind_a_convolution_a_channel_is_made_of_its_kernel() -> None:
    conv = nn.Conv2d(3, 2, 3, padding=1)
    net = Net(named(first=nn.Conv2d(3, 3, 1), conv=conv), device="cpu")
    scanned = work.focus(net, PHOTOGRAPHS, ["first", "conv"], 32, progress=False).scanned
    inside = [replace(patch, y=5 + i, x=9) for i, patch in enumerate(strongest_patches(scanned, "conv", 1))]
    rest = measures.Rest(net, torch.cat([patch.crop.image for patch in inside]) / 255)
    found = measures.made_of(rest, "conv", "first", 1, inside)
    torch.testing.assert_close(found, conv.weight[1].sum((1, 2)).detach())


def test_channels_that_fire_together_are_those_of_numpys_correlation(scope: work.Scope) -> None:
    values = torch.cat(list(scope.scanned.values.values()), dim=1)
    names = [(layer, i) for layer, v in scope.scanned.values.items() for i in range(v.shape[1])]
    expected = torch.corrcoef(values.T)[names.index(("relu2", 4))]
    found = measures.together(scope.scanned, "relu2", [1, 4])[1]
    assert ("relu2", 4) not in [(link.layer, link.channel) for link in found]
    assert found == sorted(found, key=lambda link: -link.strength)
    for link in found:
        assert link.strength == pytest.approx(float(expected[names.index((link.layer, link.channel))]), abs=1e-4)
    others = expected[[i for i, name in enumerate(names) if name != ("relu2", 4)]]
    assert found[0].strength == pytest.approx(float(others.nan_to_num(-1).max()), abs=1e-4)


def test_a_channel_that_never_changes_fires_with_none(scope: work.Scope) -> None:
    still = {layer: values.clone() for layer, values in scope.scanned.values.items()}
    still["relu1"][:, 2] = 0.7
    scanned = replace(scope.scanned, values=still)
    assert measures.together(scanned, "relu1", [2]) == [[]]
    assert all((link.layer, link.channel) != ("relu1", 2) for link in measures.together(scanned, "relu1", [0])[0])


def test_the_least_picture_lowers_what_goes_into_the_channel(net: Net) -> None:
    """Also where its ReLU is off from the start: the convolution before it is lower than for the other two pictures."""
    pictures = recipe.portraits(net, recipe.Views(net), "relu1", [0, 1, 2, 3, 4, 5], 32)
    assert pictures.shape == (6, 3, 3, 32, 32)
    with torch.no_grad():
        inputs = [net.activations(p, ["conv1"])["conv1"].mean((2, 3))[:, i] for i, p in enumerate(pictures)]
    for most, again, least in inputs:
        assert least < min(most, again)


@pytest.mark.filterwarnings("ignore:the gradient of")
def test_a_channel_that_another_activation_function_has_switched_off_wakes() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, 3)
    conv.bias.data -= 0.7  # off everywhere on faint noise
    net = Net(named(head=named(conv=conv, relu=nn.ReLU6())), device="cpu")
    with torch.no_grad():
        assert not net.activations(noise((1, 3, 32, 32), GENERATOR, std=0.05), ["head"])["head"].any()
    pictures = recipe.portraits(net, recipe.Views(net), "head", [0, 1, 2, 3], 32)
    with torch.no_grad():
        inputs = [net.activations(p, ["head.conv"])["head.conv"].mean((2, 3))[:, i] for i, p in enumerate(pictures)]
    assert all(most > least for most, _, least in inputs)


def test_a_texture_comes_closer_to_its_code_than_the_photograph_does(net: Net, scope: work.Scope) -> None:
    from cnnlab.descent import score
    from cnnlab.objectives import code
    from cnnlab.techniques.inversion import keep_channel

    textures = recipe.texture_sheets(net, scope.views, "relu2", [0, 1, 2], scope.photograph)
    with torch.no_grad():
        target = keep_channel(net.activations(scope.photograph, ["relu2"])["relu2"], [0, 1, 2])
    near = score(net, code("relu2", target), textures)
    far = score(net, code("relu2", target), scope.photograph.expand(3, -1, -1, -1))
    assert (near < far).all()


def test_a_page_holds_its_pictures_and_its_record(made: Path, scope: work.Scope) -> None:
    record = record_of(path_of(made, "relu2", 7))
    assert (record["layer"], record["channel"]) == ("relu2", 7)
    assert record["peak"] == pytest.approx(scope.scanned.values["relu2"][:, 7].max().item(), rel=0.01)
    assert {"patches", "together", "votes", "made_of", "look", "excited"} <= set(record)
    assert pictures_of(path_of(made, "relu2", 7), 32).shape == (4, 3, 32, 32)


def test_a_sheet_has_everything_where_the_site_looks_for_it() -> None:
    pictures, texture = torch.rand(3, 3, 40, 40), torch.rand(3, 40, 40)
    patches = [torch.full((1, 3, 20, 20), i / 10) for i in range(9)]
    image = sheet(pictures, texture, patches, patches[:4])
    assert image.shape == (1, 3, 40 + 112, 9 * 56)
    torch.testing.assert_close(image[0, :, :40, 80:120], pictures[2])
    torch.testing.assert_close(image[0, :, :40, 120:160], texture)
    torch.testing.assert_close(image[..., 40:96, 56 * 8 :], torch.full((1, 3, 56, 56), 0.8))
    torch.testing.assert_close(image[..., 96:, 56 * 3 : 56 * 4], torch.full((1, 3, 56, 56), 0.3))


def test_a_packed_vector_keeps_its_direction() -> None:
    vector = torch.randn(300, generator=GENERATOR)
    assert torch.cosine_similarity(unpacked(packed(vector)), vector, dim=0) > 0.999


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "new" / "page"
    write(file, b"old")
    with pytest.raises(AttributeError):
        write(file, 5)  # type: ignore[arg-type]
    assert file.read_bytes() == b"old"
    assert list(file.parent.iterdir()) == [file]


def test_batches_do_not_depend_on_what_is_done(scope: work.Scope) -> None:
    assert work.batches(scope, range(2, 9)) == [
        ("relu1", [2, 3, 4, 5]),
        ("relu2", [2, 3, 4, 5, 6, 7, 8]),
        ("logits", [2, 3]),
    ]
    assert sum(len(numbers) for _, numbers in work.batches(scope)) == 20


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.glob("channels/*/*.webp")}


@pytest.mark.slow
def test_two_workers_make_the_same_bytes_and_a_killed_one_costs_only_its_batch(
    scope: work.Scope, made: Path, tmp_path: Path
) -> None:
    with two_workers() as cluster, Client(cluster) as client:
        pages = work.collect(scope, tmp_path, client)
        next(pages)
        os.kill(client.run(os.getpid).popitem()[1], signal.SIGKILL)
        assert len(list(pages)) == 19
    assert files_of(tmp_path) == files_of(made)
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in files_of(tmp_path)}
    lost = [path_of(tmp_path, "relu2", 3), path_of(tmp_path, "logits", 0)]
    contents = [file.read_bytes() for file in lost]
    for file in lost:
        file.unlink()
    with work.cluster(1) as client:
        assert sorted(work.collect(scope, tmp_path, client)) == [("logits", 0), ("relu2", 3)]
    assert [file.read_bytes() for file in lost] == contents  # one worker makes what two have made
    after = {name: (tmp_path / name).stat().st_mtime_ns for name in before}
    assert {name for name in before if before[name] != after[name]} == {str(f.relative_to(tmp_path)) for f in lost}


def test_the_site_is_made_of_what_is_there(made: Path, scope: work.Scope) -> None:
    gone = path_of(made, "relu1", 5)
    content = gone.read_bytes()
    gone.unlink()
    try:
        number = site.make_site(made)
    finally:
        gone.write_bytes(content)
    assert number == 19
    text = (made / "data" / "about.js").read_text()
    about = json.loads(text[len("microscope.addAbout(") : -3])
    assert about["layers"][0] == {"name": "relu1", "channels": 6, "made": [0, 1, 2, 3, 4]}
    layer = (made / "data" / "layer-1.js").read_text()
    rows = json.loads(layer[layer.index(",") + 1 : -3])
    assert [row["channel"] for row in rows] == list(range(10))
    assert all("look" not in row and row["alike"] for row in rows)
    assert {"index.html", "microscope.js", "microscope.css"} <= {file.name for file in made.iterdir()}


@pytest.mark.slow
def test_the_command_makes_a_microscope_and_refuses_to_mix_two(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = str(tmp_path / "a net")
    command = ["--net", "squeezenet", "--layers", "relu1", "fire2", "--channels", "0:2", "--size", "32", "--out", out]
    assert main([*command, "--workers", "1"]) == 0
    found = load_microscope(out)
    assert found.channels == {"relu1": (0, 1), "fire2": (0, 1)}
    assert found.record("fire2", 1)["made_of"]
    assert found.pictures("fire2", 1).shape == (4, 3, 32, 32)
    with pytest.raises(ValueError, match="layer 'fire3' has no pages: there are relu1, fire2"):
        found.record("fire3", 0)
    with pytest.raises(ValueError, match="channel 2 of 'fire2' has no page"):
        found.record("fire2", 2)
    assert main([*command, "--layers", "relu1"]) == 2
    assert "holds pages with other layers: choose another folder with --out" in capsys.readouterr().err
    save_image(PHOTOGRAPHS["one"], tmp_path / "mine.png")
    assert main([*command, "--photos", str(tmp_path)]) == 2
    assert "holds pages with other photographs" in capsys.readouterr().err


def test_other_weights_are_other_settings(scope: work.Scope) -> None:
    changed = Net(scope.net.model, ["ant", "bee", "cat", "dog"], "cpu")
    changed.model.conv1.weight.data[0, 0, 0, 0] += 1e-6
    ours, others = settings_of(scope, "small"), settings_of(replace(scope, net=changed), "small")
    assert {key for key in ours if ours[key] != others[key]} == {"weights"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--net", "squeezenett"], "unknown net"),
        (["--layers", "fire1"], "unknown layer 'fire1'"),
        (["--size", "8"], "size must be at least 32"),
        (["--photos", "."], "has no picture"),
        (["--photos", "/nowhere"], os.strerror(errno.ENOENT)),
    ],
)
def test_the_command_names_what_is_wrong(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.webp"))


def test_no_microscope_in_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="folder has no microscope in it"):
        load_microscope(tmp_path)


@pytest.mark.slow
def test_the_command_works_on_a_cluster_that_runs_already(tmp_path: Path) -> None:
    command = ["--layers", "relu1", "--channels", "0:9", "--size", "32", "--out"]
    with two_workers() as cluster:
        assert main([*command, str(tmp_path / "many"), "--scheduler", cluster.scheduler_address]) == 0
    assert main([*command, str(tmp_path / "one"), "--workers", "1"]) == 0
    assert len(files_of(tmp_path / "many")) == 9
    assert files_of(tmp_path / "many") == files_of(tmp_path / "one")


def test_a_scheduler_that_does_not_answer_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(work, "PATIENCE", "1s")
    command = ["--layers", "relu1", "--channels", "0", "--size", "32", "--out", str(tmp_path)]
    assert main([*command, "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "tcp://127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.slow
def test_the_shipped_microscope_is_what_the_command_makes(tmp_path: Path) -> None:
    """Its measurements: pictures may differ by a rounding between processors."""
    shipped = load_microscope()
    assert {layer: len(numbers) for layer, numbers in shipped.channels.items()} == {
        "relu1": 48, "fire3": 48, "fire5": 48, "fire7": 48, "fire9": 48,
    }  # fmt: skip
    assert sum(file.stat().st_size for file in shipped.folder.rglob("*") if file.is_file()) < 4_000_000
    scope = work.focus(load_net("squeezenet", "cpu"), work_photographs(), list(shipped.channels), 128, progress=False)
    for layer in ("relu1", "fire9"):
        record = shipped.record(layer, 21)
        assert record["peak"] == pytest.approx(scope.scanned.values[layer][:, 21].max().item(), rel=0.02)
        together = measures.together(scope.scanned, layer, [21], 1)[0][0]
        assert record["together"][0] == [together.layer, together.channel, pytest.approx(together.strength, abs=0.02)]


def work_photographs() -> dict[str, torch.Tensor]:
    from cnnlab.material.photos import PHOTOS, photo

    return {name: photo(name) for name in PHOTOS}
