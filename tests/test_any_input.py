"""Whatever a function is given, it gives a finite result or an error in our own words; hypothesis makes the inputs."""

import inspect
import io
import linecache
import traceback
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from PIL import Image
from torch import Generator, Tensor, nn

import cnnlab
from cnnlab import (
    descent,
    files,
    images,
    nets,
    objectives as o,
    parametrizations,
    runs,
    steps,
    training,
    transforms,
)
from cnnlab.material import digits
from cnnlab.material.photos import photo
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
)  # fmt: skip

EXAMPLES = 60  # of each function
OWN = (ValueError, TypeError, RuntimeError, FloatingPointError, FileNotFoundError)
torch.manual_seed(0)
CHAIN = nets.named(
    conv1=nn.Conv2d(3, 4, 3, padding=1), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2), conv2=nn.Conv2d(4, 5, 3),
    average=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), logits=nn.Linear(5, 4),
)  # fmt: skip
NET = nets.Net(CHAIN, labels=["cat", "dog", "hen", "fox"], device="cpu")
SIZES = st.sampled_from([8, 8, 8, 9, 12, 1, 2, 5])
UNUSUAL = [float("nan"), float("inf"), -1.0, -0.01, 1e-30, 8.0, 255.0, 1e30, np.float32(0.1), torch.tensor(0.02)]
REALS = st.sampled_from([0.0, 0.01, 0.03, 0.1, 0.5, 1.0] * 2 + UNUSUAL)
WEIGHTS, REALS = REALS, REALS | st.sampled_from([None, "0.1", True, [0.1]])
WHOLES = st.sampled_from([
    0, 1, 2, 3, 1, 2, np.int64(1), np.uint8(2), np.array(1), torch.tensor(1), torch.tensor(3, dtype=torch.int32),
    [1], (1, 2), [0, 3], range(2), np.array([1, 2], np.int16), torch.tensor([0, 1]), [torch.tensor(1), np.int8(0)],
    -1, 4, 1000, 2**40, 2**70, 1.0, 1.5, True, None, "1", [], [1, None], [[1, 2]], np.array([0.5]),
    torch.tensor([True]), torch.tensor(1.0), np.bool_(True), float("nan"),
])  # fmt: skip
COUNTS = st.sampled_from([1, 2, 2, 3, np.int32(2), torch.tensor(2), 0, -1, 2.0, True, None, [2], 2**70])
LAYERS = st.sampled_from(["conv1", "relu1", "pool1", "conv2", "logits", "average", "flatten", "none", ""])
PAIRS = st.one_of(SIZES, st.tuples(SIZES, SIZES), st.sampled_from([0, -3, 2.5, None, True, (8, 8, 8), [4], 10**9]))
SHAPES = st.one_of(
    st.tuples(st.just(1), st.just(3), SIZES, SIZES),
    st.sampled_from(
        [(3, 8, 8), 8, (1, 3, 0, 8), (1, 3, 8.0, 8), [1, 1, 8, 8], torch.Size((1, 3, 8, 8)), (-1, 3, 8, 8)]
    ),
)


@st.composite
def make_image(draw: st.DrawFn) -> object:
    """An image in one of the forms in which people have images, most of them good ones."""
    batch, height, width = draw(st.sampled_from([1, 1, 1, 2])), draw(SIZES), draw(SIZES)
    image = torch.rand(batch, 3, height, width, generator=Generator().manual_seed(draw(st.integers(0, 3))))
    rows = image[0].permute(1, 2, 0).numpy()  # (H, W, C)
    with torch.inference_mode():
        inferred = image.clone()
    good = [
        image, image, image, image, image.double(), image.half(), image.bfloat16(), image.clone().requires_grad_(),
        inferred, image.to(memory_format=torch.channels_last), image + 1e-7, image.transpose(2, 3), image[..., ::2],
        torch.zeros_like(image), torch.ones_like(image), rows, rows.astype(">f8"), image.numpy(), rows[::-1],
        (255 * rows).astype(np.uint8), (255 * image).byte(), Image.fromarray((255 * rows).astype(np.uint8)),
    ]  # fmt: skip
    bad = [
        255 * image, image - 1, image.masked_fill(image > 0.7, torch.nan), image.masked_fill(image > 0.7, torch.inf),
        image[0], image[None], image[:0], image[..., :0], image[:, :1], image.repeat(1, 2, 1, 1), image.long(),
        image > 0.5, image.to(torch.complex64), rows[..., 0], rows.astype(np.int64), 255 * rows, rows > 1,
        Image.fromarray(rows[..., 0]), Image.new("RGBA", (8, 8)), None, 3, "cat", [[0.5]], image.to(torch.float8_e5m2),
        rows.astype(np.longdouble), np.array(None), rows[None, None], (255 * rows).astype(np.uint16), image * 1e30,
    ]  # fmt: skip
    return draw(st.sampled_from(good + good + bad))


@st.composite
def make_target(draw: st.DrawFn) -> object:
    """Activations, a Gram matrix or sums: what an objective aims at, as often as not of the wrong shape."""
    start = torch.rand(draw(st.sampled_from([1, 1, 2])), 3, 8, 8, generator=Generator().manual_seed(1))
    with draw(st.sampled_from([torch.no_grad, torch.inference_mode, torch.enable_grad]))():
        found = NET.activations(start, NET.layers)[draw(st.sampled_from(["conv1", "relu1", "conv2", "logits"]))]
        kinds = [
            found,
            found,
            found.double(),
            found.half(),
            found.detach().numpy(),
            found * float("nan"),
            found[0],
            found[0, 0],
        ]
        if found.ndim == 4:
            kinds += [gram_style.gram(found)] * 3 + [found.mean((2, 3))] * 3 + [found.relu()] * 2
        return draw(st.sampled_from([*kinds, torch.zeros_like(found), found > 0, None, "target", [1.0], 3]))


IMAGES, TARGETS = make_image(), make_target()
GOOD = st.sampled_from([
    -o.channel("relu1", 1), o.channel("conv2", 2) + 0.1 * o.total_variation(), -o.logit(1), o.neuron("conv1", 1),
    o.cross_entropy(2),
    o.channel("logits", [0, 1]), o.pixel_norm(0.5), -o.energy("conv2"), o.pixel_norm(6, 0.5),
])  # fmt: skip
OBJECTIVES = st.one_of(
    GOOD, GOOD,
    st.builds(lambda make, layer: (make, layer), st.just(o.energy), LAYERS).map(lambda made: made[0](made[1])),
)  # fmt: skip
RULES = st.sampled_from([steps.adam, steps.plain, steps.sign, steps.normalized, steps.lbfgs])
SHAKES = st.sampled_from(
    [
        None,
        None,
        transforms.jitter(2),
        transforms.wobble(5, 1.1),
        dreaming.soften,
        transforms.compose(transforms.jitter(1), dreaming.soften),
    ]
)
PICTURES = [
    (mode, kind)
    for mode in ("RGB", "L", "P", "RGBA", "1", "I;16", "F", "CMYK")
    for kind in ("PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP")
]


def noisy(size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))


@st.composite
def make_file(draw: st.DrawFn) -> object:
    """A picture's bytes, most of them with something wrong in them."""
    mode, kind = draw(st.sampled_from(PICTURES))
    size, buffer = (draw(SIZES), draw(SIZES)), io.BytesIO()
    picture = Image.new(mode, size) if mode in ("I;16", "F") else noisy(size).convert(mode)
    try:
        picture.save(buffer, kind, **({"exif": b"Exif\0\0rubbish"} if kind in ("JPEG", "WEBP") else {}))
    except (OSError, ValueError):
        picture.convert("RGB").save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    for _ in range(draw(st.sampled_from([0, 1, 3, 20]))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    data = data[: draw(st.sampled_from([len(data), len(data), len(data) // 2, 12, 0]))]
    wrap = draw(
        st.sampled_from([bytes, bytearray, memoryview, io.BytesIO, lambda _: "none.png", lambda _: None, lambda _: 3])
    )
    return wrap(data)


def seeded() -> Generator:
    return Generator().manual_seed(0)


def scored(d, objective: o.Objective) -> list[object]:
    """What an objective is for: its value, its gradient, and two steps."""
    image = d(IMAGES)
    run = descent.descend(NET, objective, image, steps=2, step=steps.sign(0.01), transform=d(SHAKES))
    return [descent.score(NET, objective, image), descent.gradient(NET, objective, image), run]


def examples(d) -> training.Examples:
    labels = d(
        st.sampled_from(
            [
                [0, 1],
                [3],
                torch.tensor([1]),
                np.array([2, 3], np.uint8),
                torch.tensor([1, 2]).int(),
                [1.0],
                [7, 7],
                [-1],
                None,
                2,
                torch.tensor([0.5]),
            ]
        )
    )
    return training.Examples(d(IMAGES), labels)


def fitted(d) -> runs.Run:
    torch.manual_seed(0)
    chain = d(
        st.sampled_from(
            [
                lambda: nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
                lambda: NET.model,
                nn.Sequential,
            ]
        )
    )()
    return training.fit(chain, examples(d), epochs=d(COUNTS), batch=d(COUNTS), rate=d(REALS), generator=seeded())


def stage(d):
    objective = d(GOOD)
    return lambda image, _: descent.descend(NET, objective, image, steps=1, step=steps.sign(0.01))


def crops(d) -> list[patches.Crop]:
    return patches.cut_crops({"a": d(IMAGES)}, sides=[d(SIZES)], size=d(SIZES))


def projections(d) -> list[Tensor]:
    found = patches.scan(NET, crops(d), [d(LAYERS)], progress=False)
    layer, number = d(LAYERS), d(WHOLES)
    strongest = patches.strongest_patches(found, layer, number)
    return patches.project(d(VIEWS), layer, number, strongest) if strongest else []


VIEWS = st.sampled_from([NET, relu_rules.deconvnet(NET), relu_rules.guided(NET)])
CALLS = {
    "Net.activations": lambda d: NET.activations(d(IMAGES), [d(LAYERS)]),
    "Net": lambda d: NET(d(IMAGES)),
    "Net.predict": lambda d: NET.predict(d(IMAGES), d(COUNTS)),
    "Net.probabilities": lambda d: NET.probabilities(d(IMAGES)),
    "center_crop": lambda d: images.center_crop(d(IMAGES), d(PAIRS)),
    "crop_to": lambda d: images.crop_to(d(IMAGES), d(PAIRS)),
    "resize": lambda d: images.resize(d(IMAGES), d(PAIRS)),
    "gray": lambda d: images.gray(d(SHAPES)),
    "noise": lambda d: images.noise(d(SHAPES), seeded(), std=d(REALS), decay=d(REALS)),
    "to_pil": lambda d: files.to_pil(d(IMAGES)),
    "save_image": lambda d: files.save_image(d(IMAGES), d(st.sampled_from(["a.png", "a.jpg", "a.xyz", ""]))),
    "load_image": lambda d: files.load_image(d(make_file()), d(st.one_of(st.none(), PAIRS))),
    "Objective": lambda d: scored(d, d(WEIGHTS) * d(OBJECTIVES) + d(GOOD)),
    "channel": lambda d: scored(d, o.channel(d(LAYERS), d(WHOLES))),
    "neuron": lambda d: scored(d, o.neuron(d(LAYERS), d(WHOLES), d(st.none() | WHOLES), d(st.none() | WHOLES))),
    "logit": lambda d: scored(d, o.logit(d(WHOLES), d(LAYERS))),
    "cross_entropy": lambda d: scored(d, o.cross_entropy(d(WHOLES), d(LAYERS))),
    "code": lambda d: scored(d, o.code(d(LAYERS), d(TARGETS))),
    "energy": lambda d: scored(d, o.energy(d(LAYERS))),
    "channel_sums": lambda d: scored(d, o.channel_sums(d(LAYERS), d(TARGETS))),
    "total_variation": lambda d: scored(d, o.total_variation()),
    "pixel_norm": lambda d: scored(d, o.pixel_norm(d(REALS), d(REALS))),
    "custom": lambda d: scored(
        d, o.custom("own", lambda x, _: x.mean(d(st.sampled_from([(), 1, (1, 2, 3)])) or (0, 1, 2, 3)))
    ),
    "pixels": lambda d: descent.descend(NET, d(GOOD), d(IMAGES), steps=2, parametrization=parametrizations.pixels()),
    "spectrum": lambda d: descent.descend(
        NET, d(GOOD), d(IMAGES), steps=2, parametrization=parametrizations.spectrum(d(REALS))
    ),
    "cppn": lambda d: descent.descend(
        NET,
        d(GOOD),
        d(IMAGES),
        steps=2,
        parametrization=parametrizations.cppn(d(TARGETS | st.just(parametrizations.cppn_weights(1, seeded())))),
    ),
    "cppn_weights": lambda d: parametrizations.cppn_weights(d(COUNTS), seeded()),
    "affine": lambda d: digits.affine(
        d(IMAGES), seeded(), degrees=d(REALS), scale=d(REALS), shift=d(REALS), shear=d(REALS)
    ),
    "blur": lambda d: transforms.blur(d(IMAGES), d(REALS)),
    "soften": lambda d: dreaming.soften(d(IMAGES), d(COUNTS)),
    "jitter": lambda d: transforms.jitter(d(WHOLES))(d(IMAGES)),
    "wobble": lambda d: transforms.wobble(d(REALS), d(REALS))(d(IMAGES)),
    "compose": lambda d: transforms.compose(transforms.jitter(d(COUNTS)), dreaming.soften)(d(IMAGES)),
    "adam": lambda d: descent.descend(NET, d(GOOD), d(IMAGES), steps=2, step=steps.adam(d(REALS))),
    "plain": lambda d: descent.descend(NET, d(GOOD), d(IMAGES), steps=2, step=steps.plain(d(REALS))),
    "sign": lambda d: descent.descend(NET, d(GOOD), d(IMAGES), steps=2, step=steps.sign(d(REALS))),
    "normalized": lambda d: descent.descend(NET, d(GOOD), d(IMAGES), steps=2, step=steps.normalized(d(REALS))),
    "lbfgs": lambda d: descent.descend(NET, d(GOOD), d(IMAGES), steps=2, step=steps.lbfgs(d(REALS))),
    "linf_ball": lambda d: descent.descend(
        NET, d(GOOD), d(IMAGES), steps=2, project=steps.linf_ball(d(IMAGES), d(REALS))
    ),
    "l2_ball": lambda d: descent.descend(NET, d(GOOD), d(IMAGES), steps=2, project=steps.l2_ball(d(IMAGES), d(REALS))),
    "descend": lambda d: descent.descend(
        NET, d(OBJECTIVES), d(IMAGES), steps=d(COUNTS), step=d(RULES)(d(REALS)), transform=d(SHAKES)
    ),
    "gradient": lambda d: descent.gradient(d(VIEWS), d(OBJECTIVES), d(IMAGES)),
    "score": lambda d: descent.score(NET, d(OBJECTIVES), d(IMAGES)),
    "fit": fitted,
    "accuracy": lambda d: training.accuracy(d(st.sampled_from([NET, NET.model])), examples(d)),
    "logits_of": lambda d: training.logits_of(d(st.sampled_from([NET, NET.model])), d(IMAGES), d(COUNTS)),
    "photo": lambda d: photo("cat", d(PAIRS)),
    "fgsm": lambda d: adversarial.fgsm(NET, d(OBJECTIVES), d(IMAGES), d(REALS)),
    "pgd": lambda d: adversarial.pgd(
        NET,
        d(GOOD),
        d(IMAGES),
        d(REALS),
        d(st.none() | REALS),
        d(COUNTS),
        d(st.sampled_from([None, seeded()])),
        d(SHAKES),
    ),
    "sign_noise": lambda d: adversarial.sign_noise(
        d(IMAGES), d(REALS | st.just(torch.full((1, 3, 8, 8), 0.1)) | TARGETS), seeded()
    ),
    "distance_to": lambda d: scored(d, adversarial.distance_to(d(IMAGES), d(TARGETS | st.just(torch.ones(1))))),
    "smallest": lambda d: adversarial.smallest(NET, d(IMAGES), d(WHOLES)),
    "dream": lambda d: dreaming.dream(
        NET,
        d(OBJECTIVES),
        d(IMAGES),
        octaves=d(COUNTS),
        scale=d(REALS | st.just(1.3)),
        steps=d(COUNTS),
        tile=d(COUNTS | st.just(32)),
        transform=d(SHAKES),
    ),
    "in_tiles": lambda d: scored(d, dreaming.in_tiles(NET, d(OBJECTIVES), d(COUNTS | st.just(32)))),
    "best_match": lambda d: scored(d, dreaming.best_match(d(LAYERS), d(TARGETS))),
    "gram": lambda d: gram_style.gram(d(TARGETS)),
    "style": lambda d: scored(d, gram_style.style(d(LAYERS), d(TARGETS))),
    "keep_channel": lambda d: inversion.keep_channel(d(TARGETS), d(WHOLES)),
    "reweight_channels": lambda d: inversion.reweight_channels(
        d(TARGETS), d(st.just(torch.ones(4)) | st.just(torch.ones(2, 4)) | TARGETS)
    ),
    "energy_shares": lambda d: inversion.energy_shares(d(TARGETS)),
    "lively_starts": lambda d: inversion.lively_starts(NET, d(LAYERS), d(WHOLES), d(SHAPES), seeded()),
    "textures": lambda d: inversion.textures(NET, d(IMAGES), d(LAYERS), d(WHOLES), steps=d(COUNTS)),
    "invert": lambda d: inversion.invert(NET, d(LAYERS), d(TARGETS), d(IMAGES), steps=d(COUNTS), bound=d(REALS)),
    "grow": lambda d: stages.grow(stage(d), d(IMAGES), d(COUNTS), d(REALS | st.just(1.2))),
    "zoom": lambda d: stages.zoom(stage(d), d(IMAGES), d(COUNTS), d(REALS | st.just(1.2))),
    "carry": lambda d: stages.carry(stage(d), d(IMAGES), d(COUNTS), d(REALS | st.just(1.2))),
    "positions": lambda d: occlusion.positions(d(IMAGES), d(COUNTS), d(COUNTS)),
    "cover": lambda d: occlusion.cover(d(IMAGES), d(WHOLES), d(WHOLES), d(COUNTS), d(REALS)),
    "occlusion_map": lambda d: occlusion.occlusion_map(
        NET, d(IMAGES), d(OBJECTIVES), patch=d(COUNTS), stride=d(COUNTS), fill=d(REALS), progress=False
    ),
    "saliency": lambda d: attribution.saliency(NET, d(OBJECTIVES), d(IMAGES)),
    "smooth_grad": lambda d: attribution.smooth_grad(
        NET, d(OBJECTIVES), d(IMAGES), seeded(), std=d(REALS), samples=d(COUNTS)
    ),
    "integrated_gradients": lambda d: attribution.integrated_gradients(
        NET, d(OBJECTIVES), d(IMAGES), baseline=d(st.none() | IMAGES), steps=d(COUNTS)
    ),
    "grad_cam": lambda d: attribution.grad_cam(NET, d(OBJECTIVES), d(IMAGES), d(LAYERS)),
    "rise": lambda d: attribution.rise(
        NET, d(OBJECTIVES), d(IMAGES), seeded(), masks=d(COUNTS), grid=d(COUNTS), keep=d(REALS)
    ),
    "deletion": lambda d: attribution.deletion(
        NET, d(OBJECTIVES), d(IMAGES), d(TARGETS | st.just(torch.rand(8, 8))), d(IMAGES), steps=d(COUNTS)
    ),
    "cut_crops": lambda d: [crop.image for crop in crops(d)],
    "project": projections,
    "receptive_field": lambda d: patches.receptive_field(NET, d(LAYERS)),
    "deconvnet": lambda d: descent.gradient(relu_rules.deconvnet(NET), d(OBJECTIVES), d(IMAGES)),
}
# Names of the front door that take no image and no number, or have tests of their own for whatever they are given.
OTHERS = {
    "Normalize", "Prediction", "named", "weights_of", "Run", "Step", "Examples", "initialize", "load_net", "untrained",
    "PHOTOS", "painting", "PAINTINGS", "mnist", "Claims", "Panel", "Upload", "plots",
}  # fmt: skip


def is_finite(result: object) -> bool:
    """Whether every number in a result is finite; a run is finished first."""
    if isinstance(result, runs.Run):
        return is_finite([result.finish(progress=False), result.best, result.values])
    if isinstance(result, Tensor):
        return bool(result.isfinite().all())
    if isinstance(result, dict | list | tuple):
        return all(map(is_finite, result.values() if isinstance(result, dict) else result))
    return not isinstance(result, float) or bool(np.isfinite(result))


def not_ours(error: Exception) -> str:
    """What is wrong with an error: nothing, if a `raise` of cnnlab made it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    line = linecache.getline(last.filename, last.lineno).strip()
    ours = cnnlab.__path__[0] in last.filename and line.startswith("raise ")
    return "" if ours else f"{type(error).__name__} of line {last.lineno} in {last.filename}: {line}: {error}"


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """The nets here are so small that a second thread only waits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", CALLS)
def test_a_finite_result_or_an_error_of_our_own(name, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("files"))
    monkeypatch.setattr(adversarial, "ROUNDS", 2)
    monkeypatch.setattr(adversarial, "STEPS", 1)

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data(), st.sampled_from([torch.enable_grad, torch.no_grad, torch.inference_mode]))
    def attempt(data, mode):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with mode():
                    result = CALLS[name](data.draw)
                    assert is_finite(result), "not finite, in silence"
            except OWN as error:
                foreign = not_ours(error)
            else:
                foreign = ""
        assert not foreign, foreign

    attempt()


def test_every_function_of_the_front_door_is_tried():
    assert set(cnnlab.__all__) == {name for name in CALLS if name in cnnlab.__all__} | OTHERS
    assert len(CALLS) * EXAMPLES >= 2000
    for module in (adversarial, attribution, dreaming, gram_style, inversion, stages, occlusion, patches):
        functions = {
            name
            for name, found in vars(module).items()
            if inspect.isfunction(found) and found.__module__ == module.__name__
        }
        public = {name for name in functions if not name.startswith("_")}
        assert public <= set(CALLS) | {"in_stages", "stage_images", "scan", "strongest_patches"}
