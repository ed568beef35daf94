"""A microscope: a page for every channel of a network, made on two cores or on a cluster. Chapter 04.

    python -m cnnlab.microscope --net squeezenet

makes them; `from cnnlab.microscope import load_microscope` gives what was measured, for questions of one's own.
"""

from cnnlab.microscope.figures import show_page
from cnnlab.microscope.reading import Microscope, load_microscope

__all__ = ["Microscope", "load_microscope", "show_page"]
