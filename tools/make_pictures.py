"""Make the pictures of the README, by the course itself: `.venv/bin/python tools/make_pictures.py`."""

from pathlib import Path

import torch
from torch import Tensor

from cnnlab.descent import descend
from cnnlab.dreaming import dream
from cnnlab.gram import gram, style
from cnnlab.images import noise, photo, save_image
from cnnlab.nets import Net, load_net
from cnnlab.objectives import channel, code, energy, total_variation
from cnnlab.paintings import PAINTINGS, painting
from cnnlab.parametrizations import spectrum
from cnnlab.steps import adam, compose, jitter, lbfgs, wobble

FOLDER = Path(__file__).parent.parent / "data" / "pictures"


def tiled(images: list[Tensor], columns: int, gap: int = 6) -> Tensor:
    """Images (1, 3, H, W) of one size in rows of `columns`, on white."""
    padded = [torch.nn.functional.pad(image, (0, gap, 0, gap), value=1.0) for image in images]
    rows = [torch.cat(padded[i : i + columns], dim=3) for i in range(0, len(padded), columns)]
    return torch.cat(rows, dim=2)[..., :-gap, :-gap]


def painted(net: Net, image: Tensor, like: Tensor) -> Tensor:
    """The image in the style of another, as in chapter 9."""
    layers = ["conv1", "relu1", "pool1", "fire2", "fire3", "fire4", "fire5", "fire6", "fire7"]
    found, content = net.activations(like, layers), net.activations(image, ["fire5"])["fire5"]
    aim = 0.2 * code("fire5", content) + 0.01 * total_variation()
    for layer in layers:
        aim += 1 / len(layers) * style(layer, gram(found[layer]))
    return descend(net, aim, image, steps=80, step=lbfgs(), parametrization=spectrum()).finish()


def main() -> None:
    """Write them all to data/pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    net = load_net("squeezenet")
    generator = torch.Generator().manual_seed(1)

    channels = [190, 196, 171, 245, 131, 134, 158, 207, 174, 235]
    start = noise((len(channels), 3, 200, 200), generator, decay=1)
    shaken = compose(wobble(10, 1.1), jitter(8))
    run = descend(
        net, -channel("fire9", channels), start, steps=80, step=adam(0.1), transform=shaken, parametrization=spectrum()
    )
    save_image(tiled([image[None] for image in run.finish()], columns=5), FOLDER / "neurons.jpg")

    photos = [photo(name, (320, 480)) for name in ("china", "coffee")]
    dreams = [dream(net, -energy("fire7"), image, octaves=5, steps=16).finish() for image in photos]
    save_image(tiled(dreams, columns=2), FOLDER / "dream.jpg")

    pairs = {"china": "swirls", "astronaut": "circles", "cat": "mosaic", "coffee": "wave"}
    save_image(
        tiled([painted(net, photo(a, 320), painting(b, 320)) for a, b in pairs.items()], 4), FOLDER / "style.jpg"
    )

    save_image(tiled([painting(name, 240) for name in PAINTINGS], columns=4), FOLDER / "paintings.jpg")


if __name__ == "__main__":
    main()
