"""Times taken in turn (A B A B ...), and the rows made of them."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from cnnlab.nets import Net

Work = Callable[[], object]


@dataclass(frozen=True)
class Task:
    """One experiment, done by us, by the floor, and by what people use today.

    Attributes:
        name: what is done.
        ours: with the course's package.
        floor: the least that must be calculated, written out and nothing else: N x (forward of the truncated net +
            backward to the input alone), unless the task says otherwise.
        bar: ours / floor, at most.
        peers: the same with other packages, or with the pattern that tutorials teach.
        differences: what must be equal to ours -> a function that gives the largest difference.
    """

    name: str
    ours: Work
    floor: Work
    bar: float
    peers: Mapping[str, Work] = field(default_factory=dict)
    differences: Mapping[str, Callable[[], float]] = field(default_factory=dict)


def rows(task: Task, size: int, repeats: int) -> Iterator[dict[str, object]]:
    """One row per peer, and one where there is none: medians in ms, and the two ratios."""
    medians = interleaved({"ours": task.ours, "floor": task.floor, **task.peers}, repeats)
    ours, floor = medians.pop("ours"), medians.pop("floor")
    differences = {name: difference() for name, difference in task.differences.items()}
    common = {"task": task.name, "size": size, "ours_ms": 1000 * ours, "floor_ms": 1000 * floor,
              "ours_over_floor": ours / floor, "bar": task.bar, "holds": ours / floor <= task.bar,
              "differences": differences}  # fmt: skip
    for peer, seconds in medians.items() or [("", None)]:
        times = {"peer_ms": seconds and 1000 * seconds, "peer_over_ours": seconds and seconds / ours}
        yield common | {"peer": peer} | times


def difference(one: Callable[[], Tensor], other: Callable[[], Tensor]) -> float:
    """The largest between the results of two calls."""
    return (one().cpu() - other().cpu()).abs().max().item()


def interleaved(tasks: Mapping[str, Work], repeats: int) -> dict[str, float]:
    """Median seconds of each task, taken in turn after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for work in tasks.values():
        work()
    for _ in range(repeats):
        for name, work in tasks.items():
            times[name].append(seconds(work))
    return {name: statistics.median(values) for name, values in times.items()}


def seconds(work: Work) -> float:
    """Wall time of one call, accelerators included."""
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def truncated(net: Net, layer: str) -> nn.Sequential:
    """The same modules, as far as the layer."""
    return net.chain[: net.layers.index(layer) + 1]


def as_people_have_it(net: Net) -> nn.Sequential:
    """A copy as it comes out of torchvision: parameters that want gradients, contiguous memory."""
    import copy

    chain = copy.deepcopy(net.chain).to(memory_format=torch.contiguous_format)
    return chain.requires_grad_(True)


def gradients(net: Net, layer: str, image: Tensor, score: Callable[[Tensor], Tensor], times: int) -> Tensor:
    """The floor of most tasks: `times` x (forward to `layer`, score, backward to the image alone)."""
    chain = truncated(net, layer)
    image = image.to(net.device).contiguous(memory_format=torch.channels_last)
    for _ in range(times):
        x = image.detach().requires_grad_()
        (grad,) = torch.autograd.grad(score(chain(x)), x)
    return grad


def hook_and_adam(
    net: Net, layer: str, image: Tensor, score: Callable[[Tensor], Tensor], steps: int, rate: float
) -> Callable[[], Tensor]:
    """The pattern of the well-known visualisation repositories: a forward hook, the whole network, all gradients."""
    chain = as_people_have_it(net)

    def work() -> Tensor:
        found: dict[str, Tensor] = {}
        handle = chain.get_submodule(layer).register_forward_hook(lambda *call: found.update(a=call[-1]))
        pixels = image.to(net.device, copy=True).requires_grad_()
        optimizer = torch.optim.Adam([pixels], lr=rate)
        for _ in range(steps):
            optimizer.zero_grad()
            chain(pixels)
            score(found["a"]).backward()
            optimizer.step()
        handle.remove()
        return pixels.detach()

    return work
