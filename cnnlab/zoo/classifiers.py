"""Every classification model of torchvision by its name, with torchvision's weights or with a file of your own."""

import hashlib
import math
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from torch import Tensor, nn

from cnnlab._torchvision import torchvision
from cnnlab.nets import Normalize
from cnnlab.zoo.checkpoints import fill, read_weights
from cnnlab.zoo.downloads import download

models = torchvision.models
NAMES: tuple[str, ...] = tuple(models.list_models(module=models))
INCEPTIONS = ("googlenet", "inception_v3")
# Their auxiliary classifiers serve training alone. What `transform_input` would do, normalization does.
INCEPTION_OPTIONS = {"aux_logits": False, "init_weights": False, "transform_input": False}


def classifier(name: str, file: str | os.PathLike | None = None) -> tuple[nn.Module, tuple[str, ...] | None, Normalize]:
    """A trained model of torchvision, its labels, and the normalization that it expects.

    Args:
        name: one of `NAMES`.
        file: your own parameters, as `read_weights` takes them; None: torchvision's default weights. If the file's last
            layer has another number of classes, the labels are None.
    """
    recorded = models.get_model_weights(name).DEFAULT
    file = _downloaded(name, recorded.url) if file is None else file
    state = _as_today(read_weights(file))
    options: dict[str, Any] = dict(INCEPTION_OPTIONS) if name in INCEPTIONS else {}
    if name.startswith("vit") and {"encoder.pos_embedding", "conv_proj.weight"} <= set(state):
        squares = state["encoder.pos_embedding"].shape[1] - 1  # of the image; the first embedding is the class token's
        options["image_size"] = math.isqrt(squares) * state["conv_proj.weight"].shape[-1]
    labels: tuple[str, ...] = tuple(recorded.meta["categories"])
    model = models.get_model(name, weights=None, **options)
    last = [parameter for parameter in model.state_dict() if parameter.endswith("weight")][-1]
    same = last not in state or len(state[last]) == len(labels)
    if not same:
        model = models.get_model(name, weights=None, num_classes=len(state[last]), **options)
    preset = recorded.transforms()
    mean, std = ((0.5,) * 3, (0.5,) * 3) if name in INCEPTIONS else (preset.mean, preset.std)
    return fill(model, state, name, file), labels if same else None, Normalize(mean, std)


def _as_today(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The parameters without auxiliary classifiers, and with the names that DenseNet's have today."""
    for name in list(state):
        value = state.pop(name)  # the dictionary itself knows the version of its format
        if not name.startswith(("aux1.", "aux2.", "AuxLogits.")):
            state[re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2", name)] = value
    return state


def _downloaded(name: str, url: str) -> Path:
    """The file of weights in torch's cache, downloaded if it is not there; its hash is checked each time."""
    file = Path(torch.hub.get_dir(), "checkpoints", Path(urlparse(url).path).name)
    sha256 = file.stem.rpartition("-")[2]  # how it begins
    if not file.is_file():
        try:
            download(url, file, sha256)
        except RuntimeError as error:
            if not file.is_file():  # another kernel may have got it meanwhile
                raise RuntimeError(
                    f"no weights for {name}: {error}. Connect once and try again, or copy that file into "
                    f'{file.parent}/. load_net("squeezenet") needs no download.'
                ) from error
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if not found.startswith(sha256):
        raise RuntimeError(f"{file} is damaged: delete it, then load_net({name!r}) downloads it again")
    return file
