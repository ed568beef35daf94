"""cnnlab: see what convolutional networks see, by making them show it.

The names of the core are offered here, and loaded when they are first used: `from cnnlab import channel, descend`.
`__init__.pyi` lists them, for lazy_loader and for editors.
"""

import lazy_loader

from cnnlab._native import keep_freed_memory

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# A setting for the whole process: malloc keeps a step's memory for the next one, which saves up to half of the time.
keep_freed_memory()
