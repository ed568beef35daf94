"""cnnlab: see what convolutional networks see, by making them show it."""

from cnnlab._native import keep_freed_memory

__version__ = "0.1.0"

keep_freed_memory()
