"""The front page: a picture from every chapter with its question, how to run the course, and the ledger's counts."""

import base64
import io
from dataclasses import dataclass
from html import escape
from pathlib import Path

from jinja2 import Template
from nbformat import NotebookNode
from PIL import Image

from tools.site.chapters import SUFFIXES, Title

SIDE = 400  # pixels of a tile at most
TEMPLATE = Path(__file__).with_name("front.html")


@dataclass(frozen=True)
class Tile:
    """A picture of the gallery: the rectangle (left, top, right, bottom) of a cell's picture, and what it shows."""

    cell: str
    box: tuple[int, int, int, int]
    alt: str


# One picture from each chapter, in their order.
TILES = {
    "00": Tile("2bab666d", (292, 29, 562, 299), "The face of a cat, covered with rings and curls like small eyes"),
    "01": Tile(
        "co-plots-show-maps-red-minus-blue-t", (11, 29, 241, 259), "A cup on a saucer, dark where red beats blue"
    ),
    "02": Tile("1245e502", (312, 40, 594, 322), "A handwritten 5, as 25 filters of a network see it"),
    "03": Tile("c8031c04", (663, 112, 917, 366), "Nine odd signs, which a network reads as 7, 8 and 9"),
    "04": Tile("bde513ef", (731, 29, 960, 258), "Furry faces with bright eyes that grow out of each other"),
    "05": Tile("f01a530f", (11, 29, 240, 258), "The outlines of a cat's face on gray, its eyes the sharpest"),
    "06": Tile("seven-maps-figure", (241, 285, 460, 504), "A man with a camera; a bright spot lies on the tripod"),
    "07": Tile("595b0387", (701, 48, 913, 260), "A cup of espresso, turned by 90 degrees"),
    "08": Tile("8b3bd157", (622, 29, 917, 324), "Sixteen filters that training made: stripes and patches of color"),
    "09": Tile("0d4720fe", (164, 11, 460, 307), "Faces in which a gray square hides an eye or the nose"),
    "10": Tile("0e4cbbb1", (604, 28, 1004, 428), "A cat, a cup and a pavilion, rebuilt from ever deeper layers"),
    "11": Tile("bd683f21", (76, 306, 317, 547), "The face of a dog with many eyes, dreamed out of noise"),
    "12": Tile("fce15cc0", (11, 30, 460, 479), "A Chinese pavilion at night, painted in swirls of blue and yellow"),
    "13": Tile("large-high", (680, 204, 862, 386), "A texture of garlands, blue and violet, from a single filter"),
    "14": Tile("22e4b697", (221, 49, 407, 235), "Pink and orange stains with two dark eyes: a cat, says the network"),
    "15": Tile("a7e59e06", (470, 29, 691, 250), "A pavilion whose fine lines are those of a cat"),
    "16": Tile("86acb647", (13, 30, 299, 316), "A Go board; red squares show where a channel answers"),
    "17": Tile("own-patterns-effnet", (641, 29, 840, 228), "Chains of colored beads, the pattern of one channel"),
}
POSTER = Tile("poster", (0, 0, 960, 640), "A pavilion that a network dreams full of towers, domes and fruits")


def cut(chapter: NotebookNode, tile: Tile) -> Image.Image:
    """The tile, cut out of the picture of its cell, at most SIDE pixels wide unless it is the poster.

    Raises ValueError if there is no such cell, it shows no picture, or the rectangle leaves the picture.
    """
    cells = [cell for cell in chapter.cells if cell.id == tile.cell]
    outputs = [output.data for cell in cells for output in cell.outputs if "data" in output]
    found = [data[kind] for data in outputs for kind in SUFFIXES if kind in data]
    if not found:
        raise ValueError(f"the front page wants the picture of cell {tile.cell!r}, which shows none: choose another")
    with Image.open(io.BytesIO(base64.b64decode(found[0]))) as image:
        if tile.box[2] > image.width or tile.box[3] > image.height:
            raise ValueError(f"the rectangle {tile.box} of the front page leaves the picture of cell {tile.cell!r}")
        return image.convert("RGB").crop(tile.box)


def front_page(chapters: dict[str, NotebookNode], titles: dict[str, Title], counts: str, pictures: Path) -> str:
    """The front page's HTML; its pictures are written into the folder `pictures`."""
    tiles = []
    for stem, chapter in chapters.items():
        tile = TILES[stem[:2]]
        image = cut(chapter, tile)
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        image.save(pictures / f"front-{stem[:2]}.jpg", quality=86, optimize=True)
        tiles.append({"page": stem, "number": stem[:2], "alt": tile.alt, "title": titles[f"{stem}.ipynb"]})
    poster = next(chapter for stem, chapter in chapters.items() if stem.startswith("11"))
    cut(poster, POSTER).save(pictures / "front-poster.jpg", quality=86, optimize=True, progressive=True)
    template = Template(TEMPLATE.read_text(encoding="utf-8"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return template.render(tiles=tiles, poster=POSTER.alt, counts=escape(counts))
