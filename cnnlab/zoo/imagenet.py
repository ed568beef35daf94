"""ImageNet's networks as chains of named layers."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torch import nn

from cnnlab._torchvision import torchvision
from cnnlab.nets import Normalize
from cnnlab.zoo.checkpoints import load_checkpoint
from cnnlab.zoo.efficientnet import efficientnet_lite0

models = torchvision.models
IMAGENET_LABELS: tuple[str, ...] = tuple(models.SqueezeNet1_1_Weights.DEFAULT.meta["categories"])
SQUEEZENET = "squeezenet.safetensors"


def squeezenet() -> nn.Sequential:
    """SqueezeNet 1.1 (Iandola et al. 2016) with ImageNet weights that come with the course (MIT license).

    Layers: conv1, relu1, pool1, fire2, fire3, pool3, fire4, fire5, pool5, fire6 .. fire9, conv10, relu10, logits.
    """
    model = load_checkpoint(models.squeezenet1_1(), SQUEEZENET)
    fires = [f"fire{number}" for number in range(2, 10)]
    names = ["conv1", "relu1", "pool1", *fires[:2], "pool3", *fires[2:4], "pool5", *fires[4:]]
    layers: dict[str, nn.Module] = dict(zip(names, model.features, strict=True))
    # It was trained in Caffe, on 0..255 minus this mean; here the mean is RGB in units of [0, 1].
    normalize = Normalize((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255,) * 3)
    layers["conv1"] = nn.Sequential(normalize, layers["conv1"])  # it gets no name: it is no layer of the paper
    _, conv10, relu10, pool10 = model.classifier  # without dropout
    layers |= {"conv10": conv10, "relu10": relu10, "logits": nn.Sequential(pool10, nn.Flatten())}
    return nn.Sequential(OrderedDict(layers))


def vgg19(model: Any) -> nn.Sequential:
    """Torchvision's VGG-19 (Simonyan & Zisserman 2014) with the paper's names of layers, without dropout.

    Layers: conv1_1, relu1_1, conv1_2, relu1_2, pool1 .. relu5_4, pool5, fc6, relu6, fc7, relu7, logits.
    """
    names = []
    for block, convolutions in enumerate((2, 2, 4, 4, 4), start=1):
        names += [f"{kind}{block}_{number}" for number in range(1, convolutions + 1) for kind in ("conv", "relu")]
        names.append(f"pool{block}")
    layers: dict[str, nn.Module] = dict(zip(names, model.features, strict=True))
    fc6, relu6, _, fc7, relu7, _, logits = model.classifier
    layers |= {"fc6": nn.Sequential(model.avgpool, nn.Flatten(), fc6), "relu6": relu6}
    layers |= {"fc7": fc7, "relu7": relu7, "logits": logits}
    return nn.Sequential(OrderedDict(layers))


def googlenet(model: Any) -> nn.Sequential:
    """Torchvision's GoogLeNet (Szegedy et al. 2014) with shorter names of layers, without dropout.

    Layers: conv1, pool1, conv2, conv3, pool2, inception3a, inception3b, pool3, inception4a .. inception5b, logits.
    """
    *body, _, _, _ = model.named_children()  # the average pooling, dropout and fc come last
    layers = {name.replace("maxpool", "pool"): module for name, module in body}
    layers["logits"] = nn.Sequential(model.avgpool, nn.Flatten(), model.fc)
    return nn.Sequential(OrderedDict(layers))


PACKAGED: dict[str, Callable[[], nn.Sequential]] = {"squeezenet": squeezenet, "efficientnet_lite0": efficientnet_lite0}
RENAMED: dict[str, Callable[[Any], nn.Sequential]] = {"vgg19": vgg19, "googlenet": googlenet}
