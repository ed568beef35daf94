"""Trained networks by name."""

import copy
import os
from difflib import get_close_matches

from torch import Generator

from cnnlab.nets import Net
from cnnlab.training import initialize
from cnnlab.zoo.checkpoints import fill, read_weights
from cnnlab.zoo.digits_cnn import mnist_cnn, trained_mnist_cnn


def load_net(name: str = "squeezenet", device: str | None = None, weights: str | os.PathLike | None = None) -> Net:
    """Load a trained network of photographs (ImageNet) or of handwritten digits. Chapters 00 and 17.

    Args:
        name: "squeezenet" (SqueezeNet 1.1, Iandola et al. 2016), "efficientnet_lite0" (Tan & Le 2019; better and
            slower) and "mnist" (the CNN of chapter 02) come with the course. Every other classification model of
            torchvision has torchvision's name ("resnet50", "convnext_tiny" ...); its weights are downloaded once, with
            a progress bar, and their hash is checked. It normalizes images as its weights ask for.
        device: "cpu", "cuda", "mps" ...; None takes the best there is.
        weights: a file of your own parameters for a model of torchvision or for "mnist": .safetensors, or .pth with
            what `model.state_dict()` gives. If its last layer has another number of classes than ImageNet's 1,000, the
            classes have numbers instead of labels. Images are normalized as for torchvision's own weights.

    Raises:
        ValueError: for an unknown name, or a file that cannot be read or does not fit the network.
        RuntimeError: if the weights are neither on this machine nor downloadable; the message says what to do.
    """
    if name == "mnist":
        if weights is None:
            return Net(trained_mnist_cnn(), "0123456789", device)
        return Net(fill(mnist_cnn(Generator()), read_weights(weights), name, weights), "0123456789", device)
    from cnnlab.zoo import classifiers, imagenet  # import torchvision, which takes a second

    if name in imagenet.PACKAGED:
        if weights is not None:
            raise ValueError(
                f'weights must be None: {name} has its own. For yours, take a name of torchvision ("vgg11")'
            )
        return Net(imagenet.PACKAGED[name](), imagenet.IMAGENET_LABELS, device)
    if name not in classifiers.NAMES:
        known = [*imagenet.PACKAGED, "mnist"]
        near = get_close_matches(str(name).lower(), [*known, *classifiers.NAMES], n=5)
        meant = f"did you mean {', '.join(near)}? " if near else ""
        raise ValueError(
            f"unknown net {name!r}: {meant}There are {', '.join(known)}, and torchvision's classification models"
        )
    model, labels, normalize = classifiers.classifier(name, weights)
    return Net(imagenet.RENAMED[name](model) if name in imagenet.RENAMED else model, labels, device, normalize)


def untrained(net: Net, generator: Generator) -> Net:
    """A copy of the net with random weights (`initialize`): what it shows needs no training. Chapters 04 to 09."""
    changed = copy.deepcopy(net).cpu()  # where the generator is
    initialize(changed.model, generator)
    return changed.to(net.device)
