"""A figure of chapter 14: what was changed, by how much, and what the net says then."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.nets import Prediction
from cnnlab.plots.base import RED, draw_image, new_figure
from cnnlab.plots.sheets import on_gray


def show_fooled(
    original: Tensor, image: Tensor, before: Sequence[Prediction], after: Sequence[Prediction], *,
    magnify: float = 50, height: float = 1.9,
) -> Figure:  # fmt: skip
    """Show a row per image: the photograph, the adversarial one, the perturbation, and that magnified.

    Args:
        original: photographs (B, C, H, W) in [0, 1].
        image: the adversarial examples, as many.
        before, after: the net's first label of each photograph, and of each adversarial example.
        magnify: the factor of the last column.
        height: of a row, in inches.
    """
    perturbation = image - original
    change = perturbation.flatten(1)
    lengths, largest = change.norm(dim=1).tolist(), (255 * change.abs().amax(1)).tolist()
    psnr = (-10 * change.square().mean(1).log10()).tolist()
    figure = new_figure(4 * height, len(image) * (height + 0.26))
    axes = figure.subplots(len(image), 4, squeeze=False)
    drawn = (original, image, on_gray(perturbation, 0.5), on_gray(perturbation, 0.5 / magnify))
    for row, line in enumerate(axes):
        texts = (str(before[row]), str(after[row]), f"L2 {lengths[row]:.2f}, PSNR {psnr[row]:.0f} dB",
                 f"× {magnify:g}; largest {largest[row]:.1f}/255")  # fmt: skip
        for axis, images, text in zip(line, drawn, texts, strict=True):
            draw_image(axis, images[row])
            axis.set_title(text, fontsize=9, color=RED if images is image else "black")
    return figure
