"""Make the pictures of the README, by the course itself: `.venv/bin/python -m tools.make_pictures`."""

from pathlib import Path

import torch
from torch import Tensor

from cnnlab.chapters.ch11_dreams import deep
from cnnlab.descent import descend
from cnnlab.files import save_image
from cnnlab.images import noise
from cnnlab.material.paintings import PAINTINGS, painting
from cnnlab.material.photos import photo
from cnnlab.nets import Net
from cnnlab.objectives import channel, code, energy, total_variation
from cnnlab.parametrizations import spectrum
from cnnlab.plots.sheets import tile
from cnnlab.steps import adam, lbfgs
from cnnlab.techniques.gram_style import gram, style
from cnnlab.transforms import compose, jitter, wobble
from cnnlab.zoo.load import load_net

FOLDER = Path(__file__).parent.parent / "data" / "pictures"


def painted(net: Net, image: Tensor, like: Tensor) -> Tensor:
    """Paint an image in the style of another, as in chapter 12."""
    layers = ["conv1", "relu1", "pool1", "fire2", "fire3", "fire4", "fire5", "fire6", "fire7"]
    found, content = net.activations(like, layers), net.activations(image, ["fire5"])["fire5"]
    objective = 0.2 * code("fire5", content) + 0.01 * total_variation()
    for layer in layers:
        objective += 1 / len(layers) * style(layer, gram(found[layer]))
    return descend(net, objective, image, steps=80, step=lbfgs(), parametrization=spectrum()).finish()


def main() -> None:
    """Write all pictures to data/pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    net = load_net("squeezenet")
    generator = torch.Generator().manual_seed(1)

    channels = [190, 196, 171, 245, 131, 134, 158, 207, 174, 235]
    start = noise((len(channels), 3, 200, 200), generator, decay=1)
    shaken = compose(wobble(10, 1.1), jitter(8))
    run = descend(
        net, -channel("fire9", channels), start, steps=80, step=adam(0.1), transform=shaken, parametrization=spectrum()
    )
    save_image(tile(run.finish(), 5, gap=6), FOLDER / "neurons.jpg")

    photos = [photo(name, (320, 480)) for name in ("china", "coffee")]
    dreams = [deep(net, -energy("fire7"), image).finish() for image in photos]
    save_image(tile(dreams, 2, gap=6), FOLDER / "dream.jpg")

    pairs = {"china": "swirls", "astronaut": "circles", "cat": "mosaic", "coffee": "wave"}
    styled = [painted(net, photo(content, 320), painting(like, 320)) for content, like in pairs.items()]
    save_image(tile(styled, 4, gap=6), FOLDER / "style.jpg")

    save_image(tile([painting(name, 240) for name in PAINTINGS], 4, gap=6), FOLDER / "paintings.jpg")


if __name__ == "__main__":
    main()
