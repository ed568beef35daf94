"""What took too long for a chapter, measured beforehand: several seeds, several trainings."""

import json
from typing import Any

from cnnlab._data import DATA


def recorded(name: str) -> list[dict[str, Any]]:
    """The results of an experiment of tools/evidence, one dict per seed, each with its "seed".

    Raises RuntimeError if there is no such file; `make evidence` measures it. Chapters 02 to 16.
    """
    file = DATA / "evidence" / f"{name}.json"
    if not file.is_file():
        raise RuntimeError(f"there is no file {file}: `make evidence` measures it")
    return list(json.loads(file.read_text(encoding="utf-8"))["results"])
