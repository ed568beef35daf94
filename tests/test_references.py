"""Every technique equals an independent reference: the table of which test compares it, and what was missing in it.

A reference is another package (torchattacks, captum, SciPy, scikit-image, PyTorch's own), or the formula written out.
The test of the table asks the modules which functions there are, so a new one needs a line, and a test.
"""

import ast
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from inventory import functions
from scipy import ndimage
from scipy.signal import get_window, stft
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from torch import Generator, Tensor, nn

from cnnlab.chapters import (
    ch04_atlas,
    ch05_sanity,
    ch06_maps,
    ch08_nets,
    ch09_copies,
    ch13_measures,
    ch15_attacks,
    ch16_vowels,
)
from cnnlab.descent import descend, gradient
from cnnlab.images import noise
from cnnlab.material.digits import affine
from cnnlab.nets import Net, named
from cnnlab.objectives import Objective, channel, cross_entropy, logit
from cnnlab.parametrizations import cppn_weights, spectrum
from cnnlab.runs import Run
from cnnlab.steps import StepRule, l2_ball, linf_ball, plain
from cnnlab.techniques import attribution, inversion, occlusion, patches, relu_rules, stages
from cnnlab.techniques.adversarial import sign_noise
from cnnlab.techniques.dreaming import soften
from cnnlab.training import initialize
from cnnlab.transforms import wobble

HERE = Path(__file__).parent
# Function -> the test that compares it with a reference; one without a file is in this one.
REFERENCES: dict[str, str] = {
    "descent.score": "test_descent.test_gradient_and_score_are_the_formula_and_its_derivative",
    "descent.gradient": "test_descent.test_gradient_and_score_are_the_formula_and_its_derivative",
    "descent.descend": "test_steps.test_first_order_steps_equal_the_loop_written_out",
    "objectives.custom": "test_objectives.test_an_objective_of_ones_own",
    "objectives.channel": "test_objectives.test_each_objective_is_its_formula_for_every_image",
    "objectives.neuron": "test_objectives.test_each_objective_is_its_formula_for_every_image",
    "objectives.logit": "test_objectives.test_each_objective_is_its_formula_for_every_image",
    "objectives.cross_entropy": "test_objectives.test_each_objective_is_its_formula_for_every_image",
    "objectives.code": "test_objectives.test_each_objective_is_its_formula_for_every_image",
    "objectives.energy": "test_objectives.test_each_objective_is_its_formula_for_every_image",
    "objectives.channel_sums": "test_objectives.test_channel_sums_are_means_over_the_positions",
    "objectives.total_variation": "test_objectives.test_each_objective_is_its_formula_for_every_image",
    "objectives.pixel_norm": "test_objectives.test_each_objective_is_its_formula_for_every_image",
    "parametrizations.pixels": "test_steps.test_first_order_steps_equal_the_loop_written_out",
    "parametrizations.spectrum": "test_parametrizations.test_the_spectrum_is_the_formula_written_out",
    "parametrizations.cppn": "test_parametrizations.test_a_painted_picture_is_the_formula_at_each_position",
    "parametrizations.cppn_weights": "test_painters_weights_are_normal_numbers_of_the_layers_spread",
    "steps.plain": "test_steps.test_first_order_steps_equal_the_loop_written_out",
    "steps.sign": "test_steps.test_first_order_steps_equal_the_loop_written_out",
    "steps.normalized": "test_steps.test_first_order_steps_equal_the_loop_written_out",
    "steps.adam": "test_steps.test_adam_is_torchs_with_clipping",
    "steps.lbfgs": "test_steps.test_lbfgs_stepped_is_lbfgs_in_one_go",
    "steps.linf_ball": "test_balls_are_numpys_projections",
    "steps.l2_ball": "test_balls_are_numpys_projections",
    "transforms.jitter": "test_transforms.test_two_transforms_with_one_generator_share_it_in_the_copy_too",
    "transforms.wobble": "test_a_wobble_turns_and_resizes_as_scipy_does_also_what_is_not_square",
    "transforms.compose": "test_transforms.test_compose_applies_the_first_first",
    "transforms.blur": "test_transforms.test_blur_is_scipys",
    "training.fit": "test_training.test_fit_is_the_loop_written_out",
    "training.one_cycle": "test_training.test_fit_is_the_loop_written_out",
    "training.initialize": "test_training.test_initial_weights_have_the_variance_of_he",
    "training.logits_of": "test_training.test_logits_and_accuracy_over_several_batches_in_eval_mode",
    "training.accuracy": "test_training.test_logits_and_accuracy_over_several_batches_in_eval_mode",
    "techniques.adversarial.fgsm": "test_adversarial.test_the_same_images_as_torchattacks",
    "techniques.adversarial.pgd": "test_adversarial.test_the_same_images_as_torchattacks",
    "techniques.adversarial.sign_noise": "test_noise_of_random_signs_is_the_formula",
    "techniques.adversarial.distance_to": "test_adversarial.test_the_distance_has_a_price_of_its_own_for_each_image",
    "techniques.adversarial.smallest": (
        "test_adversarial.test_the_smallest_perturbation_of_a_linear_net_is_the_distance_to_its_boundary"
    ),
    "techniques.attribution.saliency": (
        "test_attribution.test_saliency_and_integrated_gradients_and_grad_cam_are_captums"
    ),
    "techniques.attribution.smooth_grad": "test_attribution.test_smooth_grad_is_captums_with_the_same_noise",
    "techniques.attribution.integrated_gradients": (
        "test_attribution.test_saliency_and_integrated_gradients_and_grad_cam_are_captums"
    ),
    "techniques.attribution.grad_cam": (
        "test_attribution.test_saliency_and_integrated_gradients_and_grad_cam_are_captums"
    ),
    "techniques.attribution.rise": "test_rise_is_the_sum_over_masks_written_out",
    "techniques.attribution.deletion": "test_attribution.test_deletion_replaces_the_hottest_pixels_first",
    "techniques.dreaming.dream": "test_dreaming.test_dream_is_the_loop_by_hand",
    "techniques.dreaming.in_tiles": "test_dreaming.test_tiles_are_the_gradients_of_the_parts",
    "techniques.dreaming.best_match": "test_dreaming.test_best_match_is_the_loop_over_positions",
    "techniques.dreaming.soften": "test_soften_is_scipys_convolution_around_the_edges",
    "techniques.gram_style.gram": "test_gram_style.test_the_gram_matrix_is_the_double_loop",
    "techniques.gram_style.style": "test_gram_style.test_style_is_that_of_gatys_relative_to_its_size",
    "techniques.inversion.keep_channel": "test_inversion.test_psi_is_the_loop_over_maps_and_positions",
    "techniques.inversion.reweight_channels": (
        "test_inversion.test_reweighting_is_the_formula_keeps_the_sum_and_who_is_active"
    ),
    "techniques.inversion.energy_shares": "test_inversion.test_energy_shares_are_those_of_the_squares",
    "techniques.inversion.lively_starts": "test_lively_starts_are_the_best_of_32_noises_for_each_channel",
    "techniques.inversion.textures": "test_textures_are_torchs_adam_on_the_spectrum_with_the_same_shifts",
    "techniques.inversion.invert": "test_inversion_is_torchs_lbfgs_on_the_spectrum",
    "techniques.occlusion.positions": "test_occlusion_without_overlap_is_captums",
    "techniques.occlusion.cover": "test_occlusion_without_overlap_is_captums",
    "techniques.occlusion.occlusion_map": "test_occlusion_without_overlap_is_captums",
    "techniques.partial.whole": "test_occlusion.test_any_architecture",
    "techniques.patches.cut_crops": "test_patches.test_crops_cover_the_photograph_at_every_size",
    "techniques.patches.scan": "test_patches.test_scan_finds_the_maxima",
    "techniques.patches.strongest_patches": "test_strongest_patches_are_those_of_a_search_through_all_crops",
    "techniques.patches.project": "test_patches.test_projections_are_single_gradients_cut_to_the_patch",
    "techniques.patches.receptive_field": (
        "test_patches.test_the_receptive_field_in_any_net_is_what_a_gradient_reaches"
    ),
    "techniques.relu_rules.backprop_rule": "test_relu_rules.test_equals_an_explicit_chain_exactly",
    "techniques.relu_rules.deconvnet_rule": "test_relu_rules.test_equals_an_explicit_chain_exactly",
    "techniques.relu_rules.guided_rule": "test_relu_rules.test_equals_an_explicit_chain_exactly",
    "techniques.relu_rules.redirected_rule": "test_gradients.test_rules_are_their_formulas",
    "techniques.relu_rules.deconvnet": "test_deconvnet_and_guided_backprop_are_captums",
    "techniques.relu_rules.guided": "test_deconvnet_and_guided_backprop_are_captums",
    "techniques.relu_rules.with_relu_rule": "test_relu_rules.test_every_form_of_relu_takes_the_rule_at_every_use",
    "techniques.stages.in_stages": "test_a_zoom_is_its_stages_by_hand",
    "techniques.stages.grow": "test_stages.test_growing_is_descent_enlarged_and_descended_again",
    "techniques.stages.zoom": "test_a_zoom_is_its_stages_by_hand",
    "techniques.stages.carry": "test_stages.test_a_stage_begins_with_the_photograph_and_what_was_added",
    "techniques.stages.stage_images": "test_a_zoom_is_its_stages_by_hand",
    # Which operations may take a short way: right if occlusion by rectangles equals occlusion of whole images.
    "techniques.windows.window_of": "test_occlusion.test_no_short_way_is_wrong",
    "techniques.windows.is_pointwise": "test_occlusion.test_no_short_way_is_wrong",
    "techniques.windows.is_global_average": "test_occlusion.test_no_short_way_is_wrong",
    "techniques.windows.concatenates_channels": "test_occlusion.test_no_short_way_is_wrong",
    "techniques.windows.mixes_last_axis": "test_patches.test_the_receptive_field_in_any_net_is_what_a_gradient_reaches",
    "techniques.windows.asks_for_a_size": "test_occlusion.test_no_short_way_is_wrong",
    "techniques.windows.call_of": "test_occlusion.test_no_short_way_is_wrong",
    "techniques.windows.kind": "test_occlusion.test_no_short_way_is_wrong",
}
# Of single chapters: what the loop of the course is given there.
REFERENCES |= {
    "chapters.ch04_atlas.toward": "test_a_direction_is_followed_position_by_position",
    "chapters.ch06_maps.probability": "test_rise_is_the_sum_over_masks_written_out",
    "chapters.ch11_dreams.deep": "test_ch11_dreams.test_with_one_octave_a_deep_dream_is_a_run_in_the_spectrum",
    "chapters.ch13_measures.style_of": "test_the_style_of_paintings_is_the_sum_of_distances_by_hand",
    "chapters.ch15_attacks.unit": "test_ch15_attacks.test_a_step_has_the_length_that_was_asked_for",
    "chapters.ch15_attacks.pgd_l2": "test_attacks_of_a_length_are_torchattacks",
    "chapters.ch15_attacks.margin": "test_the_margin_is_the_difference_by_hand",
}
CORE = ("descent", "objectives", "parametrizations", "steps", "training", "transforms", "techniques")


def test_every_technique_is_in_the_table() -> None:
    core = {name for name in functions(lambda types: True) if name.partition(".")[0] in CORE}
    given = functions(lambda types: types.get("return") in (Objective, StepRule, Run))
    assert core | {name for name in given if name.startswith("chapters.")} == REFERENCES.keys()


def test_every_test_of_the_table_is_there() -> None:
    for reference in set(REFERENCES.values()):
        file, _, test = reference.rpartition(".")
        tree = ast.parse((HERE / f"{file or 'test_references'}.py").read_text(encoding="utf-8"))
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert test in names, f"{file} has no {test}"


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture
def net() -> Net:
    chain = named(
        conv1=nn.Conv2d(3, 6, 3, padding=1), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2), conv2=nn.Conv2d(6, 8, 3),
        relu2=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), logits=nn.Linear(8, 5),
    )  # fmt: skip
    return Net(initialize(chain, generator(1)), device="cpu")


@pytest.fixture
def images() -> Tensor:
    return 0.1 + 0.8 * torch.rand((2, 3, 24, 30), generator=generator(2))


def test_a_wobble_turns_and_resizes_as_scipy_does_also_what_is_not_square() -> None:
    for height, width in ((21, 21), (18, 30), (30, 18)):
        image = torch.rand((2, 3, height, width), generator=generator(3))
        for degrees, scale in ((25, 1.0), (0, 1.4), (40, 1.3)):
            turn, grow = (2 * torch.rand(2, generator=generator(4)) - 1).tolist()
            angle, factor = math.radians(degrees * turn), scale**-grow
            matrix = factor * np.array(
                [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
            )  # y, x
            middle = np.array([(height - 1) / 2, (width - 1) / 2])
            expected = [
                [ndimage.affine_transform(plane, matrix, middle - matrix @ middle, order=1, mode="reflect")
                 for plane in one] for one in image.double().numpy()
            ]  # fmt: skip
            found = wobble(degrees, scale, generator(4))(image)
            assert np.abs(found.numpy() - np.array(expected)).max() < 1e-4, (height, width, degrees, scale)


def test_soften_is_scipys_convolution_around_the_edges() -> None:
    image = torch.rand((2, 3, 7, 10), generator=generator(), dtype=torch.float64)
    expected = image.numpy()
    for _ in range(3):
        for axis in (-1, -2):
            expected = ndimage.convolve1d(expected, np.array([1, 2, 1]) / 4, axis=axis, mode="wrap")
    assert np.abs(soften(image, times=3).numpy() - expected).max() < 1e-12


def test_balls_are_numpys_projections() -> None:
    center, image = (torch.rand((3, 2, 4, 5), generator=generator(seed)) for seed in (0, 1))
    c, x = center.numpy().astype(np.float64), image.numpy().astype(np.float64)
    found = linf_ball(center, 0.2)(image).numpy()
    assert np.abs(found - np.minimum(np.maximum(x, c - 0.2), c + 0.2)).max() < 1e-6
    lengths = [np.linalg.norm(x[i] - c[i]) for i in range(3)]
    radius = sorted(lengths)[1] - 1e-3  # one image lies inside
    found = l2_ball(center, radius)(image).numpy()
    for i, length in enumerate(lengths):
        expected = x[i] if length <= radius else c[i] + radius * (x[i] - c[i]) / length
        assert np.abs(found[i] - expected).max() < 1e-6


def test_noise_of_random_signs_is_the_formula(images: Tensor) -> None:
    heads = torch.randint(0, 2, images.shape, generator=generator(5)).bool()
    expected = torch.where(heads, images + 0.15, images - 0.15).clamp(0, 1)
    torch.testing.assert_close(sign_noise(images, 0.15, generator(5)), expected)


def test_painters_weights_are_normal_numbers_of_the_layers_spread() -> None:
    weights, first = cppn_weights(4000, generator()), 0
    for inputs, outputs, spread in (
        (4, 16, 5.0),
        (17, 16, 1.5 / 17**0.5),
        (17, 16, 1.5 / 17**0.5),
        (17, 3, 1.5 / 17**0.5),
    ):
        layer = weights[:, first : first + inputs * outputs]
        assert layer.std().item() == pytest.approx(spread, rel=0.02)
        assert abs(layer.mean().item()) < 0.02 * spread
        first += inputs * outputs
    assert first == weights.shape[1]


def test_rise_is_the_sum_over_masks_written_out(net: Net, images: Tensor) -> None:
    """Pixel by pixel, with an interpolation of its own; the random numbers are drawn in the same order."""
    count, grid, keep, (height, width) = 7, 3, 0.6, images.shape[2:]
    cell = math.ceil(height / grid), math.ceil(width / grid)
    random = generator(6)
    cells = (torch.rand((count, 1, grid + 1, grid + 1), generator=random) < keep).double().numpy()[:, 0]
    downs, rights = (torch.randint(size, (count,), generator=random).tolist() for size in cell)

    def enlarged(values: np.ndarray, size: int) -> np.ndarray:
        """Linear between the middles of the cells, constant outside, along the last axis."""
        places = (np.arange((grid + 1) * size) + 0.5) / size - 0.5
        return np.stack([np.interp(places, np.arange(grid + 1), row) for row in values])

    expected = np.zeros((height, width))
    for number in range(count):
        large = enlarged(enlarged(cells[number], cell[1]).T, cell[0]).T
        mask = large[downs[number] : downs[number] + height, rights[number] : rights[number] + width]
        with torch.no_grad():
            seen = images[:1] * torch.from_numpy(mask).float()
            expected += net(seen).softmax(1)[0, 2].item() * mask / (count * keep)
    found = attribution.rise(net, ch06_maps.probability(2), images[:1], generator(6), masks=count, grid=grid, keep=keep)
    assert np.abs(found.numpy() - expected).max() < 1e-5


def test_occlusion_without_overlap_is_captums(net: Net, images: Tensor) -> None:
    attr = pytest.importorskip("captum.attr")
    image, patch = images[:1], 6  # 24 x 30 pixels: 4 x 5 patches
    theirs = attr.Occlusion(net).attribute(image, (3, patch, patch), (3, patch, patch), baselines=0.25, target=2)
    found = occlusion.occlusion_map(net, image, logit(2), patch=patch, stride=patch, fill=0.25, progress=False)
    with torch.no_grad():
        drops = net(image)[0, 2] - found
    assert drops.shape == (4, 5)
    assert drops.std() > 1e-3
    expected = theirs[0, 0, patch // 2 :: patch, patch // 2 :: patch]
    torch.testing.assert_close(drops, expected, rtol=0, atol=1e-5)
    assert occlusion.positions(image, 7, 4) == ([0, 4, 8, 12, 16], [0, 4, 8, 12, 16, 20])
    expected_image = image.numpy().copy()
    for y in range(4, 7):
        for x in range(9, 12):
            expected_image[:, :, y, x] = 0.25
    assert np.array_equal(occlusion.cover(image, 4, 9, 3, 0.25).numpy(), expected_image)


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
def test_deconvnet_and_guided_backprop_are_captums(net: Net, images: Tensor) -> None:
    attr = pytest.importorskip("captum.attr")
    for view, method in ((relu_rules.deconvnet, attr.Deconvolution), (relu_rules.guided, attr.GuidedBackprop)):
        theirs = method(net.model).attribute(images.clone().requires_grad_(), target=3)
        found = gradient(view(net), logit(3), images)[1]
        assert found.abs().max() > 0
        torch.testing.assert_close(found, theirs, rtol=1e-4, atol=1e-6)


def test_strongest_patches_are_those_of_a_search_through_all_crops(net: Net, images: Tensor) -> None:
    """One neuron of each crop competes, its strongest; those stay that share at most a fifth with a better one."""
    photos = {"one": torch.rand((1, 3, 30, 44), generator=generator(7)), "two": images[:1]}
    crops = patches.cut_crops(photos, (24, 32), 20)
    scanned = patches.scan(net, crops, ["relu1", "relu2"], progress=False)
    for layer, number in (("relu1", 2), ("relu2", 1), ("relu2", 5)):
        size, step, start = patches.receptive_field(net, layer)
        rivals = []
        for crop in crops:
            maps = net.activations(crop.image, [layer])[layer][0, number]
            corners = [min(max(start + step * i, 0), 20 - size) for i in divmod(int(maps.argmax()), maps.shape[1])]
            unit = crop.extent / 20  # of a pixel, relative to the photograph's shorter side
            box = crop.top + unit * corners[0], crop.left + unit * corners[1], unit * size
            rivals.append((maps.max().item(), crop.source, box))
        kept: list[tuple] = []
        for value, source, (top, left, side) in sorted(rivals, key=lambda rival: -rival[0]):
            shares = [
                max(min(top + side, t + s) - max(top, t), 0) * max(min(left + side, u + s) - max(left, u), 0)
                / min(side, s) ** 2
                for _, name, (t, u, s) in kept if name == source
            ]  # fmt: skip
            if value > 0 and all(share <= 0.2 for share in shares):
                kept.append((value, source, (top, left, side)))
        found = patches.strongest_patches(scanned, layer, number)
        assert len(found) == min(len(kept), 9) > 1
        for patch, (value, source, box) in zip(found, kept, strict=False):
            assert (patch.crop.source, patch.size) == (source, size)
            unit = patch.crop.extent / 20
            where = patch.crop.top + unit * patch.top, patch.crop.left + unit * patch.left, unit * patch.size
            assert (patch.value, *where) == pytest.approx((value, *box), rel=1e-5)


def test_lively_starts_are_the_best_of_32_noises_for_each_channel(net: Net) -> None:
    pool = noise((32, 3, 14, 18), generator(8), std=0.05, decay=1)
    found = inversion.lively_starts(net, "relu2", [4, 0], (1, 3, 14, 18), generator(8))
    for start, number in zip(found, (4, 0), strict=True):
        means = [net.activations(one[None], ["relu2"])["relu2"][0, number].mean().item() for one in pool]
        assert torch.equal(start, pool[int(np.argmax(means))])


def relative_distance(net: Net, image: Tensor, layer: str, target: Tensor) -> Tensor:
    gap = net.run(image, [layer])[layer] - target
    return gap.square().sum((1, 2, 3)) / target.square().sum((1, 2, 3))


def test_textures_are_torchs_adam_on_the_spectrum_with_the_same_shifts(net: Net, images: Tensor) -> None:
    net.double()  # up to the last digits: Adam's steps enlarge them
    channels, start = [1, 6], torch.rand((2, 3, 24, 30), generator=generator(9), dtype=torch.float64)
    maps = net.activations(images[:1], ["relu2"])["relu2"]
    target = torch.zeros_like(maps).repeat(2, 1, 1, 1)
    for place, number in enumerate(channels):
        target[place, number] = maps[0].sum(0)
    target = target.float().double()  # an objective keeps its target in float32
    variable, decode = spectrum()(start)
    variable.requires_grad_()
    optimizer, random = torch.optim.Adam([variable], lr=0.08), generator(0)
    for _ in range(5):
        down, right = torch.randint(-4, 5, (2,), generator=random).tolist()
        optimizer.zero_grad()
        relative_distance(net, decode(variable).roll((down, right), (2, 3)), "relu2", target).sum().backward()
        optimizer.step()
    found = inversion.textures(net, images[:1], "relu2", channels, steps=5, start=start).finish(progress=False)
    torch.testing.assert_close(found, decode(variable).detach(), rtol=0, atol=1e-6)


def test_inversion_is_torchs_lbfgs_on_the_spectrum(net: Net, images: Tensor) -> None:
    net.double()
    start = torch.rand((2, 3, 24, 30), generator=generator(9), dtype=torch.float64)
    target = net.activations(images, ["relu1"])["relu1"].float().double()
    variable, decode = spectrum()(start)
    variable = variable.contiguous().requires_grad_()
    optimizer = torch.optim.LBFGS([variable], max_iter=4, history_size=10, tolerance_grad=0, tolerance_change=0)

    def closure() -> Tensor:
        optimizer.zero_grad()
        image = decode(variable)
        smooth = (image[:, :, 1:] - image[:, :, :-1]).abs().mean() + (image[..., 1:] - image[..., :-1]).abs().mean()
        middle = (image - 0.5).abs().pow(6).mean()
        loss = relative_distance(net, image, "relu1", target).sum() + 2 * (0.03 * smooth + 0.7 * middle)  # of 2 images
        loss.backward()
        assert variable.grad is not None
        variable.grad = variable.grad.contiguous()
        return loss

    optimizer.step(closure)
    found = inversion.invert(net, "relu1", target, start, steps=4, bound=0.7).finish(progress=False)
    assert (found - start).abs().max() > 0.01
    torch.testing.assert_close(found, decode(variable).detach(), rtol=0, atol=1e-6)


def test_a_zoom_is_its_stages_by_hand(net: Net, images: Tensor) -> None:
    def stage(image: Tensor, number: int) -> Run:
        return descend(net, -channel("relu2", number), image, steps=2, step=plain(5.0))

    image, expected = images[:1], []
    for number in range(3):
        if number:
            larger = F.interpolate(image, (30, 38), mode="bicubic", antialias=True).clamp(0, 1)  # 1.25 x 24, 1.25 x 30
            image = larger[:, :, 3:27, 4:34]
        for _ in range(2):
            variable = image.clone().requires_grad_()
            (grad,) = torch.autograd.grad(net.run(variable, ["relu2"])["relu2"][:, number].mean(), variable)
            image = (image + 5.0 * grad).clamp(0, 1)
        expected.append(image)
    found = list(stages.stage_images(stages.zoom(stage, images[:1], frames=3, scale=1.25)))
    assert len(found) == 3
    for frame, by_hand in zip(found, expected, strict=True):
        torch.testing.assert_close(frame, by_hand, rtol=0, atol=1e-5)


# ------------------------------------------------------------------------------------- measures of single chapters


def test_attacks_of_a_length_are_torchattacks(net: Net, images: Tensor) -> None:
    torchattacks = pytest.importorskip("torchattacks")
    labels = net(images).argmax(1)
    # torchattacks views the gradient as rows, which needs the memory that these two layers give it
    theirs = nn.Sequential(nn.Flatten(), nn.Unflatten(1, (3, 24, 30)), net).eval()
    attack = torchattacks.PGDL2(theirs, eps=0.5, alpha=2.5 * 0.5 / 6, steps=6, random_start=False)
    found = ch15_attacks.pgd_l2(net, -cross_entropy(labels), images, 0.5, steps=6).finish(progress=False)
    assert (found - images).abs().max() > 0.01
    torch.testing.assert_close(found, attack(images, labels), rtol=0, atol=1e-5)


def test_the_margin_is_the_difference_by_hand() -> None:
    logits = torch.randn((6, 5), generator=generator())
    found = ch15_attacks.margin(torch.arange(6) % 5).score(logits, {"logits": logits})
    for value, row, label in zip(found, logits.tolist(), [0, 1, 2, 3, 4, 0], strict=True):
        assert value.item() == pytest.approx(row[label] - max(x for i, x in enumerate(row) if i != label))


def test_a_direction_is_followed_position_by_position() -> None:
    maps = torch.randn((2, 4, 3, 5), generator=generator())
    directions = F.normalize(torch.randn((2, 4), generator=generator(1)), dim=1)
    found = ch04_atlas.toward("x", directions).score(maps, {"x": maps})
    for value, one, d in zip(found, maps.double().numpy(), directions.double().numpy(), strict=True):
        vectors = one.reshape(4, 15).T
        expected = np.mean([a @ d * max(a @ d / np.linalg.norm(a), 0.1) for a in vectors])
        assert value.item() == pytest.approx(expected, rel=1e-5)


def test_the_style_of_paintings_is_the_sum_of_distances_by_hand(net: Net, images: Tensor) -> None:
    paintings, layers = [images[:1, :, :15], images[1:, :, 3:]], ["relu1", "relu2"]
    ways = {
        "sums": lambda maps: maps.mean((1, 2)),
        "Gram": lambda maps: np.einsum("ihw,jhw->ij", maps, maps) / maps[0].size,
    }
    for way, describe in ways.items():
        found = ch13_measures.style_of(net, paintings, layers, way).score(images, net.activations(images, layers))
        for number, value in enumerate(found.tolist()):
            expected = 0.0
            for layer in layers:
                own, aim = (
                    describe(net.activations(image, layers)[layer][0].double().numpy())
                    for image in (images[number : number + 1], paintings[number])
                )
                expected += ((own - aim) ** 2).sum() / (aim**2).sum()
            assert value == pytest.approx(expected, rel=1e-4)


def test_agreement_is_scikit_learns_area_under_the_curve() -> None:
    heat, mask = torch.rand((64, 80), generator=generator()), torch.zeros(64, 80, dtype=torch.bool)
    mask[8:40, 16:48] = True
    cells = heat.view(8, 8, 10, 8).mean((1, 3))
    inside = mask.view(8, 8, 10, 8).float().mean((1, 3)) > 0.5
    assert ch06_maps.agreement(heat, mask) == pytest.approx(roc_auc_score(inside.flatten(), cells.flatten()))


def test_rank_correlations_are_scipys() -> None:
    a, b = torch.randn((2, 3, 2, 9, 8), generator=generator())
    found = ch05_sanity.rank_correlations(a, b).tolist()
    assert found == pytest.approx([spearmanr(x.abs().sum(0).flatten(), y.abs().sum(0).flatten())[0]
                                   for x, y in zip(a, b, strict=True)], abs=1e-5)  # fmt: skip


def test_cka_is_the_formula_of_its_paper() -> None:
    """|Y' X|^2 / (|X' X| |Y' Y|) of centered features, Frobenius norms (Kornblith et al. 2019, section 2)."""
    x, y = np.random.default_rng(0).normal(size=(2, 9, 6))
    a, b = x - x.mean(0), y[:, :4] - y[:, :4].mean(0)
    expected = np.linalg.norm(b.T @ a) ** 2 / (np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b))
    assert ch08_nets.cka(torch.from_numpy(x), torch.from_numpy(y[:, :4])) == pytest.approx(expected)


def test_the_spectrogram_is_made_of_scipys_transforms() -> None:
    layer, rate = ch16_vowels.Spectrogram(bands=12), ch16_vowels.RATE
    sound = ch16_vowels.voices("women", 1, generator()).images[:1]
    wave = 2 * sound.double().numpy().ravel() - 1
    frequencies, _, transform = stft(
        wave, rate, window="hann", nperseg=256, noverlap=256 - (ch16_vowels.SAMPLES - 256) // 39, nfft=2048,
        boundary=None, padded=False, scaling="spectrum",
    )  # fmt: skip
    window = get_window("hann", 256)
    power = (np.abs(transform) * window.sum()) ** 2
    levels = []
    for band in np.geomspace(7800, 100, 12):
        triangle = np.clip(1 - np.abs(np.log2(np.maximum(frequencies, 1) / band)) / 0.3, 0, None)
        level = 10 * np.log10(triangle @ power / triangle.sum() + 1e-6)
        levels.append(level + 6 * np.log2(band / 100))
    expected = np.clip((np.array(levels) - np.max(levels)) / 50 + 1, 0, None)
    assert expected.shape == (12, 40)
    assert np.abs(layer(sound)[0, 0].numpy() - expected).max() < 2e-3


def test_random_changes_of_digits_are_scipys_also_of_what_is_not_square() -> None:
    image = torch.rand((1, 1, 18, 27), generator=generator(3))
    turn, grow, slip, right, down = (2 * torch.rand((5, 1), generator=generator(4)) - 1).flatten().tolist()
    angle, factor = math.radians(30) * turn, 1 / (1 + 0.2 * grow)
    turned = factor * np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])  # to (y, x)
    matrix = turned @ np.array([[1, 0], [0.3 * slip, 1]])  # a row slips by its distance from the middle row
    middle = np.array([(18 - 1) / 2, (27 - 1) / 2])
    offset = middle - matrix @ middle + 3 * np.array([down, right])
    padded = np.pad(image.double().numpy()[0, 0], 1)  # beyond the border there is black
    offset = offset + 1 - matrix @ [1, 1]
    expected = ndimage.affine_transform(padded, matrix, offset, order=1, mode="constant")[1:-1, 1:-1]
    found = affine(image, generator(4), degrees=30, scale=0.2, shift=3, shear=0.3)[0, 0]
    assert np.abs(found.numpy() - expected).max() < 1e-4


def test_a_hash_is_a_loop_over_neighbors() -> None:
    images = torch.rand((2, 3, 8, 9), generator=generator())
    found = ch09_copies.difference_hash(images)
    for bits, image in zip(found, images.mean(1), strict=True):
        expected = [bool(image[y, x] < image[y, x + 1]) for y in range(8) for x in range(8)]
        assert bits.tolist() == expected
