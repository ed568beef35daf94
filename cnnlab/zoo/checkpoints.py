"""Files of weights, which are read only if their hash is the recorded one."""

import hashlib
import os
from pathlib import Path
from typing import TypeVar

from safetensors.torch import load, save_file
from torch import nn

from cnnlab._data import DATA

Chain = TypeVar("Chain", bound=nn.Module)


def verified(path: Path, sha256: str, remedy: str) -> bytes:
    """The content of the file. If it is missing or damaged, raise a RuntimeError that ends with the remedy."""
    if not path.is_file():
        raise RuntimeError(f"{path} is missing: {remedy}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RuntimeError(f"{path} is damaged: {remedy}")
    return content


def load_checkpoint(chain: Chain, name: str) -> Chain:
    """Put the parameters that the course ships into the chain, and give the chain.

    The name is that of the file in data/, as data/SHA256SUMS lists it. A file that is missing or damaged, or that holds
    the parameters of another chain, raises a RuntimeError.
    """
    recorded = dict(line.split()[::-1] for line in (DATA / "SHA256SUMS").read_text().splitlines())  # name -> hash
    content = verified(DATA / name, recorded.get(name, ""), "get it again from git, or run `make checkpoints`")
    chain.load_state_dict(load(content))
    return chain


def save_checkpoint(chain: nn.Module, file: str | os.PathLike) -> str:
    """Write the chain's parameters as safetensors, and give the SHA-256 of the file."""
    save_file({name: value.contiguous().cpu() for name, value in chain.state_dict().items()}, file)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
