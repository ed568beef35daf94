"""The same seeds give the same numbers: in a second run, in another process, and with another number of threads.

Whatever is random takes a generator or a seed. PyTorch's, NumPy's and Python's global generators decide nothing, and
what runs leaves them alone. The tests ask the modules which functions there are, so a new one needs a case here.
"""

import copy
import dataclasses
import os
import random
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from inventory import functions, gives
from torch import Generator, Tensor, nn

from cnnlab.chapters import (
    ch02_nets,
    ch03_measures,
    ch04_atlas,
    ch04_growing,
    ch04_statistics,
    ch05_grouping,
    ch05_sanity,
    ch05_shared,
    ch06_maps,
    ch07_antialias,
    ch07_invariance,
    ch08_nets,
    ch09_copies,
    ch09_parts,
    ch09_probes,
    ch10_readers,
    ch11_dreams,
    ch14_patches,
    ch15_attacks,
    ch15_hog,
    ch16_go,
    ch16_heart,
    ch16_sentences,
    ch16_vowels,
)
from cnnlab.descent import descend, gradient
from cnnlab.images import noise
from cnnlab.material import crops, digits
from cnnlab.microscope import recipe, work
from cnnlab.nets import Net, named
from cnnlab.objectives import channel, channel_sums, cross_entropy, energy, logit, pixel_norm, total_variation
from cnnlab.parametrizations import Parametrization, cppn, cppn_weights, pixels, spectrum
from cnnlab.runs import Run
from cnnlab.steps import adam, l2_ball, lbfgs, linf_ball, normalized, plain, sign
from cnnlab.teaching.checks import random_tensor
from cnnlab.techniques import (
    adversarial,
    attribution,
    dreaming,
    gram_style,
    inversion,
    occlusion,
    patches,
    relu_rules,
    stages,
)
from cnnlab.training import Examples, fit, initialize, logits_of
from cnnlab.transforms import blur, compose, jitter, wobble
from cnnlab.zoo import digits_cnn, zfnets
from cnnlab.zoo.load import load_net, untrained

# Another number of threads adds up the same numbers in another order: float32 then differs in its last digits, by
# about 1e-7 of the largest number. A forward and a backward pass through a net add up a few such errors (measured here:
# 2e-6 at most).
PASS = 1e-5  # of the largest number of a result
# A run repeats them at each step, and steps may enlarge them (measured here: 4e-5 at most, for 3 steps or for 2 steps
# in each of 2 stages). Adam and sign steps move a pixel whose gradient is nearly 0 to one side or the other, so some
# pixels may differ more.
RUN, PIXELS = 1e-3, 0.03  # of the largest number; the share of the pixels that may differ more
# Longer runs on large nets have no bound for single pixels: a last digit decides which of two equally large values a
# max pooling passes on, or whether a ReLU is on, and the gradient then jumps. SqueezeNet's pixels, from noise and with
# jitter, differ by 0.06 on average after 10 steps of Adam (0.17 after 30); in the spectrum they did not differ at all.
# How far the runs come is alike: their values differed by 2 % after 10 steps, and by 1 % after 30.
VALUE = 0.1  # of the value
# The pictures of the microscope are runs of 30 steps with a high rate (measured here: 2.5e-7 on average).
PICTURE = 1e-4  # on average


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@cache
def net() -> Net:
    chain = named(
        conv1=nn.Conv2d(3, 6, 3, padding=1), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(6, 8, 3, padding=1), relu2=nn.ReLU(), conv3=nn.Conv2d(8, 8, 3, padding=1), relu3=nn.ReLU(),
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), conv10=nn.Linear(8, 5), logits=nn.Identity(),
    )  # fmt: skip
    return Net(initialize(chain, generator(5)), "abcde", device="cpu")


@cache
def judge() -> Net:
    chain = named(block5_3=nn.Conv2d(3, 8, 9, stride=16), pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    return Net(initialize(chain, generator(6)), device="cpu")


IMAGES = 0.2 + 0.6 * torch.rand((2, 3, 40, 48), generator=generator(1))
BLOBS = Examples(torch.rand((24, 1, 28, 28), generator=generator(2)), torch.arange(24) % 10)
STORED = Examples(torch.rand((34, 3, 72, 72), generator=generator(3)), torch.arange(34) % 16)
OBJECTIVE = -channel("relu2", 1) + 0.3 * total_variation() + 0.1 * pixel_norm(6, center=0.5)


# Chains to train: copies of them, as making one moves PyTorch's global generator on.
SMALL = named(
    conv=nn.Conv2d(1, 4, 5, stride=3), relu=nn.ReLU(), flatten=nn.Flatten(), drop=nn.Dropout(0.5),
    logits=nn.Linear(256, 10),
)  # fmt: skip
SMALL, LECTURE, PAPER = initialize(SMALL, generator(4)), digits_cnn.mnist_cnn(generator()), zfnets.zfnet(generator())


@cache
def loaded(name: str) -> Net:
    return load_net(name, "cpu")


def copied(chain: nn.Sequential) -> nn.Sequential:
    return copy.deepcopy(chain)


def image_of(run: Run) -> list[Any]:
    """What a run leaves: its image, its best image, its values."""
    return [run.finish(progress=False), run.best, run.values]


def few(run: Run, chain: nn.Module, steps: int = 3) -> list[Any]:
    """The net that is trained, after some steps."""
    values = [next(run).value for _ in range(min(steps, len(run)))]
    return [chain.state_dict(), values, run.image]


def crops_of(image: Tensor = IMAGES) -> list[patches.Crop]:
    return patches.cut_crops({name: one[None] for name, one in zip(("one", "two"), image, strict=True)}, (32, 40), 32)


def scanned() -> patches.Scan:
    return patches.scan(net(), crops_of(), ["relu1", "relu2"], progress=False)


def nine() -> list[patches.Patch]:
    return patches.strongest_patches(scanned(), "relu2", 1)


def trained(seed: int, **options: Any) -> list[Any]:
    chain = copied(SMALL)
    return few(fit(chain, BLOBS, epochs=1, batch=8, generator=generator(seed), augment=digits.affine, **options), chain)


def attacked() -> list[Any]:
    """Adversarial training."""
    chain = copied(SMALL)

    def perturb(images: Tensor, labels: Tensor) -> Tensor:
        return adversarial.pgd(Net(chain, device="cpu"), -cross_entropy(labels), images, 0.1, steps=2).finish(False)

    return few(fit(chain, BLOBS, epochs=1, batch=8, generator=generator(), perturb=perturb), chain)


def climb(image: Tensor, number: int) -> Run:
    return descend(net(), OBJECTIVE, image, steps=2, step=normalized(0.02), transform=jitter(3, generator(number)))


# What needs no seed, or has one inside. Each is a pass through a net, or a run of 3 steps, or of 2 steps in 2 stages.
RUNS: dict[str, Callable[[], Any]] = {
    **{
        f"descent.descend, {name}": lambda way=way, image=image: image_of(
            descend(net(), OBJECTIVE, image, steps=3, parametrization=way)
        )
        for name, way, image in [
            ("pixels", pixels(), IMAGES), ("spectrum", spectrum(), IMAGES), ("spectrum, 0.5", spectrum(0.5), IMAGES),
            ("cppn", cppn(cppn_weights(2, generator())), IMAGES),
        ]
    },
    **{
        f"descent.descend, {name}": lambda step=step: image_of(descend(net(), OBJECTIVE, IMAGES, steps=3, step=step))
        for name, step in [
            ("adam", adam(0.02)), ("lbfgs", lbfgs()), ("sign", sign(0.01)), ("plain", plain(3.0)),
            ("normalized", normalized(0.02)), ("unit", ch15_attacks.unit(0.2)),
        ]
    },
    **{
        f"descent.descend, {name}": lambda shake=shake: image_of(
            descend(net(), OBJECTIVE, IMAGES, steps=3, transform=shake)
        )
        for name, shake in [
            ("jitter", jitter(5)), ("wobble", wobble(8, 1.2, generator(3))), ("blur", lambda image: blur(image, 1)),
            ("composed", compose(wobble(8, 1.1), jitter(2), dreaming.soften)),
        ]
    },
    **{
        f"descent.descend, {name}": lambda ball=ball: image_of(
            descend(net(), OBJECTIVE, IMAGES, steps=3, step=plain(9.0), project=ball)
        )
        for name, ball in [("linf_ball", linf_ball(IMAGES, 0.02)), ("l2_ball", l2_ball(IMAGES, 0.3))]
    },
    "training.fit": lambda: trained(0),
    "training.fit, SGD": lambda: trained(0, optimizer=torch.optim.SGD),
    "training.fit, attacked": attacked,
    "zoo.digits_cnn.train_mnist_cnn": lambda: few(
        digits_cnn.train_mnist_cnn(chain := copied(LECTURE), BLOBS, generator(1), epochs=2), chain
    ),
    "zoo.zfnets.train_zfnet": lambda: few(
        zfnets.train_zfnet(chain := copied(PAPER), STORED, epochs=2, generator=generator(1)), chain
    ),
    "techniques.adversarial.fgsm": lambda: image_of(adversarial.fgsm(net(), cross_entropy([1, 2]), IMAGES, 0.02)),
    "techniques.adversarial.pgd": lambda: image_of(
        adversarial.pgd(net(), -cross_entropy([1, 2]), IMAGES, 0.02, steps=3, generator=generator(),
                        transform=jitter(1))
    ),
    "techniques.adversarial.smallest": lambda: adversarial.smallest(net(), IMAGES[..., :12, :12], 2).finish(False),
    "chapters.ch15_attacks.pgd_l2": lambda: image_of(
        ch15_attacks.pgd_l2(net(), -cross_entropy([1, 2]), IMAGES, 0.5, steps=3)
    ),
    "techniques.dreaming.dream": lambda: image_of(dreaming.dream(net(), -energy("relu2"), IMAGES, octaves=2, steps=2)),
    "techniques.dreaming.dream, tiles": lambda: image_of(
        dreaming.dream(net(), -energy("relu2"), IMAGES, octaves=2, steps=2, tile=32)
    ),
    "techniques.dreaming.dream, guide": lambda: image_of(
        dreaming.dream(net(), -dreaming.best_match("relu1", net().activations(IMAGES[:1], ["relu1"])["relu1"]), IMAGES,
                       octaves=2, steps=2)
    ),
    "chapters.ch11_dreams.deep": lambda: image_of(
        ch11_dreams.deep(net(), -energy("relu2"), IMAGES, steps=2, octaves=2, seed=1)
    ),
    "techniques.gram_style.style": lambda: image_of(
        descend(net(), gram_style.style("relu2", gram_style.gram(net().activations(IMAGES[:1], ["relu2"])["relu2"])),
                IMAGES[1:], steps=3)
    ),
    "objectives.channel_sums": lambda: image_of(
        descend(net(), channel_sums("relu2", net().activations(IMAGES[:1], ["relu2"])["relu2"].mean((2, 3))),
                IMAGES[1:], steps=3)
    ),
    "techniques.inversion.invert": lambda: image_of(
        inversion.invert(net(), "relu2", net().activations(IMAGES, ["relu2"])["relu2"], IMAGES.flip(0), steps=3)
    ),
    "techniques.inversion.textures": lambda: image_of(
        inversion.textures(net(), IMAGES[:1], "relu2", [0, 3], steps=3)
    ),
    "techniques.stages.in_stages": lambda: image_of(stages.in_stages(climb, IMAGES, 2, lambda image, _: image)),
    "techniques.stages.grow": lambda: image_of(stages.grow(climb, IMAGES, octaves=2)),
    "techniques.stages.zoom": lambda: image_of(stages.zoom(climb, IMAGES, frames=2)),
    "techniques.stages.carry": lambda: image_of(stages.carry(climb, IMAGES, octaves=2, scale=1.4)),
}  # fmt: skip
PASSES: dict[str, Callable[[], Any]] = {
    "SqueezeNet": lambda: loaded("squeezenet")(IMAGES),
    "EfficientNet-Lite0": lambda: loaded("efficientnet_lite0")(IMAGES),
    "gradient": lambda: gradient(net(), OBJECTIVE, IMAGES),
    "gradient, deconvnet": lambda: gradient(relu_rules.deconvnet(net()), logit(1), IMAGES),
    "gradient, guided": lambda: gradient(relu_rules.guided(net()), logit(1), IMAGES),
    "saliency": lambda: attribution.saliency(net(), logit(1), IMAGES),
    "smooth_grad": lambda: attribution.smooth_grad(net(), logit(1), IMAGES, generator(), samples=3),
    "integrated_gradients": lambda: attribution.integrated_gradients(net(), logit(1), IMAGES, steps=3),
    "grad_cam": lambda: attribution.grad_cam(net(), logit(1), IMAGES, "relu3"),
    "rise": lambda: attribution.rise(net(), logit(1), IMAGES[:1], generator(), masks=30),
    "deletion": lambda: attribution.deletion(net(), logit(1), IMAGES[:1], IMAGES[0, 0], IMAGES[1:], steps=4),
    "occlusion": lambda: occlusion.occlusion_map(net(), IMAGES[:1], logit(1), patch=8, stride=5, progress=False),
    "scan": lambda: scanned().values,
    "projections": lambda: patches.project(relu_rules.deconvnet(net()), "relu2", 1, nine()),
    "logits": lambda: logits_of(copied(SMALL), BLOBS.images, batch=7),
    "hog": lambda: ch15_hog.hog_net()(IMAGES),
    "spectrogram": lambda: ch16_vowels.Spectrogram()(ch16_vowels.voices("men", 1, generator()).images),
    "an atlas": lambda: ch04_atlas.cluster_on_grid(
        ch04_atlas.listen(net(), "relu2", crops_of(), 9, 8, generator()).vectors, 2, 3
    ),
    "chance": lambda: ch04_statistics.trend_by_chance({"one": IMAGES[0, 0, 0], "two": IMAGES[0, 0, 1]}),
    "a likeness": lambda: ch05_grouping.likeness(net(), nine()),
}


def test_every_run_has_a_case() -> None:
    assert gives(Run) - {"plots.movies.filmed"} <= {name.partition(",")[0] for name in RUNS}


# Whatever takes a generator.
corners = {"eye": torch.tensor([[3, 4], [5, 6]])}
DRAWN: dict[str, Callable[[Generator], Any]] = {
    "images.noise": lambda g: [noise((2, 3, 9, 8), g), noise((2, 3, 9, 8), g, decay=1)],
    "parametrizations.cppn_weights": lambda g: cppn_weights(2, g),
    "transforms.jitter": lambda g: jitter(9, g)(IMAGES),
    "transforms.wobble": lambda g: wobble(9, 1.2, g)(IMAGES),
    "training.initialize": lambda g: initialize(copied(SMALL), g).state_dict(),
    "training.fit": lambda g: few(fit(chain := copied(SMALL), BLOBS, epochs=1, batch=8, generator=g), chain),
    "material.crops.photo_crops": lambda g: crops.photo_crops(1, g),
    "material.crops.random_crops": lambda g: crops.random_crops(IMAGES[:1].repeat(1, 1, 4, 4), 3, g),
    "material.crops.augment_crops": lambda g: crops.augment_crops(STORED.images, g),
    "material.digits.affine": lambda g: digits.affine(BLOBS.images, g),
    "techniques.adversarial.pgd": lambda g: adversarial.pgd(
        net(), cross_entropy(1), IMAGES, 0.02, steps=2, generator=g
    ).finish(False),
    "techniques.adversarial.sign_noise": lambda g: adversarial.sign_noise(IMAGES, 0.02, g),
    "techniques.attribution.smooth_grad": lambda g: attribution.smooth_grad(net(), logit(1), IMAGES, g, samples=2),
    "techniques.attribution.rise": lambda g: attribution.rise(net(), logit(1), IMAGES[:1], g, masks=5),
    "techniques.inversion.lively_starts": lambda g: inversion.lively_starts(net(), "relu2", [1, 2], (1, 3, 20, 24), g),
    "zoo.digits_cnn.mnist_cnn": lambda g: digits_cnn.mnist_cnn(g).state_dict(),
    "zoo.digits_cnn.train_mnist_cnn": lambda g: few(
        digits_cnn.train_mnist_cnn(chain := copied(LECTURE), BLOBS, g, epochs=1), chain, 1
    ),
    "zoo.load.untrained": lambda g: untrained(net(), g).state_dict(),
    "zoo.zfnets.zfnet": lambda g: zfnets.zfnet(g).state_dict(),
    "zoo.zfnets.train_zfnet": lambda g: few(
        zfnets.train_zfnet(chain := copied(PAPER), STORED, epochs=1, generator=g), chain, 1
    ),
    "chapters.ch03_measures.thinned": lambda g: ch03_measures.thinned(BLOBS.images, 0.2, g),
    "chapters.ch04_atlas.listen": lambda g: ch04_atlas.listen(net(), "relu2", crops_of(), 5, 8, g),
    "chapters.ch04_growing.awake_channel": lambda g: [
        ch04_growing.awake_channel(net(), "relu2", IMAGES, g) for _ in range(9)
    ],
    "chapters.ch04_growing.five_images": lambda g: ch04_growing.five_images(net(), "relu2", 1, 2, g),
    "chapters.ch05_sanity.randomized": lambda g: ch05_sanity.randomized(net(), "conv10", g).state_dict(),
    "chapters.ch05_shared.other_channels": lambda g: ch05_shared.other_channels(net(), "relu1", 1, nine(), g),
    "chapters.ch05_shared.compare": lambda g: ch05_shared.compare(
        judge(), relu_rules.deconvnet(net()), scanned(), "relu1", 1, g
    ),
    "chapters.ch06_maps.random_maps": lambda g: ch06_maps.random_maps(net(), 1, IMAGES[:1], logit(1), g, 2, 3),
    "chapters.ch07_antialias.digits_net": lambda g: ch07_antialias.digits_net("antialiased", g).state_dict(),
    "chapters.ch07_invariance.pieces": ch07_invariance.pieces,
    "chapters.ch08_nets.moved": lambda g: [ch08_nets.moved(STORED.images, g) for _ in range(3)],
    "chapters.ch09_copies.disguise": lambda g: ch09_copies.disguise(STORED.images, g),
    "chapters.ch09_parts.random_corners": lambda g: ch09_parts.random_corners(5, 0, g),
    "chapters.ch09_parts.with_controls": lambda g: ch09_parts.with_controls(corners, 0, g),
    "chapters.ch09_parts.equally_dark": lambda g: ch09_parts.equally_dark(ch09_parts.faces()[:5], (6, 4), g),
    "chapters.ch09_parts.shifted_faces": lambda g: ch09_parts.shifted_faces(ch09_parts.faces()[:5], g),
    "chapters.ch09_parts.shifted_distances": lambda g: ch09_parts.shifted_distances(
        loaded("squeezenet"), ch09_parts.faces()[:5], g
    ),
    "chapters.ch09_probes.drawn": lambda g: list(ch09_probes.drawn(BLOBS, 2, (2, 3), g)),
    "chapters.ch09_probes.photograph_task": ch09_probes.photograph_task,
    "chapters.ch10_readers.crops_without": lambda g: ch10_readers.crops_without(0, 1, g),
    "chapters.ch10_readers.decoder": lambda g: ch10_readers.decoder(4, g).state_dict(),
    "chapters.ch14_patches.stick": lambda g: ch14_patches.stick(IMAGES[:1, :, :, :40], IMAGES[..., :40], g),
    "chapters.ch15_attacks.small_chain": lambda g: ch15_attacks.small_chain(g).state_dict(),
    "chapters.ch16_go.random_game": lambda g: list(ch16_go.random_game(g, 5)),
    "chapters.ch16_go.go_boards": lambda g: ch16_go.go_boards(2, g, 5),
    "chapters.ch16_heart.heart_examples": lambda g: ch16_heart.heart_examples(4, g, late=True),
    "chapters.ch16_sentences.sentence": lambda g: [ch16_sentences.sentence(g, True) for _ in range(9)],
    "chapters.ch16_sentences.sentence_examples": lambda g: ch16_sentences.sentence_examples(6, g),
    "chapters.ch16_vowels.recorded": lambda g: ch16_vowels.recorded(ch16_vowels.vowel((500, 1500), 120), g),
    "chapters.ch16_vowels.voices": lambda g: ch16_vowels.voices("men", 1, g),
}  # fmt: skip
# Whatever takes the number of a seed.
SEEDED: dict[str, Callable[[int], Any]] = {
    "chapters.ch02_nets.shuffled": lambda seed: ch02_nets.shuffled(BLOBS, seed),
    "chapters.ch02_nets.trained": lambda seed: ch02_nets.trained(
        lambda: ch02_nets.connected(9), BLOBS, seed, 0.01, 1
    ).state_dict(),
    "chapters.ch02_nets.best_of": lambda seed: ch02_nets.best_of(
        lambda: ch02_nets.connected(9), [BLOBS] * 3, seed, [0.01, 0.02], 1
    )[1].state_dict(),
    "chapters.ch03_measures.small_reader": lambda seed: ch03_measures.small_reader(BLOBS, seed)(BLOBS.images),
    "chapters.ch05_sanity.cascade": lambda seed: ch05_sanity.cascade(loaded("squeezenet"), IMAGES[:1], seed, ["fire9"]),
    "chapters.ch05_shared.random_channels": lambda seed: ch05_shared.random_channels(scanned(), "relu1", 4, seed),
    "chapters.ch08_nets.trained": lambda seed: ch08_nets.trained("as it is", STORED, seed, 1)[1].state_dict(),
    "chapters.ch08_nets.trained_as_in_the_paper": lambda seed: ch08_nets.trained_as_in_the_paper(
        STORED, seed, 1, 0.1
    ).state_dict(),
    "chapters.ch09_copies.collect": lambda seed: ch09_copies.collect(STORED, seed),
    "chapters.ch09_probes.make_task": lambda seed: ch09_probes.make_task.__wrapped__("faces or not", seed),
    "teaching.checks.random_tensor": lambda seed: random_tensor((2, 3), seed),
    "chapters.ch11_dreams.clouds": lambda seed: ch11_dreams.clouds(9, 12, seed),
    "chapters.ch11_dreams.deep": lambda seed: ch11_dreams.deep(
        net(), -energy("relu2"), IMAGES, steps=1, octaves=1, seed=seed
    ).finish(False),
}


def test_whatever_takes_a_generator_or_a_seed_has_a_case() -> None:
    def takes_a_generator(types: dict[str, Any]) -> bool:
        return bool({Generator, Generator | None} & {kind for name, kind in types.items() if name != "return"})

    assert functions(takes_a_generator) == DRAWN.keys()
    assert functions(lambda types: types.get("seed") is int) == SEEDED.keys()


# A new layer of PyTorch draws first weights of PyTorch's own, which `initialize` then replaces: building a net moves
# PyTorch's global generator on. Nothing depends on where it stands.
BUILDS = {
    "zoo.digits_cnn.mnist_cnn", "zoo.zfnets.zfnet", "chapters.ch02_nets.trained", "chapters.ch02_nets.best_of",
    "chapters.ch03_measures.small_reader", "chapters.ch07_antialias.digits_net", "chapters.ch08_nets.trained",
    "chapters.ch08_nets.trained_as_in_the_paper", "chapters.ch10_readers.decoder", "chapters.ch15_attacks.small_chain",
}  # fmt: skip
LONG = {
    "chapters.ch09_probes.photograph_task", "chapters.ch09_parts.shifted_distances", "techniques.adversarial.smallest"
}  # fmt: skip


def cases(of: Mapping[str, Callable], *more: Any, slow: Collection[str] = LONG) -> list[Any]:
    """(name, function, *more) of each, for pytest."""
    return [
        pytest.param(name, make, *more, marks=[pytest.mark.slow] * (name in slow), id=name) for name, make in of.items()
    ]


def parts(result: Any) -> Iterator[Tensor]:
    """All numbers and texts of a result, in order, as tensors."""
    if isinstance(result, Tensor):
        yield result.detach()
    elif isinstance(result, np.ndarray):
        yield torch.from_numpy(result)
    elif isinstance(result, Mapping):
        for key, value in result.items():
            yield from parts(key)
            yield from parts(value)
    elif dataclasses.is_dataclass(result):
        yield from parts(vars(result))
    elif isinstance(result, str | bytes):
        yield torch.frombuffer(
            bytearray((result.encode() if isinstance(result, str) else result) + b" "), dtype=torch.uint8
        )
    elif isinstance(result, int | float):
        yield torch.tensor(result, dtype=torch.float64)
    else:
        for item in result:
            yield from parts(item)


def same(one: Any, other: Any) -> bool:
    """Bit by bit, NaN too."""
    pairs = zip(parts(one), parts(other), strict=True)
    return all(a.dtype == b.dtype and a.numpy().tobytes() == b.numpy().tobytes() for a, b in pairs)


def off(one: Any, other: Any, bound: float) -> float:
    """The share of a part's numbers that differ by more than `bound` times its largest number; the worst part's."""
    worst = 0.0
    for a, b in zip(parts(one), parts(other), strict=True):
        assert a.shape == b.shape
        a, b = a.double(), b.double()
        if a.numel():
            worst = max(worst, float(((a - b).abs() > bound * a.abs().max()).double().mean()))
    return worst


def global_states() -> list[Any]:
    numpys = [str(part) for part in np.random.get_state()]  # noqa: NPY002
    return [torch.get_rng_state(), numpys, str(random.getstate())]


def with_global_seed(make: Callable[[], Any], seed: int) -> tuple[Any, bool]:
    """The result, and whether the global generators are as they were."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    before = global_states()
    result = make()
    return result, same(before, global_states())


def twice(make: Callable[[], Any], name: str) -> Any:
    """Two runs are equal bit by bit, and the global generators neither decide anything nor move: the result."""
    (first, untouched), (second, _) = (with_global_seed(make, seed) for seed in (0, 123))
    assert same(first, second)
    assert untouched or name in BUILDS, "it moved a global generator"
    return first


@pytest.fixture(scope="module", autouse=True)
def nets() -> None:
    """Loaded before anything is compared, as that moves PyTorch's global generator on."""
    for ready in (net(), judge(), loaded("squeezenet"), loaded("efficientnet_lite0")):
        assert ready.layers


@pytest.mark.parametrize(("name", "make"), [*cases(RUNS), *cases(PASSES)])
def test_a_second_run_is_equal_bit_by_bit(name: str, make: Callable[[], Any]) -> None:
    twice(make, name)


@pytest.mark.parametrize(("name", "make"), [*cases(DRAWN), *cases(SEEDED)])
def test_seeds_decide_and_nothing_else_does(name: str, make: Callable[[Any], Any]) -> None:
    seed = generator if name in DRAWN else int
    first = twice(lambda: make(seed(7)), name)
    assert not same(first, make(seed(8)))


def with_threads(make: Callable[[], Any], count: int) -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        return make()
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("name", "make", "bound", "share"),
    [*cases(RUNS, RUN, PIXELS, slow=RUNS), *cases(PASSES, PASS, 0.0)],  # two threads wait for each other
)
def test_the_number_of_threads_changes_the_last_digits_only(
    name: str, make: Callable[[], Any], bound: float, share: float
) -> None:
    assert off(with_threads(make, 1), with_threads(make, 2), bound) <= share


@pytest.mark.parametrize(("name", "make", "bound", "share"), [*cases(RUNS, RUN, PIXELS), *cases(PASSES, PASS, 0.0)])
def test_a_net_in_float64_gives_the_same_up_to_float32s_rounding(
    name: str, make: Callable[[], Any], bound: float, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So each technique works in both precisions."""
    expected, double = make(), copy.deepcopy(net()).double()
    monkeypatch.setattr(sys.modules[__name__], "net", lambda: double)
    assert off(expected, make(), bound) <= share


@pytest.mark.slow
@pytest.mark.parametrize("varied", [pixels(), spectrum()], ids=["pixels", "spectrum"])
def test_runs_on_a_large_net_come_as_far_with_two_threads_as_with_one(varied: Parametrization) -> None:
    start = noise((1, 3, 96, 96), generator(), std=0.05, decay=1)

    def ten_steps() -> list[float]:
        shake = jitter(8)
        run = descend(
            loaded("squeezenet"), -channel("fire7", 30), start, steps=10, transform=shake, parametrization=varied
        )
        run.finish(progress=False)
        return run.values

    one, two = (with_threads(ten_steps, count) for count in (1, 2))
    assert one[-1] < 3 * one[0] < 0
    assert two[0] == pytest.approx(one[0], rel=PASS)
    assert two[-1] == pytest.approx(one[-1], rel=VALUE)


# ------------------------------------------------------------------------------------------------------- processes


def pages() -> dict[int, bytes]:
    """Of a layer's channels in the microscope."""
    scope = work.focus(net(), {"one": IMAGES[:1], "two": IMAGES[1:]}, ["relu1", "relu2"], 32, progress=False)
    return work.examine(scope, "relu2", [0, 1])


def test_a_page_of_the_microscope_is_equal_byte_by_byte() -> None:
    twice(pages, "")


@pytest.mark.slow
def test_the_number_of_threads_hardly_changes_the_microscopes_pictures() -> None:
    one, two = (with_threads(lambda: recipe.portraits(net(), recipe.Views(net()), "relu2", [1], 32), n) for n in (1, 2))
    assert (one - two).abs().mean() <= PICTURE


def record(file: str) -> None:
    """What a process finds, for the test below."""
    found = {name: list(parts(make())) for name, make in {**RUNS, **PASSES}.items()}
    found |= {name: list(parts(make(generator(7)))) for name, make in DRAWN.items() if name not in LONG}
    found |= {name: list(parts(make(7))) for name, make in SEEDED.items()}
    torch.save(found | {"pages": list(parts(pages()))}, file)


@pytest.mark.slow
def test_other_processes_find_the_same(tmp_path: Path) -> None:
    """Equal bit by bit with one thread, also if Python orders its sets otherwise; with two threads as above."""
    found = []
    for number, (count, order) in enumerate([(1, 0), (1, 1), (2, 2)]):
        file = tmp_path / f"{number}.pt"
        environment = {**os.environ, "OMP_NUM_THREADS": str(count), "PYTHONHASHSEED": str(order)}
        command = [sys.executable, "-W", "ignore", "-c", f"import test_repeatable as t; t.record({str(file)!r})"]
        roots = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
        subprocess.run(command, env={**environment, "PYTHONPATH": roots}, check=True)
        found.append(torch.load(file))
    one, again, two = found
    assert one.keys() == again.keys() == two.keys()
    assert not [name for name in one if not same(one[name], again[name])]
    different = [
        name
        for makes, bound, share in ((RUNS, RUN, PIXELS), (PASSES, PASS, 0.0))
        for name in makes
        if off(one[name], two[name], bound) > share
    ]
    assert not different
