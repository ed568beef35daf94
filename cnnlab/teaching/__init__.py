"""The classroom: the panel, the checks of the exercises, and the table of claims."""

from cnnlab.teaching.claims import Claims
from cnnlab.teaching.panel import Panel
from cnnlab.teaching.screen import Upload

__all__ = ["Claims", "Panel", "Upload"]
