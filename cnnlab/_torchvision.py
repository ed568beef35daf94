"""Import torchvision even where its compiled operators do not load.

A CPU build of torch beside a torchvision built for CUDA fails on `import torchvision` with "operator torchvision::nms
does not exist" (pytorch/vision issues 9077, 9085). The course needs none of those operators, only models, weights'
metadata and datasets; so their schemas are declared here and the import is tried again.

    from cnnlab._torchvision import torchvision
"""

import importlib
import sys
from typing import Any

import torch


def _import_torchvision() -> Any:
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # half imported
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("torchvision")


torchvision = _import_torchvision()
