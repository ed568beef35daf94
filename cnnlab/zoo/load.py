"""Trained networks by name."""

from cnnlab.nets import Net
from cnnlab.zoo.digits_cnn import trained_mnist_cnn


def load_net(name: str = "squeezenet", device: str | None = None) -> Net:
    """Load a trained network of photographs (ImageNet) or of handwritten digits.

    Args:
        name: "squeezenet" (SqueezeNet 1.1, Iandola et al. 2016), "efficientnet_lite0" (Tan & Le 2019; better and
            slower) and "mnist" (the CNN of chapter 02) come with the course. "vgg19" and "googlenet" are downloaded
            once by torchvision, with a progress bar, and their hash is checked.
        device: "cpu", "cuda", "mps" ...; None takes the best there is.

    Raises:
        ValueError: for an unknown name.
        RuntimeError: if the weights are neither on this machine nor downloadable; the message says what to do.
    """
    if name == "mnist":
        return Net(trained_mnist_cnn(), "0123456789", device)
    from cnnlab.zoo import imagenet  # imports torchvision, which takes a second

    if name not in imagenet.CHAINS:
        raise ValueError(f"unknown net {name!r}: there are {', '.join(imagenet.CHAINS)}, mnist")
    return Net(imagenet.CHAINS[name](), imagenet.IMAGENET_LABELS, device)
