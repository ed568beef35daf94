"""Measures that compare: two states of a net, two changes, two images, two layers' use for a linear classifier."""

import io
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.images import load_image, resize, to_pil


def alikeness(activations: Tensor, others: Tensor) -> float:
    """Do two layers find the same images alike? Linear CKA (Kornblith et al. 2019, section 3), in [0, 1].

    K = A A', L = B B' hold the inner products of every two images' activations, centred; the result is their cosine,
    sum(K L) / (|K| |L|). It asks what a layer tells apart, not which of its channels does it.

    Args:
        activations, others: (B, ...), each of the same B images; the layers may have different shapes.
    """
    centred = (x.flatten(1) - x.flatten(1).mean(dim=0) for x in (activations, others))
    ours, theirs = (x @ x.T for x in centred)  # (B, B)
    return F.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0).item()


def beyond_nyquist(filters: Tensor, stride: int) -> Tensor:
    """The share of each filter's energy at frequencies that its stride cannot carry: (F, C, h, w) -> (F,), in [0, 1].

    Responses that are `stride` pixels apart carry frequencies up to 1 / (2 * stride) cycles per pixel, down and across
    (Nyquist); a finer pattern is taken for a coarser one: an alias.
    """
    size = 64
    energy = torch.fft.fft2(filters, s=(size, size)).abs().square().sum(dim=1)  # (F, size, size)
    fine = torch.fft.fftfreq(size, device=filters.device).abs() > 0.5 / stride
    return (energy * (fine[:, None] | fine)).sum(dim=(1, 2)) / energy.sum(dim=(1, 2))


def hide(images: Tensor, corners: Sequence[tuple[int, int]], size: tuple[int, int]) -> Tensor:
    """Lay a rectangle over each image, of the image's mean grey.

    Args:
        images: (B, 1, H, W).
        corners: its top and left, one pair per image.
        size: its height and width.
    """
    hidden = images.clone()
    for image, (top, left) in zip(hidden, corners, strict=True):
        image[:, top : top + size[0], left : left + size[1]] = image.mean()
    return hidden


def sign_distance(changes: Tensor) -> float:
    """How differently several images' features change: the paper's Delta of section 4.3, per feature.

    For changes e_i = features(image i) - features(image i with a part hidden), the mean over all pairs i < j of the
    Hamming distance of sign(e_i) and sign(e_j), divided by the number of features. A sign is -1, 0 or 1.

    Args:
        changes: (images, ...), at least two.

    Returns:
        0 (all change the same way) to 1 (no two signs agree).
    """
    signs = changes.flatten(1).sign()
    number = len(signs)
    if number < 2:
        raise ValueError(f"changes must be of at least two images, not {number}")
    differ = torch.stack([(signs[i] != signs[i + 1 :]).float().mean(dim=1).sum() for i in range(number - 1)])
    return (differ.sum() / (number * (number - 1) / 2)).item()


def jpeg(image: Tensor, quality: int) -> Tensor:
    """One image (1, C, H, W) as it comes back from a JPEG file; quality 1 to 95."""
    file = io.BytesIO()
    to_pil(image).save(file, "JPEG", quality=quality)
    return load_image(file.getvalue())


def difference_hash(images: Tensor) -> Tensor:
    """64 bits that survive small changes: is each of 8 x 9 coarse pixels darker than its right neighbour?

    (B, C, H, W) -> bool (B, 64). Known as dHash.
    """
    coarse = resize(images.mean(dim=1, keepdim=True), (8, 9))
    return (coarse[..., :-1] < coarse[..., 1:]).flatten(1)


def thumbnails(images: Tensor) -> Tensor:
    """What is left of an image at 16 x 16 pixels, without its brightness and contrast, as a vector of length 1.

    The product of two images' vectors is their correlation, in [-1, 1]: 1 for one image in another light.
    (B, C, H, W) -> (B, C * 256).
    """
    small = F.adaptive_avg_pool2d(images, 16).flatten(2)  # (B, C, 256)
    return F.normalize((small - small.mean(dim=2, keepdim=True)).flatten(1))


def probe(train: Tensor, labels: Tensor, test: Tensor, answers: Tensor) -> dict[str, float]:
    """The accuracy of a linear SVM and a softmax regression on features (N, ...), each scaled to variance 1."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC
    from threadpoolctl import threadpool_limits

    models = {"SVM": LinearSVC(C=0.01, random_state=0), "softmax": LogisticRegression(C=0.01, max_iter=1000)}
    x, y = train.flatten(1).cpu().numpy(), test.flatten(1).cpu().numpy()
    with threadpool_limits(1):  # these are small problems: threads would wait for each other
        fitted = {name: make_pipeline(StandardScaler(), model).fit(x, labels.numpy()) for name, model in models.items()}
        return {name: float(model.score(y, answers.numpy())) for name, model in fitted.items()}
