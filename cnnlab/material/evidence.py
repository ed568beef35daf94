"""What took too long for a chapter, measured beforehand: several seeds, several trainings."""

import json
from typing import Any

from cnnlab._data import course_file


def recorded(name: str) -> list[dict[str, Any]]:
    """The results of an experiment of tools/evidence, one dict per seed, each with its "seed".

    Raises RuntimeError if the file is missing or altered; `make evidence` measures it. Chapters 02 to 16.
    """
    return list(json.loads(course_file(f"evidence/{name}.json"))["results"])
