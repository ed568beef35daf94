"""Figures of adversarial examples: what was changed, by how much, and what the net says then."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.nets import Prediction
from cnnlab.plots import STYLE


def perturbation(image: Tensor, original: Tensor, magnify: float = 1.0) -> Tensor:
    """The difference as an image: grey is unchanged, 1/2 + magnify (image - original), clipped; (B, C, H, W)."""
    return (0.5 + magnify * (image - original)).clamp(0, 1)


def fooled(
    original: Tensor, image: Tensor, before: Sequence[Prediction], after: Sequence[Prediction], *,
    magnify: float = 50, height: float = 1.9,
) -> Figure:  # fmt: skip
    """A row per image: the photograph, the fooled one, their difference, and that magnified, with labels and sizes.

    Args:
        original: (B, C, H, W) in [0, 1].
        image: the fooled ones, as many.
        before: the net's first label of each original.
        after: its first label of each fooled one.
        magnify: by what the last column is multiplied.
        height: inches of a row.
    """
    change = (image - original).flatten(1)
    sizes = zip(change.norm(dim=1).tolist(), (255 * change.abs().amax(1)).tolist(), strict=True)
    noise = (-10 * change.square().mean(1).log10()).tolist()
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(image), 4, figsize=(4 * height, len(image) * (height + 0.26)), layout="constrained", squeeze=False
        )
    drawn = (original, image, perturbation(image, original), perturbation(image, original, magnify))
    for row, (length, largest) in enumerate(sizes):
        texts = (str(before[row]), str(after[row]), f"L2 {length:.2f}, PSNR {noise[row]:.0f} dB",
                 f"× {magnify:g}; largest {largest:.1f}/255")  # fmt: skip
        for axis, images, text in zip(axes[row], drawn, texts, strict=True):
            _draw(axis, images[row])
            axis.set_title(text, fontsize=9, color="#c44e52" if images is image else "black")
    plt.close(figure)  # shown once, as the cell's value
    return figure


def attack(
    original: Tensor, image: Tensor, predictions: Sequence[Prediction], *, target: str = "", magnify: float = 20
) -> Figure:
    """For a panel: the changed image, the perturbation magnified, and below what the net says; (1, C, H, W) each."""
    figure = Figure(figsize=(6, 6), dpi=110)  # no pyplot: it belongs to the main thread
    left, right = figure.add_axes((0.02, 0.42, 0.47, 0.5)), figure.add_axes((0.51, 0.42, 0.47, 0.5))
    _draw(left, image[0])
    left.set_title("what the net sees")
    _draw(right, perturbation(image, original, magnify)[0])
    right.set_title(f"the perturbation × {magnify:g}")
    bars = figure.add_axes((0.36, 0.03, 0.5, 0.33))
    for row, (label, probability) in enumerate(predictions):
        bars.barh(row, probability, color="#c44e52" if label == target else "#4878a8")
        bars.text(probability + 0.02, row, f"{probability:.1%}", va="center")
    bars.set_yticks(range(len(predictions)), [label[:22] for label, _ in predictions])
    bars.set(xlim=(0, 1.1), xticks=[])
    bars.invert_yaxis()
    bars.spines[["top", "right", "bottom"]].set_visible(False)
    bars.tick_params(left=False)
    return figure


def _draw(axis: Axes, image: Tensor) -> None:  # (C, H, W)
    axis.imshow(image.detach().cpu().clamp(0, 1).permute(1, 2, 0).squeeze().numpy(), cmap="gray", vmin=0, vmax=1)
    axis.set_axis_off()
