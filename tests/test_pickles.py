"""No pickle runs anything: each reader of one knows what it may make, and refuses the rest in words."""

import ast
import io
import json
import os
import pickle
import re
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from cnnlab.zoo.checkpoints import read_weights
from cnnlab.zoo.load import load_net
from tools.convert_squeezenet import ArraysOnly
from tools.kept_nets import with_kept_nets

pytestmark = pytest.mark.filterwarnings("ignore:Detected pickle protocol", "ignore:'torch.load' received a zip file")

ROOT = Path(__file__).parent.parent
# What runs when the pickle is read: a function and its arguments; {} is the file that it writes.
ATTACKS: dict[str, tuple[Callable, str]] = {
    "system": (os.system, "touch '{}'"),
    "eval": (eval, "open('{}', 'w').close()"),
    "exec": (exec, "open('{}', 'w').close()"),
    "popen": (os.popen, "touch '{}'"),
    "makedirs": (os.makedirs, "{}"),
}
WRAPPED: dict[str, Callable[[object], object]] = {
    "alone": lambda evil: evil,
    "as a parameter": lambda evil: OrderedDict({"features.0.weight": torch.ones(2), "features.0.bias": evil}),
    "in a tuple": lambda evil: {"state_dict": {"a": (1, (2, evil))}},
    "as a key": lambda evil: {"model": {(evil,): torch.ones(2)}},
    "beside the weights": lambda evil: {"state_dict": {"a": torch.ones(2)}, "optimizer": [evil]},
}


class Evil:
    """Runs a function of `ATTACKS` as soon as it is unpickled."""

    def __init__(self, attack: str, marker: Path):
        self.attack, self.marker = attack, marker

    def __reduce__(self) -> tuple:
        function, text = ATTACKS[self.attack]
        return function, (text.format(self.marker),)

    def __hash__(self) -> int:
        return 0


def plain(content: object, protocol: int) -> bytes:
    """A pickle that torch did not write."""
    return pickle.dumps(content, protocol)


def by_torch(content: object, zipped: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


def in_a_tar(content: object) -> bytes:
    """As torch wrote files before 2017: an archive with pickles in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("sys_info", "pickle", "tensors", "storages"):
            data = pickle.dumps(content if name in ("pickle", "storages") else {}, 2)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def in_a_script(content: object) -> bytes:
    """A TorchScript archive whose constants are the pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("data.pkl", "constants.pkl"):
            archive.writestr(f"archive/{name}", pickle.dumps(content, 2))
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


FORMATS: dict[str, Callable[[object], bytes]] = {
    "pickle 0": lambda content: plain(content, 0),
    "pickle 2": lambda content: plain(content, 2),
    "pickle 5": lambda content: plain(content, 5),
    "torch's": lambda content: by_torch(content, True),
    "torch's old one": lambda content: by_torch(content, False),
    "tar": in_a_tar,
    "script": in_a_script,
}


@pytest.mark.parametrize("attack", ["system", "eval", "exec", "popen", "makedirs"])
def test_the_attacks_are_real(tmp_path: Path, attack: str) -> None:
    marker = tmp_path / "marker"
    done = pickle.loads(pickle.dumps(Evil(attack, marker)))
    if hasattr(done, "close"):
        done.close()
    assert marker.exists()


@pytest.mark.parametrize("ending", [".pth", ".pt", ".safetensors"])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("attack", ["system", "eval", "exec", "popen", "makedirs"])
def test_a_pickle_with_anything_but_tensors_is_refused_and_not_run(
    tmp_path: Path, attack: str, form: str, ending: str
) -> None:
    marker = tmp_path / "marker"
    for wrap in WRAPPED.values():
        file = tmp_path / f"weights{ending}"
        file.write_bytes(FORMATS[form](wrap(Evil(attack, marker))))
        with pytest.raises(ValueError, match=r"weights cannot be read: .*(holds other objects|is damaged)"):
            read_weights(file)
        assert not marker.exists()


@pytest.mark.parametrize("name", ["squeezenet1_1", "mnist"])
def test_load_net_says_it(tmp_path: Path, name: str) -> None:
    file = tmp_path / "weights.pth"
    torch.save(WRAPPED["as a parameter"](Evil("system", tmp_path / "marker")), file)
    with pytest.raises(ValueError, match="weights.pth holds other objects; save model.state_dict"):
        load_net(name, "cpu", file)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("attack", ["system", "eval", "exec"])
def test_the_reader_of_the_packaged_arrays_refuses_them(tmp_path: Path, attack: str) -> None:
    for protocol in (0, 2, 5):
        for wrap in (lambda evil: evil, lambda evil: {"conv1": [evil]}, lambda evil: (1, (evil,))):
            with pytest.raises(pickle.UnpicklingError, match="is no NumPy array"):
                ArraysOnly(io.BytesIO(pickle.dumps(wrap(Evil(attack, tmp_path / "marker")), protocol))).load()
    assert not (tmp_path / "marker").exists()


def test_the_kept_nets_of_an_app_are_refused_once_somebody_has_swapped_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = "import torch\ndef fit(net):\n    return net\ndef made():\n    return fit(torch.nn.Linear(2, 1))\n"
    source += "nets = [made()]"
    original = new_notebook(cells=[new_code_cell(source), new_code_cell("nets", metadata={"tags": ["panel"]})])
    (changed, _) = with_kept_nets(original, tmp_path).cells
    names: dict = {}
    exec(changed.source, names)
    assert isinstance(names["nets"][0], torch.nn.Linear)
    (file,) = (tmp_path / "kept").iterdir()
    for form in FORMATS.values():
        file.write_bytes(form({"nets": [Evil("system", tmp_path / "marker")]}))
        with pytest.raises(Exception, match="(?i)weights_only|unsupported|invalid|not"):
            exec(changed.source, {})
        assert not (tmp_path / "marker").exists()
    torch.save({"nets": [Evil("system", tmp_path / "marker")]}, file)
    with pytest.raises(RuntimeError, match="must hold nets of PyTorch's layers alone, not (posix|nt).system"):
        with_kept_nets(original, tmp_path)
    assert not (tmp_path / "marker").exists()


def sources() -> dict[str, str]:
    """All Python of the project: modules, tools, and the cells of the notebooks."""
    files = [file for part in ("cnnlab", "tools", "benchmarks", "deploy") for file in (ROOT / part).rglob("*.py")]
    found = {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}
    for file in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        found[file.name] = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return found


def dangerous(source: str) -> list[str]:
    """The calls in it that may run what a file says."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name, options = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
            unpickles = re.fullmatch(r"(c?[pP]ickle|joblib|dill|cloudpickle|marshal|shelve)\.(load|loads|open)", name)
            trusts = name == "torch.load" and options.get("weights_only") != "True"
            trusts |= options.get("allow_pickle", "False") != "False" or name in ("pickle.Unpickler", "torch.hub.load")
            if unpickles or trusts:
                found.append(ast.unparse(node))
    return found


def test_nothing_in_the_project_reads_a_pickle_in_another_way() -> None:
    for unsafe in (
        "torch.load(f)", "torch.load(f, weights_only=False)", "pickle.loads(b)", "np.load(f, allow_pickle=True)",
        "joblib.load(f)", "pickle.Unpickler(f).load()",
    ):  # fmt: skip
        assert dangerous(unsafe), unsafe
    assert not dangerous("torch.load(f, 'cpu', weights_only=True)\nnp.load(f)\njson.loads(t)")
    assert {name: calls for name, source in sources().items() if (calls := dangerous(source))} == {}
    assert not [name for name, source in sources().items() if "weights_only=False" in source]
