"""Let `import torchvision` work even where its compiled operators do not load: here, and in a reader's own cells.

A CPU build of torch beside a torchvision built for CUDA fails on `import torchvision` with "operator torchvision::nms
does not exist" (pytorch/vision issues 9077, 9085). The course needs none of those operators, only models, weights'
metadata and datasets; so their schemas are declared if the library that has them cannot be loaded.

`nets` imports this module, so that it works after `from cnnlab import Net`, too.

    from cnnlab._torchvision import torchvision  # it is imported only now: that takes a second
"""

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import torch


def declare_missing_operators() -> None:
    """Load torchvision's operators, as its own import does, or declare those that its import asks for."""
    found = importlib.util.find_spec("torchvision")
    for folder in (found and found.submodule_search_locations) or ():
        for library in [*Path(folder).glob("_C.so"), *Path(folder).glob("_C.pyd")]:
            try:
                torch.ops.load_library(str(library))
            except OSError:
                for name in ("nms", "qnms"):
                    if not hasattr(torch.ops.torchvision, name):
                        schema = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
                        torch.library.define(f"torchvision::{name}", schema)


declare_missing_operators()


def __getattr__(name: str) -> Any:
    if name == "torchvision":
        return importlib.import_module(name)
    raise AttributeError(name)
