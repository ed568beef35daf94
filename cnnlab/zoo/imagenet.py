"""ImageNet's networks as chains of named layers, with their trained weights."""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn

from cnnlab._torchvision import torchvision
from cnnlab.nets import Normalize, named
from cnnlab.zoo.checkpoints import load_checkpoint
from cnnlab.zoo.efficientnet import efficientnet_lite0

models = torchvision.models
IMAGENET_LABELS: tuple[str, ...] = tuple(models.SqueezeNet1_1_Weights.DEFAULT.meta["categories"])
DOWNLOADS = {"vgg19": models.VGG19_Weights.IMAGENET1K_V1, "googlenet": models.GoogLeNet_Weights.IMAGENET1K_V1}
SQUEEZENET = "squeezenet.safetensors"


def squeezenet() -> nn.Sequential:
    """SqueezeNet 1.1 (Iandola et al. 2016) with ImageNet weights that come with the course (MIT license).

    Layers: conv1, relu1, pool1, fire2, fire3, pool3, fire4, fire5, pool5, fire6 .. fire9, conv10, relu10, logits.
    """
    model = load_checkpoint(models.squeezenet1_1(), SQUEEZENET)
    fires = [f"fire{number}" for number in range(2, 10)]
    names = ["conv1", "relu1", "pool1", *fires[:2], "pool3", *fires[2:4], "pool5", *fires[4:]]
    layers: dict[str, nn.Module] = dict(zip(names, model.features, strict=True))
    _, conv10, relu10, pool10 = model.classifier  # without dropout
    layers |= {"conv10": conv10, "relu10": relu10, "logits": nn.Sequential(pool10, nn.Flatten())}
    # It was trained in Caffe, on 0..255 minus this mean; here the mean is RGB in units of [0, 1].
    return _normalized((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255,) * 3, layers)


def vgg19() -> nn.Sequential:
    """VGG-19 (Simonyan & Zisserman 2014), without dropout.

    Layers: conv1_1, relu1_1, conv1_2, relu1_2, pool1 .. relu5_4, pool5, fc6, relu6, fc7, relu7, logits.
    """
    model = models.vgg19()
    model.load_state_dict(_downloaded("vgg19"))
    names = []
    for block, convolutions in enumerate((2, 2, 4, 4, 4), start=1):
        names += [f"{kind}{block}_{number}" for number in range(1, convolutions + 1) for kind in ("conv", "relu")]
        names.append(f"pool{block}")
    layers: dict[str, nn.Module] = dict(zip(names, model.features, strict=True))
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
    *body, _, _, _ = model.named_children()  # the average pooling, dropout and fc come last
    layers = {name.replace("maxpool", "pool"): module for name, module in body}
    layers["logits"] = nn.Sequential(model.avgpool, nn.Flatten(), model.fc)
    return _normalized((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), layers)


CHAINS: dict[str, Callable[[], nn.Sequential]] = {
    "squeezenet": squeezenet, "efficientnet_lite0": efficientnet_lite0, "vgg19": vgg19, "googlenet": googlenet
}  # fmt: skip


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
    except OSError as error:  # a URLError, among others
        reason = getattr(error, "reason", error)
        raise RuntimeError(
            f"no weights for {name}: {weights.url} could not be downloaded ({reason}). Connect once and try again, or "
            f'copy that file into {torch.hub.get_dir()}/checkpoints/. load_net("squeezenet") needs no download.'
        ) from error
