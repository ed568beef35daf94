"""The pages as a site: plain files that a browser shows without a server and without a network."""

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch

from cnnlab.microscope.page import SETTINGS, pages_in, record_of, unpacked, write

STATIC = Path(__file__).parent / "static"
ALIKE = 8  # channels whose pictures look like one's own
PER_CLASS = 24  # channels that a search for a class shows


def records(folder: Path) -> dict[str, dict[int, dict[str, Any]]]:
    """What was measured of the channels whose pages are there: layer -> channel -> record."""
    found: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for file in pages_in(folder):
        record = record_of(file)
        found[record["layer"]][record["channel"]] = record
    return dict(found)


def make_site(folder: Path) -> int:
    """Write index.html and its data beside the pages that are there in a microscope's folder, and give their number."""
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    layers = list(settings["layers"])
    found = records(folder)
    made = [(layer, number) for layer in layers for number in found.get(layer, {})]
    _add_what_looks_alike(found, made)
    classes: dict[int, list[Any]] = defaultdict(list)
    for layer, number in made:
        for index, vote in found[layer][number].get("votes", []):
            if vote > 0:
                classes[int(index)].append([layer, number, vote])
    shown = {index: sorted(rows, key=lambda row: -row[2])[:PER_CLASS] for index, rows in sorted(classes.items())}
    for layer in layers:
        rows = list(found.get(layer, {}).values())
        _write_data(folder, f"layer-{layers.index(layer)}", f"addLayer({json.dumps(layer)},{_text(rows)})")
    about = {
        "title": settings["net"],
        "size": settings["size"],
        "layers": [
            {"name": layer, "channels": count, "made": sorted(found.get(layer, {}))}
            for layer, count in settings["layers"].items()
        ],
        "labels": settings["labels"],
        "classes": settings["classes"],
    }
    _write_data(folder, "about", f"addAbout({_text(about)})")
    _write_data(folder, "classes", f"addClasses({_text(shown)})")
    for file in STATIC.iterdir():
        if file.suffix in (".html", ".js", ".css"):
            shutil.copyfile(file, folder / file.name)
    return len(made)


def _add_what_looks_alike(found: dict[str, dict[int, dict[str, Any]]], made: list[tuple[str, int]]) -> None:
    """For each channel, those whose pictures the net's middle layer finds most alike (cosine of its means)."""
    if len(made) < 2:
        return
    looks = torch.stack([unpacked(found[layer][number].pop("look")) for layer, number in made])  # (N, maps)
    looks = looks - looks.mean(dim=0)  # what all pictures have in common says nothing
    looks = looks / looks.norm(dim=1, keepdim=True).clamp(min=1e-12)
    for start in range(0, len(made), 512):
        cosines = looks[start : start + 512] @ looks.T
        cosines[torch.arange(len(cosines)), torch.arange(start, start + len(cosines))] = -1
        best = cosines.topk(min(ALIKE, len(made) - 1))
        for row, (layer, number) in enumerate(made[start : start + 512]):
            pairs = zip(best.indices[row].tolist(), best.values[row].tolist(), strict=True)
            found[layer][number]["alike"] = [[*made[i], round(value, 2)] for i, value in pairs if value > 0]


def _write_data(folder: Path, name: str, call: str) -> None:
    """A script instead of JSON: a page that was opened from disk may not read a JSON file."""
    write(folder / "data" / f"{name}.js", f"microscope.{call};\n")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
