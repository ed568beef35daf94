"""cnnlab: see what convolutional networks see, by making them show it."""

__version__ = "0.1.0"
