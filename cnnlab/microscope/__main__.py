"""Make a microscope: `python -m cnnlab.microscope --net squeezenet`, or `make microscope NET=squeezenet`."""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cnnlab._native import give_back_freed_memory
from cnnlab.files import load_image
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.microscope import site, work
from cnnlab.microscope.page import SETTINGS, path_of, write
from cnnlab.zoo.load import load_net

PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def main(arguments: list[str] | None = None) -> int:
    """Make the pages that are not there yet, and the site of all that are; 0 if all are there."""
    options = _parser().parse_args(arguments)
    folder = Path(options.out or f"build/microscope/{options.net}").expanduser()
    try:
        net = load_net(options.net, "cpu", options.weights)
        scope = work.focus(net, _photographs(options.photos), options.layers, options.size)
        _hold_on_to(folder, settings_of(scope, options.net))
    except (ValueError, RuntimeError, OSError) as error:
        print(f"microscope: {error}", file=sys.stderr)
        return 2
    give_back_freed_memory()  # of the photographs: the workers need it
    wanted = [(layer, number) for layer, numbers in work.batches(scope, options.channels) for number in numbers]
    missing = sum(not path_of(folder, layer, number).exists() for layer, number in wanted)
    try:
        if missing:
            with work.cluster(options.workers, options.scheduler) as client:
                pages = work.collect(scope, folder, client, options.channels)
                last = time.monotonic()
                for _ in tqdm(pages, "channels", total=len(wanted), initial=len(wanted) - missing, unit=" page"):
                    if time.monotonic() - last > 300:  # what is there can be looked at meanwhile
                        site.make_site(folder)
                        last = time.monotonic()
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
    except OSError as error:
        print(f"microscope: {error}", file=sys.stderr)
        return 2
    made = site.make_site(folder)
    print(f"{made} pages: open {folder / 'index.html'}")
    return int(any(not path_of(folder, layer, number).exists() for layer, number in wanted))


def settings_of(scope: work.Scope, name: str) -> dict[str, Any]:
    """What a folder's pages are made with: two runs whose settings are equal may share a folder."""
    weights = hashlib.sha256()
    for tensor in scope.net.model.state_dict().values():
        weights.update(tensor.contiguous().cpu().numpy().tobytes())
    return {
        "net": name,
        "weights": weights.hexdigest(),
        "size": scope.size,
        "photographs": sorted({crop.source for crop in scope.scanned.crops}),
        "layers": {layer: scope.channels(layer) for layer in scope.layers},
        "classes": scope.net.layers[-1],
        "labels": list(scope.net.labels or [f"class {number}" for number in range(scope.outputs)]),
    }


def _hold_on_to(folder: Path, settings: dict[str, Any]) -> None:
    """Write the settings into the folder; ValueError if it holds pages that were made with others."""
    file = folder / SETTINGS
    if file.exists():
        old = json.loads(file.read_text(encoding="utf-8"))
        if other := [key for key in settings if old.get(key) != settings[key]]:
            raise ValueError(f"{folder} holds pages with other {' and '.join(other)}: choose another folder with --out")
    write(file, json.dumps(settings) + "\n")


def _photographs(folder: str | None) -> dict:
    if folder is None:
        return {name: photo(name) for name in PHOTOS}
    files = sorted(file for file in Path(folder).expanduser().iterdir() if file.suffix.lower() in PICTURES)
    if not files:
        raise ValueError(f"--photos has no picture ({', '.join(PICTURES)}) in it: {folder}")
    return {file.stem: load_image(file) for file in files}


def _channels(text: str) -> range:
    first, _, end = text.partition(":")
    try:
        return range(int(first), int(end or int(first) + 1))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a channel (12) nor a range (0:32)") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m cnnlab.microscope", description="A page for every channel of a network."
    )
    parser.add_argument("--net", default="squeezenet", help="a name that load_net knows (squeezenet)")
    parser.add_argument("--weights", help="a file of your own parameters for this net")
    parser.add_argument(
        "--layers", nargs="+", default=(), help="names of layers, first to last (the blocks of the net)"
    )
    parser.add_argument("--channels", type=_channels, help="of each layer only these: 12, or 0:32 (all)")
    parser.add_argument("--size", type=int, default=128, help="pixels of a picture (128)")
    parser.add_argument("--photos", help="a folder of photographs to look for patches in (the course's 16)")
    parser.add_argument("--out", help="where the pages go (build/microscope/NET)")
    parser.add_argument("--workers", type=int, help="processes on this machine (one for each core)")
    parser.add_argument("--scheduler", help="a running Dask scheduler instead: tcp://host:8786")
    return parser


if __name__ == "__main__":
    sys.exit(main())
