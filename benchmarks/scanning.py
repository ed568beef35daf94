"""The scan of crops of all photographs for the strongest patches of every channel."""

from collections.abc import Iterator

import torch

from benchmarks.measure import Task, truncated
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.nets import Net
from cnnlab.techniques.patches import BATCH, cut_crops, scan

LAYERS = ("fire2", "fire3", "fire5", "fire7", "fire9")


def tasks(net: Net, size: int) -> Iterator[Task]:
    """The floor: the crops once through the net, in the same batches, and nothing remembered."""
    crops = cut_crops({name: photo(name) for name in PHOTOS[:6]}, (size, size * 3 // 2), size)
    chain = truncated(net, LAYERS[-1])

    def floor() -> None:
        with torch.inference_mode():
            for start in range(0, len(crops), BATCH):
                batch = torch.cat([crop.image for crop in crops[start : start + BATCH]]).to(net.device)
                chain(batch.contiguous(memory_format=torch.channels_last))

    yield Task(
        f"scan {len(crops)} crops for five layers", lambda: scan(net, crops, LAYERS, progress=False), floor, 1.10
    )
