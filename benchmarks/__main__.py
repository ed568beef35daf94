"""The course against its floor and against its peers: `make bench`, or `python -m benchmarks [NAME ...]`.

Every experiment is done in turn by us, by the floor and by each peer (A B C A B C ...), with the same threads, network
and number of steps; medians. The peers live in an environment of their own; without them their rows are left out.
"""

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

import torch

from benchmarks.measure import rows
from cnnlab._torchvision import torchvision  # noqa: F401  (before the peers import it: where its operators do not load)
from cnnlab.zoo.load import load_net

NAMES = ("maximization", "dreaming", "style", "attacks", "occlusion", "projections", "inversion", "scanning", "equal")
# 512 pixels take minutes and say nothing new
SIZES = {"style": (224,), "occlusion": (224,), "scanning": (224,), "equal": (224,)}


def main() -> None:
    """Print the table, row by row, and write it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--sizes", type=int, nargs="+", default=[224, 512], help="pixels (default: 224 512)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps (default: cpu)")
    parser.add_argument("--repeats", type=int, default=5, help="of which the median counts (default: 5)")
    parser.add_argument("--memory", action="store_true", help="peak memory, too: each in a process of its own (slow)")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="where the JSON goes")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(NAMES)):
        parser.error(f"unknown name {unknown[0]!r}: there are {', '.join(NAMES)}")

    net = load_net("squeezenet", arguments.device)
    print(f"{torch.get_num_threads()} threads, {arguments.device}, medians of {arguments.repeats}, ms")
    print(f"{'task':32} {'px':>4} {'ours':>9} {'floor':>9} {'ours/floor':>11} {'bar':>5}   peer, its time, peer/ours")
    table = []
    for name in arguments.names or NAMES:
        module = importlib.import_module(f"benchmarks.{name}")
        for size in sorted(set(arguments.sizes) & set(SIZES.get(name, arguments.sizes))):
            if name == "equal":  # there is no floor, and a table of its own
                for row in module.table(net, size, min(arguments.repeats, 3), arguments.out.parent):
                    table.append(row)
                    print(module.line(row), flush=True)
                continue
            for number, task in enumerate(module.tasks(net, size)):
                for row in rows(task, size, arguments.repeats):
                    if arguments.memory:
                        for who in ("ours", row["peer"]) if row["peer"] else ("ours",):
                            key = "ours_mib" if who == "ours" else "peer_mib"
                            row[key] = peak(name, number, size, arguments.device, str(who))
                    table.append(row)
                    print(line(row), flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def peak(name: str, number: int, size: int, device: str, who: str) -> float:
    """MiB that one of a task's works takes at most, above the loaded network, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.peak", name, str(number), str(size), device, who]
    return float(subprocess.check_output(command, text=True).splitlines()[-1])


def line(row: dict) -> str:
    """A row of the table as text."""
    mark = "✓" if row["holds"] else "✗"
    text = "{task:32} {size:4d} {ours_ms:9.1f} {floor_ms:9.1f} {ours_over_floor:9.2f} {mark} {bar:5.2f}".format(
        mark=mark, **row
    )
    if row["peer"]:
        text += "   {peer}, {peer_ms:.1f}, {peer_over_ours:.2f} x".format(**row)
    if "ours_mib" in row:
        text += f"; {row['ours_mib']:.0f} MiB" + (f", peer {row['peer_mib']:.0f} MiB" if row["peer"] else "")
    return text + "".join(f"; differs from {what} by {value:.0e}" for what, value in row["differences"].items())


if __name__ == "__main__":
    main()
