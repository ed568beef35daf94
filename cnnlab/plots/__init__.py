"""Figures, sheets of images and movies for all chapters: `from cnnlab import plots`, then `plots.show(...)`."""

import sys

from cnnlab.plots.base import draw_bars, draw_image, draw_probabilities, new_figure
from cnnlab.plots.charts import curves, show_bars, show_by_layer
from cnnlab.plots.grids import show, show_maps, show_numbers, show_predictions, show_rows, show_with_bars
from cnnlab.plots.movies import filmed, save_movie
from cnnlab.plots.sheets import filter_sheet, on_gray, on_white, patch_sheet, tile

if "ipykernel" in sys.modules:  # a notebook shows a Figure as a picture only after this import, or that of pyplot
    import matplotlib_inline.backend_inline  # noqa: F401

__all__ = [
    "curves", "draw_bars", "draw_image", "draw_probabilities", "filmed", "filter_sheet", "new_figure", "on_gray",
    "on_white", "patch_sheet", "save_movie", "show", "show_bars", "show_by_layer", "show_maps", "show_numbers",
    "show_predictions", "show_rows", "show_with_bars", "tile",
]  # fmt: skip
