"""Files of weights: the course's own, which are read only if their hash is the recorded one, and yours."""

import hashlib
import os
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load, load_file, save_file
from torch import Tensor, nn

from cnnlab._data import course_file

Chain = TypeVar("Chain", bound=nn.Module)


def load_checkpoint(chain: Chain, name: str) -> Chain:
    """Put the parameters that the course ships into the chain, and give the chain.

    The name is that of the file in data/. If it is missing or altered, or does not fit, this raises a RuntimeError.
    """
    chain.load_state_dict(load(course_file(name)))
    return chain


def save_checkpoint(chain: nn.Module, file: str | os.PathLike) -> str:
    """Write the chain's parameters as safetensors, and give the SHA-256 of the file."""
    save_file({name: value.contiguous().cpu() for name, value in chain.state_dict().items()}, file)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def read_weights(file: str | os.PathLike) -> dict[str, Tensor]:
    """The parameters in a file of your own, by name: .safetensors, or .pth or .pt as `torch.save` writes them.

    A .pth may hold more than a state_dict, if that is found under "state_dict", "model_state_dict" or "model". Nothing
    in the file is run. Raises ValueError if it cannot be read, or holds NaN or infinite numbers.
    """
    if not isinstance(file, str | os.PathLike):
        raise ValueError(f"weights must be the path of a file, not {type(file).__name__}")
    try:
        path = Path(file).expanduser()
        size = path.stat().st_size if path.is_file() else None
    except (OSError, RuntimeError) as error:  # no permission, no such user
        raise ValueError(f"weights must be a file that can be opened; {file} cannot ({error})") from error
    kind = path.suffix.lower()
    if not size or kind not in (".safetensors", ".pth", ".pt"):
        found = "no file" if size is None else "a file of another kind" if size else "empty"
        raise ValueError(f"weights must be a file .safetensors, .pth or .pt; {path} is {found}")
    try:
        if kind != ".safetensors" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:  # torch.save compresses nothing
                if sum(part.file_size for part in archive.infolist()) > size:
                    raise ValueError("it would grow when it is read")
        content = load_file(path) if kind == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # each reader has several errors of its own
        objects = "unsupported global" in str(error).lower()
        reason = "holds other objects; save model.state_dict()" if objects else "is damaged, or holds something else"
        raise ValueError(f"weights cannot be read: {path} {reason}") from error
    for key in ("state_dict", "model_state_dict", "model"):
        content = content[key] if isinstance(content, dict) and isinstance(content.get(key), dict) else content
    if not isinstance(content, dict) or not content or not all(map(_is_parameter, content, content.values())):
        raise ValueError(f"weights must be parameters by name, as model.state_dict() gives them; {path} holds others")
    for name, value in content.items():
        if value.is_floating_point() and not value.float().isfinite().all():
            raise ValueError(f"weights must be finite; in {path} {name} holds NaN or infinite numbers")
    prefix = "_orig_mod." if next(iter(content)).startswith("_orig_mod.") else "module."  # torch.compile, DataParallel
    whole = all(name.startswith(prefix) for name in content)
    return {name.removeprefix(prefix): value for name, value in content.items()} if whole else content


def _is_parameter(name: object, value: object) -> bool:
    """Whether it is a name with a dense tensor that is no larger than what the file holds of it."""
    if not (isinstance(name, str) and isinstance(value, Tensor) and type(value) in (Tensor, nn.Parameter)):
        return False
    dense = value.layout == torch.strided and not (value.is_quantized or value.is_nested or value.is_meta)
    return dense and value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def fill(model: Chain, state: dict[str, Tensor], name: str, file: str | os.PathLike) -> Chain:
    """Put the parameters into the model of this name and give it. Raises ValueError if those of the file do not fit."""
    own = model.state_dict()
    shapes = [(key, tuple(state[key].shape), tuple(own[key].shape)) for key in own if key in state]
    misfits = [f"{key} is {found}, not {needed}" for key, found, needed in shapes if found != needed]
    kinds = [(key, state[key].dtype, own[key].dtype) for key in own if key in state]
    misfits += [f"{key} has {a}, not {b}" for key, a, b in kinds if b.is_floating_point > a.is_floating_point]
    if not misfits:
        if not hasattr(state, "_metadata"):  # the version of the format, which safetensors do not record
            state = OrderedDict(state)
            state._metadata = own._metadata  # type: ignore[attr-defined]
        missing, unknown = model.load_state_dict(state, strict=False)
        misfits = [f"{key} is missing" for key in missing if not key.endswith("num_batches_tracked")]
        misfits += [f"{key} is unknown" for key in unknown]
    if misfits:
        more = f" and {len(misfits) - 3} more" if misfits[3:] else ""
        raise ValueError(f"weights do not fit {name}: in {file} {', '.join(misfits[:3])}{more}")
    return model
