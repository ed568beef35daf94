"""Checks of the exercises of chapter 17: a picture's form, a folded batch-norm, an inverted residual, train mode."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from cnnlab.nets import named
from cnnlab.teaching.checks import Student, random_tensor, refuse, require, same, verdict
from cnnlab.training import initialize


@verdict("RGB, floats in [0, 1], and a batch of one")
def check_to_image(to_image: Student) -> None:
    """Check `to_image(array)`: what OpenCV reads, (H, W, 3) BGR in 0 .. 255 -> an image (1, 3, H, W)."""
    array = (255 * random_tensor((7, 11, 3))).byte().numpy()
    expected = torch.from_numpy(array[..., ::-1].copy()).permute(2, 0, 1)[None] / 255
    result = to_image(array)
    refuse(result, expected.flip(1), "red and blue are exchanged: OpenCV gives BGR")
    refuse(result, 255 * expected, "the values must lie in [0, 1]")
    refuse(result, expected[0], "the axis of the batch is missing")
    same(result, expected, f"{to_image}(array of shape (7, 11, 3))")


@verdict("the convolution now does the work of both")
def check_folded(folded: Student) -> None:
    """Check `folded(weight, scale, shift, mean, variance, eps)` -> the weight and the bias of one convolution."""
    weight, (scale, shift, mean, variance) = random_tensor((5, 3, 3, 3)), random_tensor((4, 5), 1)
    for eps in (0.1, 0.3):
        factor = scale / (variance + eps).sqrt()
        result = folded(weight, scale, shift, mean, variance, eps)
        require(
            isinstance(result, tuple) and len(result) == 2, f"{folded} must return two: return new_weight, new_bias"
        )
        refuse(result[0], weight * (scale / variance.sqrt()).view(-1, 1, 1, 1), "eps is missing below the root")
        refuse(result[1], shift - mean * scale, "the mean is divided by the deviation, too")
        same(result[0], weight * factor.view(-1, 1, 1, 1), f"the folded weight with eps {eps}")
        same(result[1], shift - mean * factor, f"the folded bias with eps {eps}")


@verdict("1 x 1 to more channels, a kernel for each of them, 1 x 1 back, plus the input")
def check_inverted_residual(inverted_residual: Student) -> None:
    """Check `inverted_residual(x, expand, depthwise, project)`: the block of MobileNet v2 with stride 1."""
    x, expand = 40 * random_tensor((2, 4, 7, 11)) - 15, random_tensor((12, 4, 1, 1), 1) - 0.4
    for side in (3, 5):
        depthwise, project = random_tensor((12, 1, side, side), 2) - 0.4, random_tensor((4, 12, 1, 1), 3) - 0.5
        expected = x + _inside(x, expand, depthwise, project, 6)
        result = inverted_residual(x, expand, depthwise, project)
        refuse(result, expected - x, "the input is missing: the block adds to it")
        unlimited = x + _inside(x, expand, depthwise, project, torch.inf)
        refuse(result, unlimited, "MobileNet's ReLU ends at 6")
        refuse(result, expected.clamp(0, 6), "there is no ReLU behind the last convolution")
        same(result, expected, f"{inverted_residual} with kernels of {side} x {side}", tolerance=1e-4)


def _inside(x: Tensor, expand: Tensor, depthwise: Tensor, project: Tensor, top: float) -> Tensor:
    wide = F.conv2d(x, expand).clamp(0, top)
    return F.conv2d(F.conv2d(wide, depthwise, padding="same", groups=len(depthwise)).clamp(0, top), project)


@verdict("the batch decides the answers, and the model itself is as before")
def check_train_mode_accuracy(train_mode_accuracy: Student) -> None:
    """Check `train_mode_accuracy(model, images, labels, batch)`: the share right in train mode, batch by batch."""
    model = named(
        conv=nn.Conv2d(3, 6, 3), norm=nn.BatchNorm2d(6), relu=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(2),
        flatten=nn.Flatten(), logits=nn.Linear(24, 5),
    )  # fmt: skip
    model = initialize(model, Generator().manual_seed(0)).eval()
    images, before = random_tensor((20, 3, 8, 9)), {name: value.clone() for name, value in model.state_dict().items()}
    for batch in (4, 7):
        found = []
        with torch.no_grad():
            for part in images.split(batch):
                maps = model[0](part)  # the batch-norm has scale 1 and shift 0
                variance, mean = torch.var_mean(maps, (0, 2, 3), correction=0, keepdim=True)
                found.append(model[2:]((maps - mean) / (variance + 1e-5).sqrt()).argmax(1))
            labels, in_eval = torch.cat(found), model(images).argmax(1)
        labels[:6] = (labels[:6] + 1) % 5
        result = train_mode_accuracy(model, images, labels, batch)
        kept = all(torch.equal(before[name], value) for name, value in model.state_dict().items())
        require(kept and not model.training, "the model was changed: train mode counts means on. Work on a deep copy")
        refuse(result, (in_eval == labels).float().mean().item(), "this is the accuracy in eval mode")
        same(result, 0.7, f"{train_mode_accuracy} of 20 images in batches of {batch}")
