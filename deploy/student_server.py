"""A student's server: JupyterHub starts it as the student. It lays the course into their home and opens Lab there.

A process may hold 3 GB: what asks for more stops with an error in the student's cell, and nobody else notices. Kernels
are reached through files in a folder that only the student may open: no other account of the machine can listen.
"""

import os
import resource
import tempfile
from pathlib import Path

from jupyterhub.singleuser import main

from cnnlab.__main__ import FOLDER, lay
from cnnlab._data import PACKAGE

LIMIT = 3 * 2**30  # bytes

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))  # the kernels inherit it
    lay(Path.home() / FOLDER)
    os.environ["JUPYTER_CONFIG_PATH"] = str(PACKAGE / "jupyter")  # the settings of `cnnlab lab`
    with tempfile.TemporaryDirectory(prefix="kernels-") as folder:  # a short name: the system allows 107 characters
        os.environ["JUPYTER_RUNTIME_DIR"] = folder
        main()
