"""What chapter 03 measures of pictures: the direction of their strokes, and what other nets read in them."""

import torch
from torch import Generator, Tensor

from cnnlab.material.digits import affine
from cnnlab.nets import Net
from cnnlab.training import Examples, fit
from cnnlab.zoo.digits_cnn import mnist_cnn


def orientation(images: Tensor) -> Tensor:
    """Find how far all waves of each image (B, 1, H, W) have one direction: a complex number per image, (B,).

    It is the mean of exp(2i theta) over the power spectrum without the mean gray, where theta is a wave's direction. It
    has 2 theta, because a wave that is turned by half a circle is the same wave. The absolute value is the strength,
    from 0 to 1 for parallel stripes. Half the angle is the direction in which the gray changes, 0 for vertical stripes.
    """
    gray = images[:, 0] - images[:, 0].mean(dim=(1, 2), keepdim=True)
    power = torch.fft.fft2(gray).abs().square()
    down, right = (torch.fft.fftfreq(side) for side in images.shape[2:])
    theta = torch.atan2(down[:, None], right[None])  # (H, W)
    return (power * torch.exp(2j * theta)).sum(dim=(1, 2)) / power.sum(dim=(1, 2)).clamp(min=1e-12)


def same_everywhere(images: Tensor) -> Tensor:
    """Find the images (B, 1, H, W) whose four quarters all have the direction of the whole, within 22.5 degrees: (B,).

    A quarter of another picture has this direction by chance in one case of four, as 22.5 to both sides are 45 of 180.
    """
    top, bottom = images.chunk(2, dim=2)
    quarters = torch.stack([orientation(part) for half in (top, bottom) for part in half.chunk(2, dim=3)])  # (4, B)
    turned = (quarters / orientation(images)).angle().abs().rad2deg() / 2
    return (turned < 22.5).all(dim=0)


def thinned(images: Tensor, ink: float, generator: Generator) -> Tensor:
    """Set random pixels of images to 0 until their mean is about `ink`."""
    return images * (torch.rand(images.shape, generator=generator) < ink / images.mean())


def neighbor(images: Tensor, train: Examples) -> tuple[Tensor, Tensor]:
    """Find the training digit that is nearest to each image, (B, 1, H, W): its label and its distance, (B,) each."""
    distances, index = torch.cdist(images.flatten(1), train.images.flatten(1)).min(dim=1)
    return train.labels[index], distances


def untrained() -> Net:
    """Make the net as it was before its training, with random weights."""
    return Net(mnist_cnn(Generator().manual_seed(0)), device="cpu")


def small_reader(train: Examples, seed: int) -> Net:
    """Train a small net on the digits, as a second opinion: 8 and 16 filters, 6 epochs."""
    generator = Generator().manual_seed(seed)
    chain = mnist_cnn(generator, (8, 16))
    fit(chain, train, epochs=6, generator=generator, augment=affine).finish(progress=False)
    return Net(chain, device="cpu")
