"""Time to an equal result: how long ours takes until its image is as good as what people use makes it.

A `Race` lets ours and the peers run in turn. While an image is judged, the clock stands still. The result is the best
one so far, the target is the best one that the peer reaches, and its time is when it reaches it.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from importlib import import_module
from importlib.util import find_spec
from operator import add
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn

from benchmarks.measure import as_people_have_it, ratio
from benchmarks.style import CONTENT, STYLES, tutorial
from cnnlab.descent import descend
from cnnlab.images import gray, noise, resize
from cnnlab.material.paintings import painting
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.nets import Net
from cnnlab.objectives import Activations, Objective, channel, code, custom
from cnnlab.parametrizations import spectrum
from cnnlab.runs import Run
from cnnlab.steps import Evaluate, StepRule, Update, adam, lbfgs
from cnnlab.techniques.adversarial import smallest
from cnnlab.techniques.gram_style import gram, style
from cnnlab.techniques.stages import carry
from cnnlab.transforms import compose, jitter, wobble
from cnnlab.zoo.load import load_net

BAR = 1 / 3  # of the peer's time, at most
Judge = Callable[[Any], Tensor]  # of what `Watch.look` is shown: one number per image, the smaller the better


class Watch:
    """A stopwatch that stands still while an image is judged, at every so many looks."""

    def __init__(self, judges: Mapping[str, Judge], every: int):
        self.judges, self.every = judges, every
        self.times: list[float] = []
        self.values: dict[str, list[Tensor]] = {name: [] for name in judges}
        self.looks, self.stood, self.start = 0, 0.0, time.perf_counter()

    def look(self, shown: Callable[[], Any]) -> None:
        """Note the time, and what the judges say."""
        self.looks += 1
        if self.looks % self.every:
            return
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now = time.perf_counter()
        self.times.append(now - self.start - self.stood)
        with torch.no_grad():
            for name, judge in self.judges.items():
                self.values[name].append(judge(shown()).cpu())
        self.stood += time.perf_counter() - now

    def best(self, name: str) -> list[float]:
        """The best value up to each look, the median over the images."""
        best = torch.stack(self.values[name]).cummin(0).values.quantile(0.5, dim=1)
        return best.nan_to_num(nan=math.inf).tolist()  # NaN: between a finite and an infinite one

    def reached(self, name: str, target: float) -> float:
        """Seconds until the value was as good; infinite if it never was."""
        good = (moment for moment, value in zip(self.times, self.best(name), strict=True) if value <= target)
        return next(good, math.inf)


Try = Callable[[Watch], object]


@dataclass(frozen=True)
class Race:
    """One task for ours and for the peers, all by name.

    Attributes:
        judges: what is measured, by how it is called in the table.
        every: how many looks (steps of ours, evaluations of a peer) lie between two that are judged.
    """

    name: str
    judges: Mapping[str, Judge]
    ours: Mapping[str, Try]
    peers: Mapping[str, Try]
    every: int = 1


def table(net: Net, size: int, repeats: int, folder: Path) -> Iterator[dict[str, object]]:
    """One row for each race, judge, peer and way of ours; the curves are drawn into the folder."""
    for race in races(net, size):
        tries = {**race.ours, **race.peers}
        rounds: list[dict[str, Watch]] = []
        for _ in range(repeats):
            watches = {}
            for name, attempt in tries.items():
                watches[name] = Watch(race.judges, race.every)
                attempt(watches[name])
            rounds.append(watches)
        draw(race, rounds[-1], folder)
        for judge in race.judges:
            for peer in race.peers:
                for mine in race.ours:
                    yield compared(race, judge, mine, peer, rounds, size)


def compared(race: Race, judge: str, mine: str, peer: str, rounds: Sequence[Mapping[str, Watch]], size: int) -> dict:
    """Times until the peer's best value, the median of their ratio over the rounds, and whether it is low enough."""
    target = rounds[0][peer].best(judge)[-1]  # the values are the same in all rounds
    ours = [watches[mine].reached(judge, target) for watches in rounds]
    theirs = [watches[peer].reached(judge, target) for watches in rounds]
    share = ratio(ours, theirs)
    return {"task": f"{race.name}: {judge}", "size": size, "ours": mine, "peer": peer, "value": target,
            "ours_s": sorted(ours)[len(ours) // 2], "peer_s": sorted(theirs)[len(theirs) // 2],
            "ours_over_peer": share, "bar": BAR, "holds": share <= BAR}  # fmt: skip


def line(row: Mapping[str, Any]) -> str:
    """A row of the table as text."""
    return (
        "{task:52} {value:10.4g}  {peer}, {peer_s:.2f} s   {ours}, {ours_s:.2f} s {ours_over_peer:6.2f} {mark}".format(
            mark="✓" if row["holds"] else "✗", **row
        )
    )


def draw(race: Race, watches: Mapping[str, Watch], folder: Path) -> None:
    """The curves of one round over time, a picture for each race."""
    figure = Figure(figsize=(5 * len(race.judges), 3.5), layout="constrained")
    for axis, judge in zip(figure.subplots(1, len(race.judges), squeeze=False)[0], race.judges, strict=True):
        for name, watch in watches.items():
            axis.plot(watch.times, watch.best(judge), "-" if name in race.ours else "--", label=name)
        axis.set(title=race.name, xlabel="seconds", ylabel=judge, xscale="log")
        if min(watch.best(judge)[-1] for watch in watches.values()) > 0:
            axis.set_yscale("log")
        axis.legend(fontsize="small")
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"equal-{race.name.replace(' ', '-')}.png")


def races(net: Net, size: int) -> Iterator[Race]:
    """All of them."""
    yield style_race(net, size)
    for layer, number in (("fire5", 12), ("fire9", 23)):  # of fire9 one that lucent's start does not leave silent
        yield maximization_race(net, size, layer, number)
    yield inversion_race(net, size)
    yield attack_race(net, size)


def watched(make: Callable[[], Run]) -> Try:
    """A run of ours, looked at after each step."""

    def attempt(watch: Watch) -> None:
        run = make()
        for _ in run:
            watch.look(lambda: run.image)

    return attempt


# ------------------------------------------------------------------------------------------------------------ style

EVALUATIONS, OCTAVE_STEPS = 300, 100  # of the tutorial; of ours at each of three sizes
SEEN = ("block1_1", "block2_2", "block3_2", "block5_3")  # where EfficientNet-Lite0 looks


def style_race(net: Net, size: int) -> Race:
    """The usual tutorial's own loss, and how near the Gram matrices of a network come that nobody optimizes."""
    image, painted = photo("china", size).to(net.device), painting("swirls", size).to(net.device)
    found, content = net.activations(painted, STYLES), net.activations(image, [CONTENT])[CONTENT]
    loss = tutorial_loss(net, image, painted)
    other = load_net("efficientnet_lite0", str(net.device))
    grams = {layer: gram(maps) for layer, maps in other.activations(painted, SEEN).items()}
    apart = 1 / len(SEEN) * reduce(add, (style(layer, target) for layer, target in grams.items()))

    def of_our_net(shown: Tensor) -> Tensor:
        shown = resize(shown.clamp(0, 1), size)
        return loss.score(shown, net.run(shown, loss.layers))

    def of_other_net(shown: Tensor) -> Tensor:
        shown = resize(shown.clamp(0, 1), size)
        return apart.score(shown, other.run(shown, apart.layers))

    def octave(start: Tensor, _: int) -> Run:
        side = start.shape[-1]
        objective = tutorial_loss(net, resize(image, side), resize(painted, side))
        return descend(net, objective, start, steps=OCTAVE_STEPS, step=lbfgs())

    return Race(
        "style",
        {"the tutorial's own loss": of_our_net, "Gram distance in EfficientNet-Lite0": of_other_net},
        {
            "L-BFGS in three octaves": watched(lambda: carry(octave, image, octaves=3, scale=2)),
            "L-BFGS": watched(lambda: descend(net, loss, image, steps=400, step=lbfgs())),
        },
        {"tutorial": lambda watch: tutorial(net, image, content, found, EVALUATIONS, watch.look)()},
        every=5,
    )


def tutorial_loss(net: Net, image: Tensor, painted: Tensor) -> Objective:
    """The tutorial's loss as an objective of ours: 1e6 times the mean squared difference of the Gram matrices / N.

    N is the number of channels: with the mean over N x N entries, our relative distance counts 1e6 |target|^2 / N^4.
    """
    content = net.activations(image, [CONTENT])[CONTENT]
    loss = content.square().mean().item() * code(CONTENT, content)
    for layer, maps in net.activations(painted, STYLES).items():
        target = gram(maps)
        loss += 1e6 * target.square().sum().item() / target.shape[1] ** 4 * style(layer, target)
    return loss


# ----------------------------------------------------------------------------------------- activation maximization

LUCENT_STEPS, STEPS, RATE = 512, 320, 0.4


def maximization_race(net: Net, size: int, layer: str, number: int) -> Race:
    """The activation under shifts, turns, scales and noise that no training has used."""
    changes = unseen(16, size)
    start = noise((1, 3, size, size), torch.Generator().manual_seed(0))

    def judge(shown: Tensor) -> Tensor:
        changed = torch.cat([change(shown.clamp(0, 1)) for change in changes])
        return -net.activations(changed, [layer])[layer][:, number].mean().view(1)

    def ours() -> Run:
        return descend(
            net, -channel(layer, number), start, steps=STEPS, step=adam(RATE), parametrization=spectrum(),
            transform=compose(jitter(8), wobble(10, 1.1)),
        )  # fmt: skip

    peers = {"torch-lucent": partial(lucent, net, size, layer, number)} if find_spec("lucent") else {}
    return Race(
        f"maximize {layer}",
        {"minus the activation under unseen changes": judge},
        {f"spectrum, Adam({RATE})": watched(ours)},
        peers,
        every=8,
    )


def unseen(count: int, size: int) -> list[Callable[[Tensor], Tensor]]:
    """Fixed changes: a shift by up to 16 pixels, a turn by up to 12 degrees, a scale of up to 1.2, noise of 0.05."""
    generator = torch.Generator().manual_seed(1234)

    def change(image: Tensor, matrix: Tensor, grain: Tensor) -> Tensor:
        grid = F.affine_grid(matrix.to(image), [1, 3, size, size], align_corners=False)
        moved = F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)
        return (moved + grain.to(image)).clamp(0, 1)

    changes: list[Callable[[Tensor], Tensor]] = []
    for _ in range(count):
        down, right = (torch.randint(-16, 17, (2,), generator=generator) * 2 / size).tolist()
        turn, grow = (2 * torch.rand(2, generator=generator) - 1).tolist()
        cos, sin = (1.2**grow * part(math.radians(12 * turn)) for part in (math.cos, math.sin))
        grain = 0.05 * torch.randn((1, 3, size, size), generator=generator)
        changes.append(partial(change, matrix=torch.tensor([[[cos, -sin, right], [sin, cos, down]]]), grain=grain))
    return changes


def lucent(net: Net, size: int, layer: str, number: int, watch: Watch) -> None:
    """torch-lucent's render_vis as it comes, with its transforms; the network has its normalization inside."""
    import random

    import numpy as np
    from lucent.optvis import param, render

    kornia = import_module("kornia")
    for name in ("get_rotation_matrix2d", "warp_affine"):  # lucent looks for them where older kornias had them
        setattr(kornia, name, getattr(kornia.geometry.transform, name))
    for seed in (torch.manual_seed, random.seed, np.random.seed):
        seed(0)
    parameters, image = param.image(size)

    class Watched(torch.optim.Adam):
        def step(self, closure: Any = None) -> Any:
            result = super().step(closure)
            watch.look(lambda: image().detach())
            return result

    render.render_vis(
        as_people_have_it(net), f"{layer}:{number}", lambda: (parameters, image), lambda all: Watched(all, lr=5e-2),
        thresholds=(LUCENT_STEPS,), preprocess=False, progress=False, show_image=False,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------- inversion

LAYER, ADAM_STEPS, ADAM_RATE = "fire5", 200, 0.03


def inversion_race(net: Net, size: int) -> Race:
    """The code of the cat in one layer."""
    image, start = photo("cat", size), gray((1, 3, size, size))
    objective = code(LAYER, net.activations(image, [LAYER])[LAYER])

    def judge(shown: Tensor) -> Tensor:
        shown = shown.clamp(0, 1)
        return objective.score(shown, net.run(shown, objective.layers))

    def ours() -> Run:
        return descend(net, objective, start, steps=60, step=lbfgs(), parametrization=spectrum())

    return Race(
        f"invert {LAYER}",
        {"code distance": judge},
        {"L-BFGS on the spectrum": watched(ours)},
        {"hook and Adam on the pixels": partial(hooked, net, objective, start)},
        every=2,
    )


def hooked(net: Net, objective: Objective, start: Tensor, watch: Watch) -> None:
    """The pattern of the well-known repositories: a forward hook, the whole network, Adam on the pixels."""
    chain, found = as_people_have_it(net), {}
    chain.get_submodule(LAYER).register_forward_hook(lambda *call: found.update({LAYER: call[-1]}))
    pixels = start.to(net.device, copy=True).requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=ADAM_RATE)
    for _ in range(ADAM_STEPS):
        optimizer.zero_grad()
        chain(pixels)
        objective.score(pixels, found).sum().backward()
        optimizer.step()
        with torch.no_grad():
            pixels.clamp_(0, 1)
        watch.look(pixels.detach)


# --------------------------------------------------------------------------------------------------------- attacks

TARGET, BATCH = "daisy", 8
FIRST_RADIUS, CHANGE, ROUNDS = 1.0, 0.05, 60  # of the ball that shrinks


def attack_race(net: Net, size: int) -> Race:
    """The median length of the smallest perturbation that makes eight photographs a daisy."""
    images = torch.cat([photo(name, size) for name in PHOTOS[:BATCH]]).to(net.device)
    images = images.clamp(0.001, 0.999)  # torchattacks takes the inverse of a tanh of them
    target = net.index(TARGET)

    def judge(shown: tuple[Tensor, Tensor]) -> Tensor:
        image, logits = shown
        lengths = (image - images).flatten(1).norm(dim=1)
        return torch.where(logits.argmax(1) == target, lengths, torch.inf)

    def ours(make: Callable[[], Run], watch: Watch) -> None:
        run = make()
        for step in run:
            if step.ends_stage or step.stage == 0:
                watch.look(lambda: (run.image, net(run.image)))

    peers: dict[str, Try] = {}
    if find_spec("torchattacks"):
        peers["torchattacks' CW, 50 steps"] = partial(torchattacks_cw, net, images, target)
    if find_spec("foolbox") and find_spec("git"):
        peers["foolbox' CW, 9 x 50 steps"] = partial(foolbox_cw, net, images, target)
    return Race(
        "attack",
        {"median length": judge},
        {
            "a ball that shrinks": partial(ours, lambda: shrinking(net, images, target)),
            "smallest": partial(ours, lambda: smallest(net, images, target)),
        },
        peers,
    )


def shrinking(net: Net, images: Tensor, target: int, steps: int = ROUNDS) -> Run:
    """Steps of one length inside a ball that shrinks after a success and grows after a failure.

    The direction and the length of the perturbation are decoupled (Rony et al. 2018, "Decoupling direction and norm for
    efficient gradient-based L2 adversarial attacks and defenses"). The steps fall from 1 to 0.01 along a cosine.
    """
    radius = torch.full((len(images),), FIRST_RADIUS, device=images.device)
    success = torch.zeros_like(radius, dtype=torch.bool)
    smallest_length, found = torch.full_like(radius, torch.inf), images

    def score(shown: Tensor, activations: Activations) -> Tensor:
        nonlocal success, smallest_length, found
        logits = activations["logits"].flatten(1)
        success = logits.detach().argmax(1) == target
        length = (shown.detach() - images).flatten(1).norm(dim=1)
        better = success & (length < smallest_length)
        smallest_length = torch.where(better, length, smallest_length)
        found = torch.where(better.view(-1, 1, 1, 1), shown.detach(), found)
        return F.cross_entropy(logits, torch.full_like(success, target, dtype=torch.long), reduction="none")

    def project(image: Tensor) -> Tensor:
        nonlocal radius
        radius = torch.where(success, radius * (1 - CHANGE), radius * (1 + CHANGE))
        offset = image - images
        length = offset.flatten(1).norm(dim=1).clamp(min=1e-12)
        return images + offset * (radius / length).view(-1, 1, 1, 1)

    run = descend(
        net, custom("cross_entropy", score, "logits"), images, steps=steps, step=falling(steps), project=project
    )
    return Run(run, steps, image=lambda: found)


def falling(steps: int) -> StepRule:
    """Steps of one length, which falls from 1 to 0.01 along a cosine."""

    def start(image: Tensor) -> Update:
        number = 0

        def update(evaluate: Evaluate) -> None:
            nonlocal number
            evaluate()
            assert image.grad is not None
            rate = 0.01 + 0.99 * (1 + math.cos(math.pi * number / steps)) / 2
            number += 1
            length = image.grad.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, 1, 1, 1)
            with torch.no_grad():
                image.sub_(rate * image.grad / length)

        return update

    return start


def torchattacks_cw(net: Net, images: Tensor, target: int, watch: Watch) -> None:
    """Carlini & Wagner as torchattacks has it: 50 steps, no search for the price."""
    import torchattacks

    model = seen_by(net, watch)
    attack = torchattacks.CW(model)
    attack.set_mode_targeted_by_label(quiet=True)
    attack(images, torch.full((len(images),), target, device=images.device))


def foolbox_cw(net: Net, images: Tensor, target: int, watch: Watch) -> None:
    """Carlini & Wagner as foolbox has it: its nine prices, but 50 steps for each instead of 10,000."""
    import foolbox

    bounded = foolbox.PyTorchModel(seen_by(net, watch), bounds=(0, 1), device=images.device)
    classes = torch.full((len(images),), target, device=images.device)
    attack = foolbox.attacks.L2CarliniWagnerAttack(steps=50)
    attack.run(bounded, images, foolbox.criteria.TargetedMisclassification(classes))


def seen_by(net: Net, watch: Watch) -> nn.Module:
    """The network as people have it; every image that an attack asks it about is looked at."""
    model = as_people_have_it(net).eval()
    model.register_forward_hook(lambda _, given, logits: watch.look(lambda: (given[0].detach(), logits.detach())))
    return model
