"""Things in the photographs: their outlines were drawn on the photographs alone, before any map was computed.

The labels are those of ImageNet that come nearest to the thing; the network need not give this answer.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

SIZE = 224  # of the photographs, in pixels
# (photograph, label) -> the corners (y, x) of the outline
OUTLINES = {
    ("astronaut", "space shuttle"): [(0, 175), (12, 169), (70, 165), (95, 155), (122, 158), (122, 199), (100, 198),
                                     (20, 193), (0, 187)],
    ("astronaut", "crash helmet"): [(150, 172), (158, 150), (175, 130), (200, 122), (223, 125), (223, 221), (205, 220),
                                    (185, 212), (165, 197), (153, 185)],
    ("camera", "tripod"): [(90, 124), (132, 120), (150, 120), (223, 101), (223, 112), (212, 132), (152, 132),
                           (223, 168), (223, 178), (140, 134), (132, 133), (90, 131)],
    ("china", "stupa"): [(14, 47), (14, 57), (32, 60), (52, 80), (63, 112), (76, 106), (100, 116), (112, 110),
                         (133, 128), (145, 120), (172, 138), (196, 108), (200, 60), (182, 40), (172, 0), (50, 0),
                         (42, 30), (32, 45)],
    ("coffee", "espresso"): [(10, 100), (13, 70), (30, 48), (60, 41), (90, 44), (108, 56), (130, 70), (165, 52),
                             (170, 65), (150, 85), (138, 100), (134, 130), (122, 150), (100, 165), (70, 173),
                             (45, 170), (25, 153), (13, 128)],
    ("flower", "daisy"): [(45, 105), (52, 70), (75, 43), (110, 33), (150, 44), (178, 72), (187, 100), (196, 118),
                          (208, 98), (223, 95), (223, 190), (205, 172), (197, 140), (187, 118), (175, 142), (160, 165),
                          (120, 178), (80, 168), (55, 140)],
    ("motorcycle", "motor scooter"): [(98, 0), (72, 8), (72, 20), (88, 45), (88, 80), (80, 130), (62, 150), (35, 168),
                                      (38, 180), (55, 195), (60, 205), (75, 200), (115, 205), (120, 223), (205, 223),
                                      (190, 190), (170, 182), (130, 175), (158, 160), (170, 130), (175, 105),
                                      (195, 100), (195, 90), (178, 60), (178, 30), (160, 10), (130, 0)],
    ("motorcycle", "disk brake"): [(125, 180), (118, 200), (125, 223), (205, 223), (195, 200), (170, 183), (145, 176)],
    ("rocket", "missile"): [(66, 112), (75, 107), (100, 106), (213, 106), (213, 122), (100, 121), (75, 119)],
}  # fmt: skip


def thing_mask(name: str, label: str) -> Tensor:
    """Where the thing is in its photograph: (224, 224), True inside the outline."""
    from skimage.draw import polygon2mask

    return torch.from_numpy(polygon2mask((SIZE, SIZE), OUTLINES[name, label]))


# net -> photograph -> the thing that the net's first label names; for EfficientNet the tower is a "palace", and the
# motorcycle a "moped"
NAMED = {
    "squeezenet": {"camera": "tripod", "china": "stupa", "coffee": "espresso", "motorcycle": "motor scooter"},
    "efficientnet_lite0": {"camera": "tripod", "china": "stupa", "coffee": "espresso", "flower": "daisy",
                           "motorcycle": "motor scooter", "rocket": "missile"},
}  # fmt: skip


def moved(mask: Tensor, step: int = 32) -> Tensor:
    """The mask, first where it is, then moved by all multiples of `step` pixels: (H, W) -> (N, H, W).

    What leaves at one side comes back at the other, so all of them are equally large.
    """
    height, width = mask.shape
    return torch.stack([mask.roll((y, x), (0, 1)) for y in range(0, height, step) for x in range(0, width, step)])


def wider(mask: Tensor, pixels: int) -> Tensor:
    """The mask with a margin, so that no silhouette of the thing is left: (H, W) -> (H, W)."""
    return F.max_pool2d(mask[None, None].float(), 2 * pixels + 1, 1, pixels)[0, 0] > 0
