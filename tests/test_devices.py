"""On a machine without a GPU: every run on a device that is not the CPU, so that no tensor is left behind.

The other device is called "meta", which every PyTorch knows. Its tensors hold no values, but ours do (`Elsewhere`): the
CPU computes them. An operation on tensors of two devices is refused, as CUDA refuses it. So a run that ends has left no
tensor behind, and its result can be compared with the CPU's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import torch
from inventory import functions, gives
from torch import Generator, Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_iter, tree_map

from cnnlab import descent, images, objectives, parametrizations, steps, training, transforms
from cnnlab.material.photos import photo
from cnnlab.nets import Net, Normalize, named
from cnnlab.objectives import Objective, channel
from cnnlab.parametrizations import Parametrization
from cnnlab.runs import Run
from cnnlab.steps import Projection, StepRule
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
from cnnlab.training import Examples, initialize
from cnnlab.transforms import Transform
from cnnlab.zoo.load import untrained

DEVICE = torch.device("meta")
aten = torch.ops.aten
# What CUDA takes from two devices: a copy, and positions on the CPU.
COPIES = {aten.copy_.default, aten._to_copy.default}
POSITIONS = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}


class Elsewhere(Tensor):
    """A tensor of the other device: it says that it is there, and has its values in `here`, on the CPU."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> "Elsewhere":
        with torch.inference_mode(here.is_inference()):
            made = Tensor._make_wrapper_subclass(
                cls, here.shape, strides=here.stride(), storage_offset=here.storage_offset(), dtype=here.dtype,
                device=DEVICE, requires_grad=False,
            )  # fmt: skip
        made.here = here
        return made

    def tolist(self) -> Any:
        return self.detach().cpu().tolist()

    def __getitem__(self, index: Any) -> Tensor:
        return super().__getitem__(positions(index))

    def __setitem__(self, index: Any, values: Any) -> None:
        super().__setitem__(positions(index), values)

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(function, args, kwargs or {})


class OtherDevice(TorchDispatchMode):
    """Makes the tensors that are asked for on the other device, and moves those that go there."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with self:  # in inference mode PyTorch hands over operations that consist of others, as `to` does
            made = function.decompose(*args, **(kwargs or {}))
        return computed(function, args, kwargs or {}) if made is NotImplemented else made


def positions(index: Any) -> Any:
    """The index with its lists as tensors: PyTorch would make them where the mode does not see it."""
    parts = index if isinstance(index, tuple) else (index,)
    return tuple(torch.tensor(part) if isinstance(part, list) else part for part in parts)


def computed(function: Any, args: tuple, kwargs: dict) -> Any:
    """What the operation gives, computed on the CPU; a RuntimeError if its tensors are on two devices."""
    given = [value for value in tree_iter((args, kwargs)) if isinstance(value, Tensor)]
    there = any(isinstance(value, Elsewhere) for value in given)
    assert all(isinstance(value, Elsewhere) or value.device != DEVICE for value in given), "made behind the mode's back"
    goes = torch.device(kwargs.get("device") or (DEVICE if there else "cpu"))
    if goes == DEVICE and kwargs.get("generator") is not None:
        raise RuntimeError(f"{function}: the generator is on the CPU")
    looked_at = [args[0], *args[2:]] if function in POSITIONS else [] if function in COPIES else given
    left = [v for v in tree_iter(looked_at) if isinstance(v, Tensor) and v.ndim and not isinstance(v, Elsewhere)]
    if there and left:
        raise RuntimeError(f"{function}: a tensor {tuple(left[0].shape)} is on the CPU, another one on {DEVICE}")
    inside = tree_map(lambda v: v.here if isinstance(v, Elsewhere) else v, (args, kwargs))
    if "device" in kwargs:
        inside[1]["device"] = torch.device("cpu")
    result = function(*inside[0], **inside[1])
    if function is aten.copy_.default:
        return args[0]
    if function is aten._local_scalar_dense.default or goes != DEVICE:
        return result
    result = tree_map(lambda v: Elsewhere(v) if isinstance(v, Tensor) else v, result)
    return return_and_correct_aliasing(function, args, kwargs, result) if there else result


@contextmanager
def elsewhere(net: Net) -> Iterator[Net]:
    """A copy of the net on the other device, as long as there is one."""
    with OtherDevice():
        yield Net(net.model, net.labels, device="meta").to(net.dtype)


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def small_net() -> Net:
    """Convolutions, ReLUs, a pooling, dense logits; 3 x 40 x 36 pixels or any others."""
    chain = named(
        normalize=Normalize((0.4, 0.5, 0.6), (0.2, 0.25, 0.3)), conv1=nn.Conv2d(3, 6, 3), relu1=nn.ReLU(),
        pool1=nn.MaxPool2d(2), conv2=nn.Conv2d(6, 8, 3, padding=1), relu2=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(), logits=nn.Linear(8, 4),
    )  # fmt: skip
    return Net(initialize(chain, generator()), "abcd", device="cpu")


NET = small_net()
IMAGE = photo("cat", (40, 36))
PAIR = torch.cat([IMAGE, photo("china", (40, 36))])
WISH = -channel("relu2", 3)
SPECTRUM = parametrizations.spectrum()


def run(net: Net, image: Tensor | None = None, objective: Objective = WISH, **keywords: Any) -> Tensor:
    """Three steps; the best image, too, so that it is looked at."""
    steps_taken = descent.descend(net, objective, PAIR if image is None else image, steps=3, **keywords)
    return torch.stack([steps_taken.finish(progress=False), steps_taken.best])


def patches_of(net: Net) -> Tensor:
    """The projections of the strongest patches."""
    crops = patches.cut_crops({"cat": IMAGE, "china": PAIR[1:]}, (36,), 24)
    found = patches.strongest_patches(patches.scan(net, crops, ["relu2"], progress=False), "relu2", 3)
    return torch.cat(patches.project(relu_rules.deconvnet(net), "relu2", 3, found))


def fitted(net: Net) -> Tensor:
    """The logits after an epoch; the examples stay on the CPU, as a data set does."""
    chain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.LazyLinear(2)).eval()
    examples = Examples(torch.rand(12, 3, 8, 8, generator=generator()), torch.arange(12) % 2)
    chain(examples.images)
    chain = initialize(chain, generator()).to(net.device)
    training.fit(chain, examples, epochs=2, generator=generator(), batch=5).finish(progress=False)
    assert 0 <= training.accuracy(chain, examples) <= 1
    return training.logits_of(chain, examples.images)


def grown(net: Net, how: Callable[..., Any]) -> Tensor:
    """Two stages."""
    return how(lambda image, _: descent.descend(net, WISH, image, steps=2), PAIR, 2, 1.1).finish(progress=False)


def codes(net: Net, layer: str = "relu1") -> Tensor:
    """Activations where the net lives, as a notebook takes them for a target."""
    return net.activations(IMAGE, [layer])[layer]


WEIGHTS = parametrizations.cppn_weights(2, generator())
LOGIT = objectives.logit(2)


def finished(found: Run) -> Tensor:
    return found.finish(progress=False)


CASES: dict[str, list[Callable[[Net], Any]]] = {
    "descent.descend": [
        lambda net: run(net, PAIR.to(net.device)),
        lambda net: run(net, objective=objectives.code("relu1", codes(net)) + objectives.total_variation()),
        lambda net: run(net, objective=gram_style.style("relu1", gram_style.gram(codes(net))), step=steps.lbfgs()),
    ],
    "descent.gradient": [lambda net: descent.gradient(net, WISH, PAIR)],
    "descent.score": [lambda net: descent.score(net, WISH, PAIR)],
    "steps.plain": [lambda net: run(net, step=steps.plain(0.1))],
    "steps.sign": [lambda net: run(net, step=steps.sign(0.1))],
    "steps.normalized": [lambda net: run(net, step=steps.normalized(0.1))],
    "steps.adam": [lambda net: run(net, step=steps.adam(0.1), parametrization=SPECTRUM)],
    "steps.lbfgs": [
        lambda net: run(net, step=steps.lbfgs()),
        lambda net: run(net, step=steps.lbfgs(), parametrization=SPECTRUM),
    ],
    "steps.linf_ball": [lambda net: run(net, step=steps.sign(0.1), project=steps.linf_ball(PAIR, 0.15))],
    "steps.l2_ball": [lambda net: run(net, step=steps.sign(0.1), project=steps.l2_ball(IMAGE, 2.0))],
    "parametrizations.pixels": [lambda net: run(net, parametrization=parametrizations.pixels())],
    "parametrizations.spectrum": [lambda net: run(net, parametrization=SPECTRUM)],
    "parametrizations.cppn": [lambda net: run(net, parametrization=parametrizations.cppn(WEIGHTS))],
    "transforms.jitter": [lambda net: run(net, transform=transforms.jitter(3))],
    "transforms.wobble": [lambda net: run(net, transform=transforms.wobble(9, 1.2, generator(1)))],
    "transforms.compose": [
        lambda net: run(net, transform=transforms.compose(transforms.jitter(2), partial(transforms.blur, sigma=1.0)))
    ],
    "training.fit": [fitted],
    "techniques.adversarial.fgsm": [
        lambda net: finished(adversarial.fgsm(net, objectives.cross_entropy([1, 2]), PAIR, 0.1))
    ],
    "techniques.adversarial.pgd": [
        lambda net: finished(adversarial.pgd(net, -objectives.cross_entropy(1), PAIR, 0.1, generator=generator()))
    ],
    "techniques.adversarial.smallest": [lambda net: finished(adversarial.smallest(net, PAIR, "c"))],
    "techniques.attribution.saliency": [lambda net: attribution.saliency(net, LOGIT, PAIR)],
    "techniques.attribution.smooth_grad": [
        lambda net: attribution.smooth_grad(net, LOGIT, PAIR, generator(), samples=3)
    ],
    "techniques.attribution.integrated_gradients": [
        lambda net: attribution.integrated_gradients(net, LOGIT, PAIR, steps=3)
    ],
    "techniques.attribution.grad_cam": [lambda net: attribution.grad_cam(net, LOGIT, PAIR, "relu1")],
    "techniques.attribution.rise": [lambda net: attribution.rise(net, LOGIT, IMAGE, generator(), masks=8)],
    "techniques.attribution.deletion": [
        lambda net: attribution.deletion(
            net, LOGIT, IMAGE, attribution.saliency(net, WISH, IMAGE)[0], PAIR[1:], steps=4
        )
    ],
    "techniques.dreaming.dream": [
        lambda net: finished(dreaming.dream(net, -objectives.energy("relu2"), PAIR, octaves=2, steps=2, tile=32)),
        lambda net: finished(dreaming.dream(net, -dreaming.best_match("relu1", codes(net)), PAIR, octaves=2, steps=2)),
    ],
    "techniques.dreaming.in_tiles": [
        lambda net: run(net, objective=dreaming.in_tiles(net, -objectives.energy("relu2"), 32))
    ],
    "techniques.inversion.invert": [
        lambda net: finished(inversion.invert(net, "relu1", codes(net), images.gray(IMAGE.shape), steps=3))
    ],
    "techniques.inversion.lively_starts": [
        lambda net: inversion.lively_starts(net, "relu2", [3, 6], IMAGE.shape, generator())
    ],
    "techniques.inversion.textures": [lambda net: finished(inversion.textures(net, IMAGE, "relu2", [3, 6], steps=3))],
    "techniques.occlusion.occlusion_map": [
        lambda net: occlusion.occlusion_map(net, IMAGE, WISH, patch=9, stride=5, progress=False)
    ],
    "techniques.patches.scan": [patches_of],
    "techniques.patches.project": [patches_of],
    "techniques.patches.receptive_field": [lambda net: torch.tensor(patches.receptive_field(net, "conv2"))],
    "techniques.relu_rules.deconvnet": [lambda net: descent.gradient(relu_rules.deconvnet(net), WISH, PAIR)],
    "techniques.relu_rules.guided": [lambda net: descent.gradient(relu_rules.guided(net), WISH, PAIR)],
    "techniques.relu_rules.with_relu_rule": [
        lambda net: run(relu_rules.with_relu_rule(net, relu_rules.redirected_rule, ["relu2"]))
    ],
    "techniques.stages.carry": [lambda net: grown(net, stages.carry)],
    "techniques.stages.grow": [lambda net: grown(net, stages.grow)],
    "techniques.stages.zoom": [lambda net: grown(net, stages.zoom)],
    "techniques.stages.in_stages": [
        lambda net: grown(net, lambda stage, image, *_: stages.in_stages(stage, image, 2, lambda image, _: image))
    ],
    "zoo.load.untrained": [lambda net: codes(untrained(net, generator()))],
}

# Functions of a net that need no case: what they do is one of the above, or no calculation.
COVERED = {
    "techniques.windows.call_of", "zoo.load.load_net", "zoo.digits_cnn.train_mnist_cnn", "zoo.zfnets.train_zfnet",
    "zoo.zfnets.trained_zfnet",
}  # fmt: skip
# Targets are where a notebook has them: activations with the net, numbers and photographs on the CPU.
OBJECTIVES: dict[str, Callable[[Net], Objective]] = {
    "objectives.custom": lambda net: objectives.custom("mean", lambda image, _: image.mean((1, 2, 3))),
    "objectives.channel": lambda net: channel("relu2", torch.tensor([3, 4])),
    "objectives.neuron": lambda net: objectives.neuron("relu2", [3, 4], 5, [2, 6]),
    "objectives.logit": lambda net: objectives.logit([1, 2]),
    "objectives.cross_entropy": lambda net: objectives.cross_entropy(torch.tensor([1, 2])),
    "objectives.code": lambda net: objectives.code("relu1", codes(net)) + objectives.code("conv1", codes(NET, "conv1")),
    "objectives.energy": lambda net: objectives.energy("relu1"),
    "objectives.channel_sums": lambda net: objectives.channel_sums("relu1", codes(net).mean((2, 3))),
    "objectives.total_variation": lambda net: objectives.total_variation(),
    "objectives.pixel_norm": lambda net: objectives.pixel_norm(6, 0.5),
    "techniques.adversarial.distance_to": lambda net: adversarial.distance_to(PAIR.flip(0), torch.tensor([0.5, 3.0])),
    "techniques.dreaming.best_match": lambda net: dreaming.best_match("relu1", codes(net)),
    "techniques.dreaming.in_tiles": lambda net: dreaming.in_tiles(net, objectives.energy("relu1"), 32),
    "techniques.gram_style.style": lambda net: gram_style.style("relu1", gram_style.gram(codes(net))),
}


def core_and_techniques(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith(("techniques.", "zoo.")) or name.count(".") == 1}


def test_everything_that_runs_a_net_has_a_case() -> None:
    kinds = (Run, StepRule, Projection, Parametrization, Transform)
    runs = functions(lambda types: Net in types.values() or types.get("return") in kinds)
    assert core_and_techniques(runs) == CASES.keys() | COVERED
    assert core_and_techniques(gives(Objective)) == OBJECTIVES.keys()


MOVED = pytest.mark.parametrize("moved", [False, True], ids=["photographs here", "photographs there"])


def results(case: Callable[[Net], Any], net: Net) -> list[Tensor]:
    found = case(net)
    return [tensor.detach().cpu() for tensor in ([found] if isinstance(found, Tensor) else found)]


def both(case: Callable[[Net], Any], moved: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other device gives what the CPU gives, with photographs on the CPU or, moved, on the device."""
    here = results(case, NET)
    with elsewhere(NET) as net:
        if moved:
            monkeypatch.setitem(globals(), "IMAGE", IMAGE.to(DEVICE))
            monkeypatch.setitem(globals(), "PAIR", PAIR.to(DEVICE))
        there = results(case, net)
    for found, expected in zip(there, here, strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=f"{name} {i}") for name, some in CASES.items() for i, c in enumerate(some)]
)
@MOVED
def test_runs_leave_nothing_on_the_cpu(
    case: Callable[[Net], Any], moved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adversarial, "ROUNDS", 3)  # `smallest` would take 165 steps
    monkeypatch.setattr(adversarial, "STEPS", 2)
    both(case, moved, monkeypatch)


@pytest.mark.parametrize("name", OBJECTIVES)
@MOVED
def test_objectives_leave_nothing_on_the_cpu(name: str, moved: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    both(lambda net: descent.gradient(net, OBJECTIVES[name](net), PAIR), moved, monkeypatch)


def test_a_net_can_be_moved_there_and_predicts() -> None:
    with OtherDevice():
        net = Net(NET.model, NET.labels, device="cpu")
        expected = net.predict(IMAGE)
        moved = net.to(DEVICE)
        assert moved.device == DEVICE
        assert {type(p) for p in moved.parameters()} == {Elsewhere}
        assert moved.predict(IMAGE) == expected


def test_a_tensor_that_is_left_on_the_cpu_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    left = torch.rand(1, 3, 40, 36)
    with elsewhere(NET) as net:
        with pytest.raises(RuntimeError, match=r"aten.mul.Tensor: a tensor \(1, 3, 40, 36\) is on the CPU"):
            run(net, transform=lambda image: image * left)
        with pytest.raises(RuntimeError, match="the generator is on the CPU"):
            run(net, transform=lambda image: image + torch.rand(3, 1, 1, generator=generator(), device=image.device))
        net.model[1].weight = nn.Parameter(NET.model[1].weight.detach())
        with pytest.raises(ValueError, match=r"does not fit this net: .* is on the CPU"):
            net.predict(IMAGE)
    monkeypatch.setattr(steps, "_center_for", lambda image, center: center)
    for name in ("steps.linf_ball", "steps.l2_ball"):
        with elsewhere(NET) as net, pytest.raises(RuntimeError, match="is on the CPU"):
            CASES[name][0](net)
