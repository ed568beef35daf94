"""Make a microscope: `python -m cnnlab.microscope --net squeezenet`, or `make microscope NET=squeezenet`."""

import argparse
import json
import sys
import time
from pathlib import Path

from tqdm import tqdm

from cnnlab._native import give_back_freed_memory
from cnnlab.files import load_image
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.microscope import site, work
from cnnlab.microscope.page import path_of, write
from cnnlab.zoo.load import load_net

PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def main(arguments: list[str] | None = None) -> int:
    """Make the pages that are not there yet, and the site of all that are; 0 if all are there."""
    options = _parser().parse_args(arguments)
    folder = Path(options.out or f"build/microscope/{options.net}").expanduser()
    try:
        net = load_net(options.net, "cpu", options.weights)
        scope = work.focus(net, _photographs(options.photos), options.layers, options.size)
        _hold_on_to(folder, scope, options.net)
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
                        site.make_site(folder, options.net, scope)
                        last = time.monotonic()
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
    except OSError as error:
        print(f"microscope: {error}", file=sys.stderr)
        return 2
    made = site.make_site(folder, options.net, scope)
    print(f"{made} pages: open {folder / 'index.html'}")
    return int(any(not path_of(folder, layer, number).exists() for layer, number in wanted))


def _hold_on_to(folder: Path, scope: work.Scope, name: str) -> None:
    """Write what the folder's pages are made with; ValueError if it holds those of something else."""
    file = folder / "microscope.json"
    settings = {"net": name, "size": scope.size, "layers": list(scope.layers), "labels": list(scope.net.labels or ())}
    if file.exists() and (old := json.loads(file.read_text(encoding="utf-8"))) != settings:
        kept = {key: old[key] for key in ("net", "size", "layers")}
        raise ValueError(f"{folder} holds a microscope made with {kept}: choose another folder with --out")
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
        return range(int(first), int(end)) if end else range(int(first) + 1)[-1:]
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
