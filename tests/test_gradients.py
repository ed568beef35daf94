"""Gradients against central differences in float64: every objective, parametrization, transform and layer of ours.

The tests ask the modules what there is. So a new objective, parametrization, transform, layer, or gradient written by
hand needs a case here.
"""

import copy
import inspect
from collections.abc import Callable, Mapping

import pytest
import torch
import torch.nn.functional as F
from inventory import found, functions, gives
from torch import Generator, Tensor, nn

from cnnlab import images, objectives, parametrizations, steps, transforms
from cnnlab.chapters import (
    ch04_atlas,
    ch06_maps,
    ch07_antialias,
    ch12_style_net,
    ch13_measures,
    ch14_patches,
    ch15_attacks,
    ch15_hog,
    ch16_vowels,
)
from cnnlab.descent import gradient, score
from cnnlab.material import crops, digits
from cnnlab.microscope import recipe
from cnnlab.nets import Net, Normalize, named
from cnnlab.objectives import Objective, custom
from cnnlab.parametrizations import Parametrization
from cnnlab.techniques import adversarial, dreaming, gram_style, inversion, occlusion, partial, relu_rules
from cnnlab.training import initialize
from cnnlab.zoo import efficientnet, zfnets

# Central differences with a step of 1e-6 are off by about 1e-12 for a smooth function, and by 1e-10 from rounding.
STEP, ABSOLUTE, RELATIVE = 1e-6, 1e-8, 1e-6


def check(function: Callable[..., Tensor], *inputs: Tensor, fast: bool = False) -> None:
    """The whole matrix of derivatives, or (fast) its product with random vectors. No gradient is 0 everywhere."""
    ready = [x.detach().double().requires_grad_() for x in inputs]
    found = function(*ready)
    assert found.dtype == torch.float64
    grads = torch.autograd.grad(found.sum(), ready)
    assert all(grad.any() for grad in grads), "its gradient is 0 everywhere"
    torch.autograd.gradcheck(function, ready, eps=STEP, atol=ABSOLUTE, rtol=RELATIVE, fast_mode=fast)


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def random(*shape: int, seed: int = 0) -> Tensor:
    """Numbers in [0.1, 0.9]: a step to either side stays in [0, 1]."""
    return 0.1 + 0.8 * torch.rand(shape, generator=generator(seed), dtype=torch.float64)


def chain(*last: nn.Module) -> nn.Sequential:
    """A chain without kinks."""
    layers = named(
        normalize=Normalize((0.4, 0.5, 0.6), (0.2, 0.25, 0.3)), conv1=nn.Conv2d(3, 4, 3), smooth1=nn.Tanh(),
        conv2=nn.Conv2d(4, 5, (2, 3), padding=1), smooth2=nn.Softplus(), pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(), logits=nn.Linear(5, 4),
    )  # fmt: skip
    return initialize(layers, generator())


NET = Net(chain(), "abcd", device="cpu").double()
IMAGE = random(2, 3, 6, 7)
OTHER = NET.activations(random(2, 3, 6, 7, seed=1), NET.layers)


# ---------------------------------------------------------------------------------------------------- objectives

CENTERS = torch.nn.functional.normalize(random(2, 5), dim=1)
OBJECTIVES: dict[str, list[Callable[[], Objective]]] = {
    "objectives.custom": [
        lambda: custom("both", lambda image, a: (image.mean((1, 2, 3)) * a["conv1"].std((1, 2, 3))), "conv1")
    ],
    "objectives.channel": [
        lambda: objectives.channel("smooth1", 2), lambda: objectives.channel("conv2", [3, 0]),
        lambda: objectives.channel("logits", 1),
    ],
    "objectives.neuron": [
        lambda: objectives.neuron("smooth2", 2), lambda: objectives.neuron("conv1", [0, 3], [0, 3], [4, 1])
    ],
    "objectives.logit": [lambda: objectives.logit(1), lambda: objectives.logit([3, 0])],
    "objectives.cross_entropy": [lambda: objectives.cross_entropy(1), lambda: objectives.cross_entropy([3, 0])],
    "objectives.code": [
        lambda: objectives.code("conv1", OTHER["conv1"]), lambda: objectives.code("smooth2", OTHER["smooth2"][:1]),
        lambda: objectives.code("flatten", OTHER["flatten"]),
    ],
    "objectives.energy": [lambda: objectives.energy("conv1"), lambda: objectives.energy("logits")],
    "objectives.channel_sums": [lambda: objectives.channel_sums("conv1", OTHER["conv1"].mean((2, 3)))],
    "objectives.total_variation": [objectives.total_variation],
    "objectives.pixel_norm": [
        objectives.pixel_norm, lambda: objectives.pixel_norm(6, center=0.5), lambda: objectives.pixel_norm(0.5)
    ],
    "techniques.adversarial.distance_to": [
        lambda: adversarial.distance_to(random(2, 3, 6, 7, seed=2), torch.tensor([0.5, 3.0]))
    ],
    "techniques.dreaming.best_match": [
        lambda: dreaming.best_match("conv1", OTHER["conv1"][:1, :, 1:3]),
        lambda: dreaming.best_match("conv2", OTHER["conv2"][1:]),
    ],
    "techniques.dreaming.in_tiles": [lambda: 2 * dreaming.in_tiles(NET, objectives.energy("conv2"), 32)],
    "techniques.gram_style.style": [
        lambda: gram_style.style("conv1", gram_style.gram(OTHER["conv1"])),
        lambda: gram_style.style("smooth2", gram_style.gram(OTHER["smooth2"][:1])),
    ],
    "chapters.ch04_atlas.toward": [lambda: ch04_atlas.toward("conv2", CENTERS.float())],
    "chapters.ch06_maps.probability": [lambda: ch06_maps.probability(2)],
    "chapters.ch13_measures.style_of": [
        lambda: ch13_measures.style_of(NET, [IMAGE[:1] / 2, IMAGE[:1] / 3], ["conv1", "conv2"], "Gram"),
        lambda: ch13_measures.style_of(NET, [IMAGE[:1] / 2, IMAGE[:1] / 3], ["conv1", "conv2"], "sums"),
    ],
    "chapters.ch15_attacks.margin": [lambda: ch15_attacks.margin(torch.tensor([1, 3]))],
}  # fmt: skip


def test_every_objective_has_a_case() -> None:
    assert set(OBJECTIVES) == gives(Objective)


@pytest.mark.parametrize(
    "make", [pytest.param(make, id=f"{name} {i}") for name, some in OBJECTIVES.items() for i, make in enumerate(some)]
)
def test_objectives(make: Callable[[], Objective]) -> None:
    objective = 0.7 * make()
    check(lambda image: objective.score(image, NET.run(image, objective.layers)), IMAGE)


def test_sums_of_objectives_and_their_gradient_as_the_loop_asks_for_it() -> None:
    objective = sum((make() for some in OBJECTIVES.values() for make in some), -0.3 * objectives.logit(2))
    check(lambda image: objective.score(image, NET.run(image, objective.layers)), IMAGE, fast=True)
    values, grad = gradient(NET, objective, IMAGE)
    direction = random(*IMAGE.shape, seed=5) - 0.5
    ahead, behind = (score(NET, objective, IMAGE + way * direction) for way in (STEP, -STEP))
    torch.testing.assert_close((grad * direction).sum((1, 2, 3)), (ahead - behind) / (2 * STEP), rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(values, (ahead + behind) / 2)


# ----------------------------------------------------------------------------------------------- parametrizations

WEIGHTS = parametrizations.cppn_weights(2, generator())
PARAMETRIZATIONS: dict[str, list[tuple[Parametrization, Tensor]]] = {
    "parametrizations.pixels": [(parametrizations.pixels(), IMAGE)],
    "parametrizations.spectrum": [
        (parametrizations.spectrum(), IMAGE),
        (parametrizations.spectrum(0), random(2, 1, 5, 4)),
        (parametrizations.spectrum(2.5), random(1, 3, 7, 5)),
        (parametrizations.spectrum(-1), random(1, 4, 1, 6)),
    ],
    "parametrizations.cppn": [(parametrizations.cppn(WEIGHTS), random(2, 3, 3, 4))],
}


def test_every_parametrization_has_a_case() -> None:
    assert set(PARAMETRIZATIONS) == gives(Parametrization)


@pytest.mark.parametrize(
    ("name", "parametrization", "image"), [(name, *case) for name, some in PARAMETRIZATIONS.items() for case in some]
)
def test_parametrizations(name: str, parametrization: Parametrization, image: Tensor) -> None:
    variable, decode = parametrization(image)
    assert variable.dtype == torch.float64
    check(decode, variable)
    if not name.endswith("cppn"):  # it takes its start from the weights
        torch.testing.assert_close(decode(variable), image, rtol=0, atol=1e-12)  # the start, with all its digits


# ----------------------------------------------------------------------------------------------------- transforms

BY_ONE = random(2, 3, 6, 7, seed=3)
MAPPINGS: dict[str, list[Callable[[Tensor], Tensor]]] = {
    "transforms.jitter": [transforms.jitter(3)],
    "transforms.wobble": [transforms.wobble(20, 1.3), transforms.wobble(0, 2)],
    "transforms.compose": [transforms.compose(transforms.wobble(9, 1.1), dreaming.soften, transforms.jitter(2))],
    "steps.linf_ball": [steps.linf_ball(BY_ONE, 0.2)],  # some pixels are inside, some are not
    "steps.l2_ball": [steps.l2_ball(BY_ONE, 1.0), steps.l2_ball(BY_ONE, 9.0)],
    "chapters.ch13_measures.sums_of": [ch13_measures.sums_of(NET, ["conv1", "smooth2"])],
    "chapters.ch13_measures.grams_of": [ch13_measures.grams_of(NET, ["conv1", "smooth2"])],
}


def test_every_transform_has_a_case() -> None:
    assert set(MAPPINGS) == gives(transforms.Transform)


@pytest.mark.parametrize(
    "mapping", [pytest.param(m, id=f"{name} {i}") for name, some in MAPPINGS.items() for i, m in enumerate(some)]
)
def test_transforms(mapping: Callable[[Tensor], Tensor]) -> None:
    check(lambda image: copy.deepcopy(mapping)(image), IMAGE)  # a copy draws the same numbers each time


# What the core and the techniques make of a tensor: here, or below with the reason why it has no gradient.
MAPS = random(2, 4, 5, 3)
FUNCTIONS: dict[str, tuple[Callable[..., Tensor], Tensor]] = {
    "transforms.blur": (lambda image: transforms.blur(image, 0.8), IMAGE),
    "images.resize": (lambda image: images.resize(image, (9, 4)), 0.3 + IMAGE / 3),
    "images.crop_to": (lambda image: images.crop_to(image, (4, 2)), 0.3 + IMAGE / 3),
    "images.center_crop": (lambda image: images.center_crop(image, (4, 5)), IMAGE),
    "techniques.dreaming.soften": (lambda image: dreaming.soften(image, 3), IMAGE),
    "techniques.gram_style.gram": (gram_style.gram, MAPS),
    "techniques.inversion.keep_channel": (lambda maps: inversion.keep_channel(maps, [1, 3]), MAPS),
    "techniques.inversion.reweight_channels": (
        lambda maps: inversion.reweight_channels(maps, torch.tensor([0.1, 0.0, 2.0, 1.0])), MAPS
    ),
    "techniques.inversion.energy_shares": (inversion.energy_shares, MAPS),
    "techniques.occlusion.cover": (lambda image: occlusion.cover(image, 1, 2, 3), IMAGE),
    "techniques.adversarial.sign_noise": (
        lambda image: adversarial.sign_noise(image, 0.05, generator()), IMAGE
    ),
}  # fmt: skip
NO_GRADIENT = {
    "descent.score": "it measures, and computes no graph",
    "training.logits_of": "it measures, and computes no graph",
    "techniques.attribution.saliency": "it is made of gradients",
    "techniques.attribution.smooth_grad": "it is made of gradients",
    "techniques.attribution.integrated_gradients": "it is made of gradients",
    "techniques.attribution.grad_cam": "it is made of gradients",
    "techniques.attribution.rise": "it measures masked images",
    "techniques.attribution.deletion": "it measures changed images",
    "techniques.occlusion.occlusion_map": "it measures covered images; their activations are below",
    "techniques.relu_rules.backprop_rule": "it is a gradient, below",
    "techniques.relu_rules.deconvnet_rule": "it is a gradient, below",
    "techniques.relu_rules.guided_rule": "it is a gradient, below",
    "techniques.relu_rules.redirected_rule": "it is a gradient, below",
    "files.as_jpeg": "bytes have no gradient",
}


def test_every_function_of_tensors_has_a_case_or_a_reason() -> None:
    names = functions(lambda types: types.pop("return", None) is Tensor and Tensor in types.values())
    core = {name for name in names if name.startswith("techniques.") or name.count(".") == 1}
    assert core == FUNCTIONS.keys() | NO_GRADIENT.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_tensors(name: str) -> None:
    check(*FUNCTIONS[name])


def test_augmentations_and_the_adversarial_patch() -> None:
    check(lambda image: digits.affine(image, generator()), IMAGE)
    check(lambda image: crops.augment_crops(image, generator()), 0.4 + random(1, 3, 72, 72) / 9, fast=True)
    patch, scenes = random(1, 3, 6, 6), random(2, 3, 12, 12)
    for moving in (False, True):
        check(lambda p, s, m=moving: ch14_patches.stick(p, s, generator(), width=0.6, moving=m), patch, scenes)


# --------------------------------------------------------------------------------------------------------- layers


def styler() -> nn.Module:
    return initialize(ch12_style_net.style_net(), generator())


LAYERS: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    "nets.Normalize": (lambda: Normalize((0.4, 0.5, 0.6), (0.2, 0.25, 0.3)), IMAGE),
    "nets.Net": (lambda: Net(chain(), device="cpu"), IMAGE),
    "zoo.efficientnet.SamePadding": (lambda: efficientnet.SamePadding(5, 2), IMAGE),
    "zoo.efficientnet.Residual": (lambda: efficientnet.Residual(nn.Sequential(nn.Tanh())), IMAGE),
    "chapters.ch07_antialias.BlurPool": (ch07_antialias.BlurPool, IMAGE),
    "chapters.ch12_style_net._Added": (styler, random(1, 3, 8, 12)),
    "chapters.ch15_hog._Gradients": (lambda: ch15_hog.hog_net().model.gradients, IMAGE),
    "chapters.ch15_hog._Blocks": (lambda: ch15_hog.hog_net().model.hog, random(2, 6, 4, 3)),
    "chapters.ch16_vowels.Spectrogram": (ch16_vowels.Spectrogram, random(1, 1, 1, ch16_vowels.SAMPLES)),
}
OTHER_LAYERS = {"techniques.relu_rules.RuledReLU", "chapters.ch15_hog._Cells", "microscope.recipe._Straight"}  # below


def test_every_layer_has_a_case() -> None:
    layers = found(lambda value: inspect.isclass(value) and issubclass(value, nn.Module))
    assert layers == LAYERS.keys() | OTHER_LAYERS


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str) -> None:
    make, given = LAYERS[name]
    check(make().double(), given, fast=given.numel() > 1000 or "style" in name)


def test_the_filters_of_a_zfnet_when_they_are_renormalized() -> None:
    filters = random(3, 2, 3, 2) - 0.5
    check(zfnets.filter_rms, filters)
    check(lambda x: zfnets.renormalize(x, 0.2), filters)


# ---------------------------------------------------------------------------------------- gradients written by hand


def tiled(image: Tensor) -> Tensor:
    objective = dreaming.in_tiles(NET, objectives.energy("conv2"), 32)
    return objective.score(image, {}) * image.new_tensor([1.0, -0.4])


def distances(maps: Tensor) -> Tensor:
    apart = gram_style.style("x", gram_style.gram(random(2, 4, 2, 6)))
    return apart.score(IMAGE, {"x": maps}) * maps.new_tensor([1.0, -0.4])


BY_HAND: dict[str, Callable[[], None]] = {
    "techniques.dreaming._TileByTile": lambda: check(tiled, random(2, 3, 33, 35), fast=True),
    "techniques.dreaming._Soften": lambda: check(lambda image: dreaming.soften(image, 2), IMAGE),
    "techniques.gram_style._GramDistance": lambda: [
        check(distances, MAPS), check(lambda maps: distances(maps.contiguous(memory_format=torch.channels_last)), MAPS)
    ],
    "techniques.relu_rules._Ruled": lambda: check(
        relu_rules.RuledReLU(relu_rules.backprop_rule), torch.where((MAPS > 0.5), MAPS, -MAPS)
    ),
}  # fmt: skip


def test_every_gradient_written_by_hand_has_a_case() -> None:
    functions = found(lambda value: inspect.isclass(value) and issubclass(value, torch.autograd.Function))
    assert functions == BY_HAND.keys()


@pytest.mark.parametrize("name", BY_HAND)
def test_gradients_written_by_hand(name: str) -> None:
    BY_HAND[name]()


# Each rule as its paper has it, element by element: (upstream gradient g, input x) -> what the layer below receives.
RULES: Mapping[str, Callable[[float, float], float]] = {
    "backprop_rule": lambda g, x: g if x > 0 else 0.0,
    "deconvnet_rule": lambda g, x: g if g > 0 else 0.0,
    "guided_rule": lambda g, x: g if x > 0 and g > 0 else 0.0,
    "redirected_rule": lambda g, x: g if x > 0 or g < 0 else 0.0,
}


def test_every_relu_rule_has_a_formula() -> None:
    rules = found(
        lambda value: inspect.isfunction(value) and list(inspect.signature(value).parameters) == ["grad", "x"]
    )
    public = {name for name in rules if "._" not in name}
    assert public == {f"techniques.relu_rules.{name}" for name in RULES}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_rules_are_their_formulas(name: str, kind: torch.dtype) -> None:
    signs = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0], dtype=kind)
    x, upstream = (v.reshape(1, 1, 5, 5) for v in torch.meshgrid(signs, 1.5 * signs, indexing="ij"))
    variable = x.clone().requires_grad_()
    relu = relu_rules.RuledReLU(getattr(relu_rules, name))
    shown = relu(variable)
    assert torch.equal(shown, F.relu(x))
    (grad,) = torch.autograd.grad(shown, variable, upstream)
    pairs = zip(upstream.flatten().tolist(), x.flatten().tolist(), strict=True)
    expected = torch.tensor([RULES[name](*pair) for pair in pairs], dtype=kind).view_as(x)
    assert torch.equal(grad, expected)
    assert grad.dtype == kind


def test_a_straight_activation_has_the_gradient_1_and_its_own_values() -> None:
    x = (random(2, 3, 4, 5) - 0.5).requires_grad_()
    shown = recipe._Straight(nn.GELU())(x)
    torch.testing.assert_close(shown, F.gelu(x))
    (grad,) = torch.autograd.grad(shown, x, upstream := random(2, 3, 4, 5, seed=1))
    assert torch.equal(grad, upstream)


def test_the_histograms_of_hog_have_the_gradient_of_shared_votes() -> None:
    """Strength with the votes as they are, plus each vote as it moves between its two nearest bins (straight-through).

    Both parts are differences: of the strength, and of the triangles around the centers of the bins.
    """
    cells, orientations = ch15_hog.hog_net().model.cells, 9
    given = (random(1, 2, 8, 16) - 0.5).requires_grad_()  # the gradients of two cells, down and right
    found = cells(given)
    assert found.dtype == torch.float64
    (grad,) = torch.autograd.grad(found, given, upstream := random(1, orientations, 1, 2, seed=1))

    def parts(gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        down, right = gradients.unbind(1)
        angle = (torch.atan2(down, right) / torch.pi * orientations) % orientations
        centers = torch.arange(orientations).view(-1, 1, 1) + 0.5
        gap = (angle[:, None] - centers).abs()
        triangle = (1 - torch.minimum(gap, orientations - gap)).clamp(min=0)
        inside = F.one_hot(angle.long(), orientations).movedim(-1, 1).double()
        return torch.sqrt(down**2 + right**2)[:, None], inside, triangle

    here = given.detach()
    strength, inside, _ = parts(here)
    expected = torch.zeros_like(here)
    for index in range(here.numel()):
        values = []
        for way in (STEP, -STEP):
            moved = here.clone()
            moved.view(-1)[index] += way
            stronger, _, shared = parts(moved)
            values.append((F.avg_pool2d(stronger * inside + strength * shared, 8) * upstream).sum())
        expected.view(-1)[index] = (values[0] - values[1]) / (2 * STEP)
    torch.testing.assert_close(grad, expected, rtol=RELATIVE, atol=ABSOLUTE)


def test_the_rectangles_of_occlusion_pass_the_gradient_of_covered_images() -> None:
    """What lies under the patch: through the rectangles alone, and through whole covered images."""
    layers, image, patch = ["conv2", "logits"], random(1, 3, 11, 13), random(3, 3, 4, 4, seed=1)
    tops, lefts = torch.tensor([0, 3, 7]), torch.tensor([9, 2, 4])
    covered = partial.Covered(NET, layers)
    clean = partial.Clean(image)

    def rectangles(changed: Tensor) -> Tensor:
        found = covered.activations(partial.Region(clean, changed, tops, lefts))
        return torch.cat([found[layer].flatten(1) for layer in layers], dim=1)

    def whole(changed: Tensor) -> Tensor:
        images = image.repeat(3, 1, 1, 1)
        for number, (top, left) in enumerate(zip(tops.tolist(), lefts.tolist(), strict=True)):
            images[number, :, top : top + 4, left : left + 4] = changed[number]
        found = NET.run(images, layers)
        return torch.cat([found[layer].flatten(1) for layer in layers], dim=1)

    check(rectangles, patch, fast=True)
    ours, theirs = (torch.autograd.functional.jacobian(f, patch) for f in (rectangles, whole))
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)
