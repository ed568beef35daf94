"""Make the pictures of the README, by the course itself: `.venv/bin/python tools/make_pictures.py`."""

from pathlib import Path

import torch
from torch import Tensor

from cnnlab.descent import Run, adam, descend, normalized
from cnnlab.images import compose, jitter, noise, photo, save_image, wobble
from cnnlab.nets import load_net
from cnnlab.objectives import channel, energy
from cnnlab.octaves import grow
from cnnlab.paintings import PAINTINGS, painting
from cnnlab.parametrizations import spectrum

FOLDER = Path(__file__).parent.parent / "data" / "pictures"


def tiled(images: list[Tensor], columns: int, gap: int = 6) -> Tensor:
    """Images (1, 3, H, W) of one size in rows of `columns`, on white."""
    padded = [torch.nn.functional.pad(image, (0, gap, 0, gap), value=1.0) for image in images]
    rows = [torch.cat(padded[i : i + columns], dim=3) for i in range(0, len(padded), columns)]
    return torch.cat(rows, dim=2)[..., :-gap, :-gap]


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

    def dream(image: Tensor, _: int) -> Run:
        return descend(net, -energy("fire7"), image, steps=10, step=normalized(0.02), transform=jitter(8))

    dreams = [grow(dream, photo(name, (213, 320)), octaves=2, scale=1.5).finish() for name in ("china", "cat")]
    save_image(tiled(dreams, columns=2), FOLDER / "dream.jpg")

    save_image(tiled([painting(name, 240) for name in PAINTINGS], columns=4), FOLDER / "paintings.jpg")


if __name__ == "__main__":
    main()
