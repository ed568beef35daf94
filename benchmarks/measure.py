"""Times taken in turn (A B A B ...), and the rows made of them."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    """One row per peer, and one where there is none: medians in ms, and the medians of the rounds' ratios."""
    times = interleaved({"ours": task.ours, "floor": task.floor, **task.peers}, repeats)
    over_floor = ratio(times["ours"], times["floor"])
    differences = {name: difference() for name, difference in task.differences.items()}
    common = {"task": task.name, "size": size, "ours_ms": milliseconds(times["ours"]),
              "floor_ms": milliseconds(times["floor"]), "ours_over_floor": over_floor, "bar": task.bar,
              "holds": over_floor <= task.bar, "differences": differences}  # fmt: skip
    for peer in task.peers:
        measured = {"peer_ms": milliseconds(times[peer]), "peer_over_ours": ratio(times[peer], times["ours"])}
        yield common | {"peer": peer} | measured
    if not task.peers:
        yield common | {"peer": "", "peer_ms": None, "peer_over_ours": None}


def difference(one: Callable[[], Tensor], other: Callable[[], Tensor]) -> float:
    """The largest between the results of two calls."""
    return (one().cpu() - other().cpu()).abs().max().item()


def interleaved(tasks: Mapping[str, Work], repeats: int) -> dict[str, list[float]]:
    """Seconds of each task in each round, taken in turn after one warm-up."""
    for work in tasks.values():
        work()
    rounds = [{name: seconds(work) for name, work in tasks.items()} for _ in range(repeats)]
    return {name: [times[name] for times in rounds] for name in tasks}


def ratio(times: Sequence[float], others: Sequence[float]) -> float:
    """Median over the rounds of time / other time: a machine that slows down for a while slows both of a round."""
    return statistics.median(time / other for time, other in zip(times, others, strict=True))


def milliseconds(times: Sequence[float]) -> float:
    """Their median, in ms."""
    return 1000 * statistics.median(times)


def seconds(work: Work) -> float:
    """Wall time of one call, accelerators included."""
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def truncated(net: Net, layer: str) -> nn.Sequential:
    """The same modules, as far as the layer."""
    return net.model[: net.layers.index(layer) + 1]


def as_people_have_it(net: Net) -> nn.Sequential:
    """A copy as it comes out of torchvision: parameters that want gradients, contiguous memory."""
    import copy

    chain = copy.deepcopy(net.model).to(memory_format=torch.contiguous_format)
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
    """The pattern of the well-known visualization repositories: a forward hook, the whole network, all gradients."""
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
