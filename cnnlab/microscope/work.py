"""Make the pages of a net's channels, batch by batch, on one machine or on a cluster (Dask)."""

import logging
import os
import secrets
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import dask
import torch
from distributed import Client, LocalCluster, WorkerPlugin, as_completed, get_worker
from torch import Tensor

from cnnlab._native import keep_freed_memory
from cnnlab.descent import score
from cnnlab.images import crop_to
from cnnlab.microscope import measures
from cnnlab.microscope.page import pack, packed, path_of, sheet, write
from cnnlab.microscope.recipe import Views, portraits, texture_sheets
from cnnlab.nets import Net
from cnnlab.objectives import channel as mean_of
from cnnlab.techniques import relu_rules
from cnnlab.techniques.patches import Patch, Scan, cut_crops, strongest_patches

BATCH = 8  # channels that are computed together; the batches are the same whoever computes them
LINKS = 8  # of a kind that a page shows
PATIENCE = "20s"  # for a scheduler to answer


@dataclass(frozen=True)
class Scope:
    """What is looked at, and with what: all that a worker needs. Make one with `focus`.

    Attributes:
        net: the net.
        layers: first to last; a channel of a layer is made of channels of the one before.
        scanned: the strongest neurons of all channels in the crops, which are kept as bytes, 0 to 255.
        photograph: (1, 3, size, size), whose code the textures rearrange.
        size: pixels of a picture.
    """

    net: Net
    layers: tuple[str, ...]
    scanned: Scan
    photograph: Tensor
    size: int

    @cached_property
    def views(self) -> Views:
        return Views(self.net)

    @cached_property
    def projecting(self) -> Net:
        """The deconvnet, or the net itself where there is no ReLU: then a projection is the true gradient."""
        try:
            return relu_rules.deconvnet(self.net)
        except ValueError:
            return self.net

    @property
    def look(self) -> str:
        """The layer in whose eyes two pictures look alike: the middle one."""
        return self.layers[len(self.layers) // 2]

    @property
    def outputs(self) -> int:
        """How many numbers the net gives for an image: its classes."""
        with torch.inference_mode():
            return self.net(self.photograph).flatten(1).shape[1]

    def channels(self, layer: str) -> int:
        return self.scanned.values[layer].shape[1]


def focus(
    net: Net, photographs: Mapping[str, Tensor], layers: Sequence[str] = (), size: int = 128, *, progress: bool = True
) -> Scope:
    """Get ready: cut the photographs into crops and let the net see each of them once.

    Args:
        net: the net, on the CPU if workers of other machines shall have it.
        photographs: name -> (1, 3, H, W); the first one gives the textures their code.
        layers: first to last; none named: `weighty_layers`.
        size: pixels of a picture and of a crop, at least 32.

    Raises ValueError for an unknown layer, or no photograph.
    """
    if not photographs:
        raise ValueError("photographs must be one at least: name -> (1, 3, H, W)")
    if size < 32:
        raise ValueError(f"size must be at least 32 pixels, not {size}")
    named = tuple(layers) or tuple(measures.weighty_layers(net))
    for layer in named:
        net.graph.node(layer)  # raises the error that lists the layers
    crops = cut_crops(photographs, (size, size * 3 // 2, size * 2), size)
    scanned = measures.survey(net, crops, named, progress=progress)
    # A crop travels to the workers: alone, as a view would take its whole photograph along, and in bytes.
    stored = tuple(replace(crop, image=(255 * crop.image).round().byte()) for crop in crops)
    return Scope(net, named, replace(scanned, crops=stored), crop_to(next(iter(photographs.values())), size), size)


def examine(scope: Scope, layer: str, channels: Sequence[int]) -> dict[int, bytes]:
    """The pages of some channels of one layer: channel -> file."""
    pictures = portraits(scope.net, scope.views, layer, channels, scope.size)
    has_maps = scope.net.activations(scope.photograph, [layer])[layer].ndim == 4
    textures = texture_sheets(scope.net, scope.views, layer, channels, scope.photograph) if has_maps else None
    looks = scope.net.activations(pictures[:, 0], [scope.look])[scope.look].flatten(2).mean(2)
    linked = measures.together(scope.scanned, layer, channels, LINKS)
    pages = {}
    for i, channel in enumerate(channels):
        patches = [_in_floats(patch) for patch in strongest_patches(scope.scanned, layer, channel)]
        peak = float(scope.scanned.values[layer][:, channel].max())
        excited = -score(scope.net, -mean_of(layer, channel), pictures[i])
        record: dict[str, Any] = {
            "layer": layer,
            "channel": channel,
            "peak": _short(peak),
            "excited": [_short(value) for value in excited.tolist()],
            "patches": [[p.crop.source, round(100 * p.value / peak)] for p in patches],
            "together": [[link.layer, link.channel, round(link.strength, 2)] for link in linked[i]],
            "look": packed(looks[i]),
        }
        projections: list[Tensor] = []
        if patches:
            projections = measures.projections(scope.projecting, layer, channel, patches)
            record |= _behind_and_before(scope, layer, channel, patches)
        image = sheet(
            pictures[i], None if textures is None else textures[i], [patch.image for patch in patches],
            [_shown(one) for one in projections],
        )  # fmt: skip
        pages[channel] = pack(image, record)
    return pages


def _behind_and_before(scope: Scope, layer: str, channel: int, patches: Sequence[Patch]) -> dict[str, Any]:
    """Which classes the channel votes for, and what it is made of, in its own strongest crops."""
    rest, found = measures.Rest(scope.net, torch.cat([patch.crop.image for patch in patches])), dict[str, Any]()
    if layer != scope.net.layers[-1]:
        found["votes"] = _strongest(measures.votes(rest, layer, channel), LINKS // 2)
    place = scope.layers.index(layer)
    if place:
        weights = measures.made_of(rest, layer, scope.layers[place - 1], channel, patches)
        found["made_of"] = _strongest(100 * weights / weights.abs().sum().clamp(min=1e-12), LINKS // 2)
    return found


def _in_floats(patch: Patch) -> Patch:
    """The patch of a crop in [0, 1]."""
    return replace(patch, crop=replace(patch.crop, image=patch.crop.image.float() / 255))


def _strongest(values: Tensor, count: int) -> list[list[float]]:
    """The numbers and values of the largest entries, and then of the smallest below 0."""
    order = values.argsort(descending=True).tolist()
    chosen = [i for i in order[:count] if values[i] > 0] + [i for i in reversed(order[-count:]) if values[i] < 0]
    return [[i, _short(float(values[i]))] for i in chosen]


def batches(scope: Scope, channels: range | None = None) -> list[tuple[str, list[int]]]:
    """What there is to do, layer by layer: the same batches whatever is done already and whoever does them."""
    found = []
    for layer in scope.layers:
        numbers = [n for n in range(scope.channels(layer)) if channels is None or n in channels]
        found += [(layer, numbers[i : i + BATCH]) for i in range(0, len(numbers), BATCH)]
    return found


def collect(scope: Scope, folder: Path, client: Client, channels: range | None = None) -> Iterator[tuple[str, int]]:
    """Make the pages that are not there yet, and give (layer, channel) of each as soon as it is written.

    The net travels once to each worker. A batch whose worker dies is given to another one.

    Args:
        scope: as `focus` makes it.
        folder: where the pages go. Those that are there stay.
        client: of a Dask cluster; `cluster` makes one of this machine.
        channels: only these of each layer; None: all.
    """
    missing = [
        (layer, numbers, absent)
        for layer, numbers in batches(scope, channels)
        if (absent := [n for n in numbers if not path_of(folder, layer, n).exists()])
    ]
    name = f"microscope-{secrets.token_hex(4)}"  # a second run of a client computes anew
    client.register_plugin(_Carrier(scope, name))
    tasks = {
        client.submit(_examine_carried, name, layer, numbers, key=f"{name}-{layer}-{numbers[0]}", retries=2): (
            layer,
            absent,
        )
        for layer, numbers, absent in missing
    }
    try:
        for task, pages in as_completed(tasks, with_results=True):
            layer, absent = tasks.pop(task)
            for number in absent:
                write(path_of(folder, layer, number), pages[number])
                yield layer, number
    finally:
        client.cancel(list(tasks))
        client.unregister_worker_plugin(name)


class _Carrier(WorkerPlugin):
    """Brings the scope to each worker once, also to one that comes later, or instead of one that died."""

    def __init__(self, scope: Scope, name: str):
        self.scope, self.name = scope, name

    def setup(self, worker: Any) -> None:
        torch.set_num_threads(1)  # a worker is one thread; a convolution's last digit may depend on their number
        # Dask lets malloc give freed memory back at once: steps of thousands of page faults, twice the time.
        os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)
        keep_freed_memory()
        warnings.filterwarnings("ignore", "the gradient of")  # a silent channel's page shows that it is silent
        setattr(worker, self.name, self.scope)

    def teardown(self, worker: Any) -> None:
        delattr(worker, self.name)


def _examine_carried(name: str, layer: str, channels: Sequence[int]) -> dict[int, bytes]:
    return examine(getattr(get_worker(), name), layer, channels)


@contextmanager
def cluster(workers: int | None = None, scheduler: str | None = None) -> Iterator[Client]:
    """A Dask client: of a running scheduler ("tcp://host:8786"), or of a new cluster of this machine.

    Each worker is a process with one thread: two of them make more pages than one with two threads, and a page's bytes
    do not depend on how many there are.

    Args:
        workers: how many; None: one for each core.
    """
    if scheduler is not None:
        with Client(scheduler, timeout=PATIENCE) as client:
            yield client
        return
    count = workers or os.cpu_count() or 1
    with (
        # Otherwise Dask would put its wishes for malloc and for threads into the environment of this process, for good.
        dask.config.set({"distributed.nanny.pre-spawn-environ": {}}),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            dashboard_address=None,
            memory_limit=None,
            silence_logs=logging.CRITICAL,
        ) as local,
        Client(local) as client,
    ):
        yield client


def _shown(projection: Tensor) -> Tensor:
    """A projection as colors, gray where it is 0. One number in a hundred is cut off, or a few would make all gray."""
    most = projection.abs().flatten().quantile(0.99).clamp(min=1e-12)
    return (0.5 + projection / (2 * most)).clamp(0, 1)


def _short(value: float) -> float:
    return float(f"{value:.3g}")
