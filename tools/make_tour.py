"""Make the picture of chapter 00 with one image from each chapter: `python -m tools.make_tour`."""

from pathlib import Path

import torch
import torch.nn.functional as F
from skimage.data import lfw_subset
from torch import Generator, Tensor

from cnnlab import (
    adam,
    blur,
    channel,
    code,
    compose,
    cppn,
    cppn_weights,
    cross_entropy,
    descend,
    energy,
    gradient,
    gray,
    jitter,
    lbfgs,
    load_net,
    logit,
    mnist,
    neuron,
    noise,
    painting,
    photo,
    pixel_norm,
    plots,
    spectrum,
    weights_of,
    wobble,
)
from cnnlab.chapters.ch07_invariance import moved
from cnnlab.chapters.ch11_dreams import deep
from cnnlab.chapters.ch15_hog import hog_net
from cnnlab.chapters.ch16_figures import draw_board
from cnnlab.chapters.ch16_go import go_boards, go_examples
from cnnlab.nets import Net
from cnnlab.plots.base import draw_image, new_figure
from cnnlab.techniques.gram_style import gram, style
from cnnlab.techniques.inversion import invert, textures
from cnnlab.techniques.occlusion import occlusion_map
from cnnlab.techniques.relu_rules import guided
from cnnlab.zoo.zfnets import trained_zfnet

FILE = Path(__file__).parent.parent / "notebooks" / "tour.jpg"
SIDE = 224


def seeded(seed: int = 0) -> Generator:
    """A generator of random numbers that begins with the seed."""
    return Generator().manual_seed(seed)


def digits() -> dict[str, Tensor]:
    """What chapters 02 and 03 show."""
    net, (_, exam) = load_net("mnist"), mnist()
    wrong = (net(exam.images).argmax(dim=1) != exam.labels).nonzero().flatten()
    soft = compose(jitter(2), lambda image: blur(image, 0.7))
    three = descend(net, -logit(3) + 20 * pixel_norm(1), gray((1, 1, 28, 28)), steps=150, transform=soft).finish()
    return {"02 a digit that it gets wrong": exam.images[wrong[:1]], "03 its idea of a 3": three}


def neurons(net: Net) -> dict[str, Tensor]:
    """What chapters 01 and 04 to 09 show."""
    edges = net.activations(photo("cat", SIDE), ["conv1"])["conv1"][:, 33:34]
    start, shaken = noise((1, 3, 176, 176), seeded(1), decay=1), compose(wobble(10, 1.1), jitter(8))
    run = descend(
        net, -channel("fire9", 190), start, steps=60, step=adam(0.1), transform=shaken, parametrization=spectrum()
    )
    coffee = photo("coffee", SIDE)
    projection = gradient(guided(net), neuron("fire9", 451), coffee)[1]
    answers = occlusion_map(net, coffee, logit(net.index("espresso")), patch=48, stride=16)  # (12, 12)
    seen = F.interpolate((answers.max() - answers)[None, None] / (answers.max() - answers.min()), SIDE, mode="bilinear")
    face = torch.from_numpy(lfw_subset()[2])[None, None].float()  # (1, 1, 25, 25)
    face[..., 7:12, 3:22] = face.mean()
    return {
        "01 what a filter finds": 0.5 + edges / edges.abs().max() / 2,
        "04 what a channel looks for": run.finish(),
        "05 what a neuron saw": plots.on_gray(projection),
        "06 where the net looks": coffee * (0.15 + 0.85 * seen.clamp(0, 1) ** 3),
        "07 still a cup?": moved(photo("coffee"), degrees=40, size=SIDE),
        "08 filters that grew": plots.filter_sheet(weights_of(trained_zfnet().model, "conv1")[:16], columns=4),
        "09 the same part, hidden": face,
    }


def pictures(net: Net) -> dict[str, Tensor]:
    """What chapters 10 to 15 show."""
    china, cat = photo("china", 176), photo("cat", 176)
    content = net.activations(china, ["fire5"])["fire5"]
    layers = ["relu1", "fire2", "fire3", "fire5", "fire7"]
    painted = net.activations(painting("swirls", 176), layers)
    objective = 2 * code("fire5", content)
    for layer in layers:
        objective += 2 * style(layer, gram(painted[layer]))
    masks = cppn(cppn_weights(1, seeded()))
    outlines = hog_net()
    peacock = descend(
        net,
        cross_entropy(net.index("peacock")),
        gray((1, 3, 128, 128)),
        steps=70,
        step=adam(0.08),
        parametrization=masks,
    )
    peacock.finish()
    return {
        "10 rebuilt from fire5": invert(net, "fire5", content, gray(china.shape), steps=60).finish(),
        "11 dreamed by fire7": deep(net, -energy("fire7"), photo("coffee", 300)).finish(),
        "12 painted like swirls": descend(
            net, objective, china, steps=50, step=lbfgs(), parametrization=spectrum()
        ).finish(),
        "13 one channel's texture": textures(net, china, "fire3", [50], steps=60).finish(),
        "14 a peacock, says the net": peacock.best,
        "15 a cat, by its outlines": descend(
            outlines, code("hog", outlines(cat)), china, steps=100, step=adam(0.01)
        ).finish(),
    }


def main() -> None:
    """Draw all of them, and write the picture."""
    net = load_net("squeezenet")
    images = {**digits(), **neurons(net), **pictures(net)}
    figure = new_figure(11, 12, dpi=80)
    axes = figure.subplots(4, 4).flat
    for axis, title in zip(axes, sorted(images), strict=False):
        draw_image(axis, images[title])
        axis.set_title(title, fontsize=13)
    last = figure.axes[-1]
    board = go_examples(*go_boards(1, seeded(), per_game=1))
    draw_board(last, board.images[0], board.labels[0])
    last.set_title("16 moves that capture", fontsize=13)
    figure.savefig(FILE, pil_kwargs={"quality": 88})


if __name__ == "__main__":
    main()
