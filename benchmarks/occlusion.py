"""Occlusion against the plain way and against captum's: `python -m benchmarks.occlusion`.

SqueezeNet, 224 pixels, patch 32, stride 8: 625 places, the probability of the photograph's class. captum is no part of
the course: install it into an environment of its own beside the package; without it that line is left out. Its results
are compared, too. The times are taken in turn (A B C A B C ...); the ratio of medians counts: at least 4 to captum's.
"""

import json
import sys
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.loop import interleaved
from cnnlab.images import photo
from cnnlab.nets import Net, load_net
from cnnlab.objectives import cross_entropy
from cnnlab.occlusion import cover, occlusion, places

PATCH, STRIDE, REPEATS = 32, 8, 3


def plain(net: Net, image: Tensor, label: int, batch: int) -> Tensor:
    """Every covered image whole through the net: probabilities (rows, columns)."""
    tops, lefts = places(image, PATCH, STRIDE)
    spots = [(top, left) for top in tops for left in lefts]
    found = []
    with torch.inference_mode():
        for start in range(0, len(spots), batch):
            covered = [cover(image, top, left, PATCH) for top, left in spots[start : start + batch]]
            found.append(net.probabilities(torch.cat(covered))[:, label])
    return torch.cat(found).view(len(tops), len(lefts))


def captums(net: Net, image: Tensor, label: int, batch: int) -> Tensor:
    """The attributions of captum's Occlusion, (1, 3, H, W): the drop of the probability, averaged over the patches."""
    from captum.attr import Occlusion

    window = (3, PATCH, PATCH)
    with torch.inference_mode():
        return Occlusion(net.probabilities).attribute(
            image, window, (3, STRIDE, STRIDE), baselines=0.5, target=label, perturbations_per_eval=batch
        )


def spread(drops: Tensor, size: int) -> Tensor:
    """Drops (rows, columns) as captum shows them: each pixel has the mean over the patches that covered it."""
    total, count = torch.zeros(2, size, size)
    for row, column in torch.cartesian_prod(*(torch.arange(n) for n in drops.shape)).tolist():
        square = (slice(row * STRIDE, row * STRIDE + PATCH), slice(column * STRIDE, column * STRIDE + PATCH))
        total[square] += drops[row, column]
        count[square] += 1
    return total / count


def main() -> None:
    """Print one row per method, and the same as JSON."""
    net, image = load_net("squeezenet", "cpu"), photo("cat", 224)
    label = net.index("Egyptian cat")
    probability = float(net.probabilities(image)[0, label])

    def ours() -> Tensor:
        return torch.exp(-occlusion(net, image, cross_entropy(label), patch=PATCH, stride=STRIDE, progress=False))

    tasks: dict[str, Callable[[], Tensor]] = {"cnnlab": ours, "plain, batch 25": lambda: plain(net, image, label, 25)}
    print(f"largest difference to the plain way: {(ours() - tasks['plain, batch 25']()).abs().max():.1e}")
    try:
        found = captums(net, image, label, 25)[0, 0]
    except ImportError:
        print("captum is not installed here")
    else:
        print(f"largest difference to captum's: {(spread(probability - ours(), 224) - found).abs().max():.1e}")
        for batch in (1, 25):
            tasks[f"captum, batch {batch}"] = lambda batch=batch: captums(net, image, label, batch)
    medians = interleaved(tasks, int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS)
    rows = [{"method": name, "s": s, "times_ours": s / medians["cnnlab"]} for name, s in medians.items()]
    for row in rows:
        print("{method:16} {s:6.2f} s  {times_ours:.2f} x".format(**row))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
