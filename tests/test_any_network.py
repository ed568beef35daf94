"""Any network: the architectures of torchvision, and models that are hard to trace, through the whole package."""

import copy
import pickle
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab._torchvision import torchvision
from cnnlab.descent import descend, gradient, score
from cnnlab.nets import Net, Normalize, named
from cnnlab.objectives import channel, energy
from cnnlab.techniques.occlusion import cover, occlusion_map
from cnnlab.techniques.patches import receptive_field
from cnnlab.techniques.relu_rules import deconvnet

models = torchvision.models


@dataclass(frozen=True)
class Architecture:
    """A model of torchvision at a small size, and the row of README's table that it belongs to."""

    name: str
    family: str
    side: int = 64
    options: dict = field(default_factory=dict)

    def build(self) -> nn.Module:
        if self.name == "maxvit_t":  # the smallest one that takes fewer than 224 pixels
            small = {"stem_channels": 16, "block_channels": [16, 32], "block_layers": [1, 2], "head_dim": 8}
            return models.MaxVit((64, 64), partition_size=4, stochastic_depth_prob=0.1, num_classes=10, **small)
        return models.get_model(self.name, weights=None, num_classes=10, **self.options)


AUXILIARY = {"aux_logits": False, "init_weights": False}
ARCHITECTURES = [
    Architecture("alexnet", "AlexNet, VGG", 70),
    Architecture("vgg11", "AlexNet, VGG", 40),
    Architecture("vgg11_bn", "AlexNet, VGG", 40),
    Architecture("squeezenet1_0", "SqueezeNet"),
    Architecture("squeezenet1_1", "SqueezeNet"),
    Architecture("googlenet", "GoogLeNet, Inception v3", 64, AUXILIARY),
    Architecture("inception_v3", "GoogLeNet, Inception v3", 80, AUXILIARY),
    Architecture("resnet18", "ResNet, ResNeXt, Wide ResNet"),
    Architecture("resnet50", "ResNet, ResNeXt, Wide ResNet"),
    Architecture("resnext50_32x4d", "ResNet, ResNeXt, Wide ResNet"),
    Architecture("wide_resnet50_2", "ResNet, ResNeXt, Wide ResNet"),
    Architecture("densenet121", "DenseNet"),
    Architecture("regnet_x_400mf", "RegNet x"),
    Architecture("regnet_y_400mf", "RegNet y"),
    Architecture("mnasnet0_5", "MNASNet"),
    Architecture("mnasnet1_0", "MNASNet"),
    Architecture("shufflenet_v2_x0_5", "ShuffleNet"),
    Architecture("shufflenet_v2_x1_0", "ShuffleNet"),
    Architecture("mobilenet_v2", "MobileNet v2"),
    Architecture("mobilenet_v3_small", "MobileNet v3"),
    Architecture("mobilenet_v3_large", "MobileNet v3"),
    Architecture("efficientnet_b0", "EfficientNet"),
    Architecture("efficientnet_v2_s", "EfficientNet"),
    Architecture("convnext_tiny", "ConvNeXt"),
    Architecture("vit_b_32", "ViT, Swin, MaxViT", 64, {"image_size": 64}),
    Architecture("swin_t", "ViT, Swin, MaxViT"),
    Architecture("swin_v2_t", "Swin v2"),
    Architecture("maxvit_t", "ViT, Swin, MaxViT"),
]


@dataclass
class Sample:
    """A built model, the net around it, an image, and what the model itself computes."""

    family: str
    model: nn.Module
    net: Net
    image: Tensor
    logits: Tensor
    outputs: dict[str, Tensor]  # of the modules without children, in the order in which they first run
    maps: list[str]  # those with feature maps

    @property
    def middle(self) -> str:
        return self.maps[len(self.maps) // 2]


def randomized(model: nn.Module) -> nn.Module:
    """The model with BatchNorm statistics as after some training."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval()


def outputs_of(model: nn.Module, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The model's own output, and that of each module without children when it first ran."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str) -> Callable:
        def hook(module: nn.Module, given: tuple, output: Tensor) -> None:
            outputs.setdefault(name, output.clone())  # a later operation may change it in place

        return hook

    leaves = [(name, module) for name, module in model.named_modules() if not list(module.children())]
    hooks = [module.register_forward_hook(keep(name)) for name, module in leaves]
    with torch.no_grad():
        logits = model(image)
    for hook in hooks:
        hook.remove()
    return logits, outputs


@pytest.fixture(scope="session", params=ARCHITECTURES, ids=lambda architecture: architecture.name)
def sample(request: pytest.FixtureRequest) -> Sample:
    """pytest runs all tests of one model before it builds the next."""
    one: Architecture = request.param
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = randomized(one.build())
        image = torch.rand(1, 3, one.side, one.side)
    logits, outputs = outputs_of(model, image)
    net = Net(model, device="cpu")
    maps = [
        name
        for name, output in outputs.items()
        if output.ndim == 4 and output.shape[-1] > 1 and name in net.layers and name != "avgpool"  # sees everything
    ]
    return Sample(one.family, model, net, image, logits, outputs, maps)


def close(found: Tensor, expected: Tensor, tolerance: float) -> bool:
    return bool((found - expected).abs().max() <= tolerance * expected.abs().max())


def test_every_layer_has_a_name_and_the_models_own_activations(sample: Sample) -> None:
    found = sample.net.activations(sample.image, sample.net.layers)
    assert all(isinstance(value, Tensor) for value in found.values())
    assert close(found[sample.net.layers[-1]], sample.logits, 1e-5)
    assert close(sample.net(sample.image), sample.logits, 1e-5)
    for name, value in sample.net.activations(sample.image, sample.outputs).items():
        assert close(value, sample.outputs[name], 1e-5), name


def test_nothing_behind_the_wanted_layer_runs(sample: Sample) -> None:
    ran = []
    hooks = [
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
        for name, module in sample.net.model.named_modules()
    ]
    sample.net.activations(sample.image, [sample.middle])
    for hook in hooks:
        hook.remove()
    order = list(sample.outputs)
    assert sample.middle in ran
    assert not set(ran) & set(order[order.index(sample.middle) + 1 :])


def test_descend_moves_the_image_and_lowers_the_objective(sample: Sample) -> None:
    objective = -energy(sample.middle)
    image = descend(sample.net, objective, sample.image, steps=2).finish(progress=False)
    assert (image - sample.image).abs().max() > 0.01
    assert score(sample.net, objective, image) < score(sample.net, objective, sample.image)


class Explicit(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, grad):
        return grad.clamp(min=0)


def test_the_deconvnet_is_the_explicit_one_or_says_why_not(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    says = works()[sample.family]["deconvnet"]  # "yes", "yes; Hardswish keeps its gradient", "no: GELU"
    objective = channel(sample.net.layers[-1], 3)
    if says.startswith("no"):
        with pytest.raises(ValueError, match=f"net has no ReLU .*{says.removeprefix('no: ')}"):
            deconvnet(sample.net)
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        view = deconvnet(sample.net)
    assert len(caught) == (says != "yes")
    _, grad = gradient(view, objective, sample.image)
    monkeypatch.setattr(F, "relu", lambda x, inplace=False: Explicit.apply(x))  # nn.ReLU calls it, too
    image = sample.image.clone().requires_grad_()
    (expected,) = torch.autograd.grad(sample.model(image)[0, 3], image)
    assert expected.any()
    assert close(grad, expected, 1e-4)


@pytest.mark.parametrize("where", ["middle", "logits"])
def test_occlusion_gives_what_each_covered_image_gives(sample: Sample, where: str) -> None:
    layer = sample.middle if where == "middle" else sample.net.layers[-1]
    side = sample.image.shape[-1]
    objective, patch, stride = channel(layer, 1), side // 4, side * 3 // 8  # three by three positions
    found = occlusion_map(sample.net, sample.image, objective, patch=patch, stride=stride, progress=False)
    starts = range(0, side - patch + 1, stride)
    covered = torch.cat([cover(sample.image, top, left, patch) for top in starts for left in starts])
    expected = score(sample.net, objective, covered).view(3, 3)
    assert (found - expected).abs().max() <= 1e-4 * (expected.max() - expected.min()) + 1e-5 * expected.abs().max()


def test_receptive_fields_are_known_as_far_as_the_readme_says(sample: Sample) -> None:
    (size, step, _), deep = receptive_field(sample.net, sample.maps[0]), sample.maps[1:][-1:] or [sample.net.layers[-1]]
    assert size > 1
    assert step >= 1
    if works()[sample.family]["receptive field"] == "yes":
        assert receptive_field(sample.net, deep[0])[0] > size
    else:
        with pytest.raises(ValueError, match=f"layer {deep[0]!r} (sees|stands|joins)"):
            receptive_field(sample.net, deep[0])


def works() -> dict[str, dict[str, str]]:
    """README's table of what works with what: family -> column -> cell."""
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\| family .*?\n\n", readme, flags=re.M | re.S)[0].strip().splitlines()
    ]
    return {cells[0]: dict(zip(rows[0], cells, strict=True)) for cells in rows[2:]}


def test_the_readmes_table_has_every_family_of_the_matrix() -> None:
    assert {architecture.family for architecture in ARCHITECTURES} == set(works())


def tiny() -> nn.Sequential:
    torch.manual_seed(0)
    return named(conv=nn.Conv2d(3, 4, 3), relu=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten())


class Functional(nn.Module):
    """Functions, a module used twice, a module at two places, in-place operations whose results are not used."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.same = self.relu

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv(image)
        self.relu(x)  # x changes
        y = self.again(x)
        F.relu(y, True)
        y += x
        z = self.again(self.same(y - 0.1))
        z.relu_()
        z *= 2
        torch.relu_(z)
        return torch.flatten(F.adaptive_avg_pool2d(torch.cat([z, y], dim=1), 1), 1)


def test_functions_shared_modules_and_in_place_operations() -> None:
    torch.manual_seed(0)
    model, image = Functional(), torch.rand(2, 3, 12, 12)
    net = Net(model, device="cpu")
    assert close(net(image), model(image), 1e-6)
    assert {"conv", "relu", "again", "again_1", "same", "cat", "flatten"} <= set(net.layers)
    found = net.activations(image, net.layers)
    assert (found["conv"] < 0).any()
    assert torch.equal(found["relu"], found["conv"].relu())
    assert torch.equal(found["again"], model.again(found["relu"]))
    assert model.relu.inplace
    assert model.relu is model.same
    expected = torch.cat([model(cover(image[:1], top, left, 4)) for top in (0, 4, 8) for left in (0, 4, 8)])[:, 1]
    covered = occlusion_map(net, image[:1], channel(net.layers[-1], 1), patch=4, stride=4, progress=False)
    assert torch.allclose(covered.flatten(), expected, atol=1e-5)


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv(image)
        if x.mean() > 0:
            x = -x
        return x.flatten(1)


def test_a_model_that_cannot_be_traced_is_refused_with_the_line() -> None:
    with pytest.raises(ValueError, match=r"cannot be traced: in Branching .*'if x.mean\(\) > 0:'.* module of its own"):
        Net(Branching(), device="cpu")
    net, image = Net(named(first=Branching(), last=nn.Linear(8, 2)), device="cpu"), torch.rand(1, 3, 2, 2)
    assert net.layers == ("first", "last")
    assert torch.equal(net.activations(image, ["first"])["first"], net.model.first(image))


def test_wrappers_are_taken_off() -> None:
    model, image = tiny(), torch.rand(1, 3, 8, 8)
    compiled = partial(torch.compile, backend="eager")  # the default one cannot read its own files in an ASCII locale
    for wrapped in (nn.DataParallel(model), compiled(model), compiled(nn.DataParallel(model))):
        net = Net(wrapped, device="cpu")
        assert net.layers == ("conv", "relu", "pool", "flat")
        assert torch.allclose(net(image), model(image), atol=1e-6)


def test_a_model_of_timm() -> None:
    timm = pytest.importorskip("timm")
    model, image = timm.create_model("resnet18", num_classes=10).eval(), torch.rand(1, 3, 64, 64)
    net = Net(model, device="cpu")
    assert close(net(image), model(image), 1e-5)
    assert gradient(deconvnet(net), channel("layer2.0.conv1", 3), image)[1].any()


def test_train_changes_nothing() -> None:
    net, image = Net(randomized(models.resnet18(num_classes=10)), device="cpu"), torch.rand(2, 3, 32, 32)
    before, state = net(image), copy.deepcopy(net.state_dict())
    net.train()
    net.model.train(False)
    assert torch.equal(net(image), before)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("normalize", [None, Normalize((0.5,) * 3, (0.2,) * 3)])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["copy", "pickle"])
def test_a_net_can_be_copied_and_pickled(copied: Callable[[Net], Net], normalize: Normalize | None) -> None:
    net, image = Net(models.squeezenet1_1(num_classes=10), device="cpu", normalize=normalize), torch.rand(1, 3, 40, 40)
    expected = net(image)
    again = copied(net)
    assert again.layers == net.layers
    assert torch.equal(again(image), expected)
    with torch.no_grad():
        next(again.model.parameters()).zero_()
    assert torch.equal(net(image), expected), "the copy has its own weights"
    assert not torch.equal(again(image), expected)
    assert gradient(deconvnet(again), channel(net.layers[-1], 1), image)[0].shape == (1,)


def test_normalization_comes_first_and_names_stay() -> None:
    image, normalize = torch.rand(2, 3, 8, 8), Normalize((0.4, 0.5, 0.6), (0.1, 0.2, 0.3))
    for model in (tiny(), Functional()):
        net, plain = Net(model, device="cpu", normalize=normalize), Net(model, device="cpu")
        assert net.layers == plain.layers
        assert torch.allclose(net(image), model(normalize(image)), atol=1e-6)
        assert torch.equal(net.activations(image, ["normalize"])["normalize"], normalize(image))
        assert torch.equal(net.model(image), plain.model(image))
        assert receptive_field(net, "conv") == receptive_field(plain, "conv")
        view = deconvnet(net)
        assert torch.allclose(view(image), model(normalize(image)), atol=1e-6)
        assert net.double().normalize.mean.dtype == torch.float64
    with pytest.raises(ValueError, match=r"normalize must be Normalize\(mean, std\), not tuple"):
        Net(tiny(), normalize=((0.5,), (0.5,)))  # type: ignore[arg-type]
