"""ReLU rules against explicit chains; views share the weights and leave the net as it is, in several threads too."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab._torchvision import torchvision
from cnnlab.descent import descend, gradient, score
from cnnlab.material.photos import photo
from cnnlab.nets import Net, named
from cnnlab.objectives import channel, neuron
from cnnlab.techniques.relu_rules import (
    RuledReLU,
    backprop_rule,
    deconvnet,
    deconvnet_rule,
    guided,
    guided_rule,
    redirected_rule,
    with_relu_rule,
)  # fmt: skip
from cnnlab.zoo.load import load_net

RULES = {
    "backprop": (backprop_rule, lambda g, x: g * (x > 0)),
    "deconvnet": (deconvnet_rule, lambda g, x: g * (g > 0)),
    "guided": (guided_rule, lambda g, x: g * (x > 0) * (g > 0)),
    "redirected": (redirected_rule, lambda g, x: g * ((x > 0) | (g < 0))),
}
VIEWS: list[Callable[[Net], Net]] = [
    lambda net: net, lambda net: with_relu_rule(net, backprop_rule), deconvnet, guided
]  # fmt: skip


@pytest.fixture
def net() -> Net:
    chain = named(
        conv1=nn.Conv2d(3, 6, 5, padding=2), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        block=nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True)),
        pool2=nn.MaxPool2d(2),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    for parameter in chain.parameters():
        nn.init.normal_(parameter, std=0.2, generator=generator)
    return Net(chain, labels="abcdefgh", device="cpu")


@pytest.fixture
def image() -> Tensor:
    return torch.rand((1, 3, 24, 32), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_its_formula_for_every_sign_and_at_zero(name: str) -> None:
    rule, formula = RULES[name]
    grad, x = torch.meshgrid(*2 * [torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0])], indexing="ij")
    assert torch.equal(rule(grad, x), formula(grad, x))


@pytest.mark.parametrize("name", RULES)
def test_equals_an_explicit_chain_exactly(net: Net, image: Tensor, name: str) -> None:
    net.model.block[1] = nn.Identity()
    rule, formula = RULES[name]
    conv1, conv2 = net.model.conv1, net.model.block[0]
    x1 = conv1(image)
    pool1, switches1 = F.max_pool2d(x1.relu(), 2, return_indices=True)
    x2 = conv2(pool1)
    pool2, switches2 = F.max_pool2d(x2.relu(), 2, return_indices=True)
    one = torch.zeros_like(pool2)
    one[0, 5, 2, 3] = 1
    back = F.conv_transpose2d(formula(F.max_unpool2d(one, switches2, 2), x2), conv2.weight, padding=1)
    back = F.conv_transpose2d(formula(F.max_unpool2d(back, switches1, 2), x1), conv1.weight, padding=2)
    value, grad = gradient(with_relu_rule(net, rule), neuron("pool2", 5, 2, 3), image)
    assert back.abs().max() > 0
    assert (grad - back).abs().max() == 0
    assert value == pool2[0, 5, 2, 3]


def test_backprop_is_autograds_own_also_in_fire_modules() -> None:
    net, image = load_net("squeezenet", device="cpu"), photo("cat", 96)
    plain, same, *others = (gradient(view(net), neuron("fire4", 3), image)[1] for view in VIEWS)
    assert torch.equal(same, plain)
    assert not any(torch.allclose(other, plain) for other in others)


def test_a_view_shares_the_weights_and_the_forward_pass(net: Net, image: Tensor) -> None:
    view = guided(net)
    assert torch.equal(view(image), net(image))
    assert (view.layers, view.labels, view.device) == (net.layers, net.labels, net.device)
    for own, shared in ((net.parameters(), view.parameters()), (net.buffers(), view.buffers())):
        assert [tensor.data_ptr() for tensor in own] == [tensor.data_ptr() for tensor in shared]
    assert not any(parameter.requires_grad for parameter in view.parameters())
    assert not view.model.training


def test_what_is_done_to_a_view_leaves_the_net_as_it_is(net: Net, image: Tensor) -> None:
    before, (_, expected) = net(image), gradient(net, neuron("pool2", 5), image)
    modules = dict(net.named_modules())
    view = deconvnet(net)
    gradient(view, neuron("pool2", 5), image)
    view.double().requires_grad_(True)
    view.model.relu1 = nn.Identity()
    assert dict(net.named_modules()) == modules
    assert torch.equal(net(image), before)
    assert torch.equal(gradient(net, neuron("pool2", 5), image)[1], expected)


def test_two_threads_use_one_net_under_different_rules(net: Net, image: Tensor) -> None:
    objective, start = neuron("pool2", 5), Barrier(2)

    def project(view: Callable[[Net], Net]) -> Tensor:
        return gradient(view(net), objective, image)[1]

    def differences(view: Callable[[Net], Net], expected: Tensor) -> int:
        start.wait()
        return sum(not torch.equal(project(view), expected) for _ in range(300))

    for views in (VIEWS[::2], VIEWS[2:]):  # the net itself and its deconvnet, then deconvnet and guided backprop
        expected = [project(view) for view in views]  # in a single thread
        assert not torch.equal(*expected)
        with ThreadPoolExecutor(2) as threads:
            assert list(threads.map(differences, views, expected)) == [0, 0]


def test_a_view_of_a_view_has_the_last_rule(net: Net, image: Tensor) -> None:
    twice, once = (gradient(view, neuron("pool2", 5), image)[1] for view in (deconvnet(guided(net)), deconvnet(net)))
    assert torch.equal(twice, once)


RELUS: dict[str, Callable[[Tensor], Tensor]] = {
    "nn.ReLU": nn.ReLU(inplace=True), "F.relu": F.relu, "F.relu in-place": lambda x: F.relu(x, inplace=True),
    "torch.relu": torch.relu, "torch.relu_": torch.relu_, "x.relu": lambda x: x.relu(), "x.relu_": lambda x: x.relu_(),
}  # fmt: skip


class Residual(nn.Module):
    """relu(x + conv2(relu(conv1(x)))), with x = stem(image)."""

    def __init__(self, relu: Callable[[Tensor], Tensor]):
        super().__init__()
        self.stem, self.conv1, self.conv2 = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
        self.relu = relu

    def forward(self, image: Tensor) -> Tensor:
        x = self.stem(image)
        y = self.conv2(self.relu(self.conv1(x)))
        y += x
        return self.relu(y)


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS.keys())
@pytest.mark.parametrize("name", RULES)
def test_every_form_of_relu_takes_the_rule_at_every_use(relu: Callable[[Tensor], Tensor], name: str) -> None:
    torch.manual_seed(0)
    net, image = Net(Residual(relu), device="cpu"), torch.rand(1, 3, 9, 8)
    rule, formula = RULES[name]
    model = net.model
    x = model.stem(image)
    x1 = model.conv1(x)
    x2 = x + model.conv2(x1.relu())
    one = torch.zeros_like(x2)
    one[0, 2, 3, 4] = 1
    back = formula(one, x2)
    branch = F.conv_transpose2d(
        formula(F.conv_transpose2d(back, model.conv2.weight), x1), model.conv1.weight, padding=1
    )
    expected = F.conv_transpose2d(back + branch, model.stem.weight)
    view = with_relu_rule(net, rule)
    _, grad = gradient(view, neuron(net.layers[-1], 2, 3, 4), image)
    assert name == "deconvnet" or x2[0, 2, 3, 4] > 0
    assert expected.abs().max() > 0
    assert (grad - expected).abs().max() < 1e-6
    assert torch.equal(view(image), net(image))


def test_the_relus_of_a_resnet_all_take_the_rule() -> None:
    """One module runs twice in each block."""
    net = Net(torchvision.models.resnet18(), device="cpu")
    view = deconvnet(net)
    relus = [type(view.graph.operation(node)) for node in view.graph.path_to(view.layers[-1:]) if "relu" in node.name]
    assert relus == [RuledReLU] * 17
    image = torch.rand(1, 3, 40, 40)
    grads = [gradient(view(net), neuron("layer2.0.relu", 3), image)[1] for view in VIEWS]
    assert torch.equal(grads[0], grads[1])
    assert not torch.allclose(grads[2], grads[0])


def test_a_hook_of_a_relu_still_runs() -> None:
    chain = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
    chain[1].register_forward_hook(lambda module, args, result: result + 1)
    net = Net(chain, device="cpu")
    assert torch.equal(deconvnet(net)(image := torch.rand(1, 3, 4, 4)), net(image))


def prelu(x: Tensor) -> Tensor:
    return F.prelu(x, torch.tensor([0.1]))


def by_method(x: Tensor) -> Tensor:
    return x.prelu(torch.tensor([0.1]))


MODULES = ["ReLU6", "LeakyReLU", "PReLU", "RReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Hardswish"]
FUNCTIONS = ["relu6", "leaky_relu", "rrelu", "elu", "celu", "selu", "gelu", "silu", "mish", "hardswish"]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        *((name, getattr(nn, name)()) for name in MODULES), *((name, getattr(F, name)) for name in FUNCTIONS),
        ("prelu", prelu), ("prelu", by_method),
    ],
)  # fmt: skip
def test_other_activation_functions_are_named(name: str, other: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(ValueError, match=f"net has no ReLU that could take a rule, but {name}$"):
        guided(Net(Residual(other), device="cpu"))
    with pytest.warns(UserWarning, match=f"^{name} keep their own backward pass"):
        guided(Net(nn.Sequential(Residual(other), nn.Conv2d(4, 3, 1), nn.ReLU()), device="cpu"))


def test_all_other_activation_functions_are_named_once() -> None:
    several = nn.Sequential(nn.SiLU(), nn.GELU(), nn.SiLU())
    with pytest.raises(ValueError, match="net has no ReLU that could take a rule, but GELU, SiLU$"):
        guided(Net(several, device="cpu"))
    with pytest.raises(ValueError, match=r"net has no ReLU in \['0'\] that could take a rule, but SiLU$"):
        with_relu_rule(Net(several, device="cpu"), guided_rule, ["0"])
    with pytest.warns(UserWarning, match="^GELU, SiLU keep their own backward pass"):
        guided(Net(nn.Sequential(*several, nn.ReLU()), device="cpu"))
    with pytest.raises(ValueError, match="net has no ReLU that could take a rule$"):
        guided(Net(nn.Sequential(nn.Flatten()), device="cpu"))


class Untraceable(nn.Module):
    """Its forward asks for the values of the image, so it runs as one layer."""

    def __init__(self, relu: Callable[[Tensor], Tensor]):
        super().__init__()
        self.activation = relu

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x) if x.sum() > 0 and self.activation is F.relu else self.activation(x)


@pytest.mark.parametrize("relu", [nn.ReLU(), F.relu])
def test_a_relu_inside_an_untraceable_part_is_refused(relu: Callable[[Tensor], Tensor]) -> None:
    net = Net(nn.Sequential(nn.ReLU(), Untraceable(relu)), device="cpu")
    with pytest.raises(ValueError, match="net runs Untraceable as one layer, so a ReLU inside it cannot take a rule"):
        deconvnet(net)


def test_a_rule_for_some_layers_leaves_the_others_alone(net: Net, image: Tensor) -> None:
    last, first = with_relu_rule(net, guided_rule, ["block"]), with_relu_rule(net, guided_rule, ["relu1"])
    both = with_relu_rule(with_relu_rule(net, guided_rule, ["block"]), guided_rule, ["relu1"])
    objective = sum((-1) ** k * channel("pool2", k) for k in range(8))
    grads = [gradient(view, objective, image)[1] for view in (net, last, first, both, guided(net))]
    assert torch.equal(grads[3], grads[4])
    assert not torch.equal(grads[1], grads[0])
    assert not torch.equal(grads[2], grads[4])
    with pytest.raises(ValueError, match=r"no ReLU in \['pool1'\]"):
        with_relu_rule(net, guided_rule, ["pool1"])
    with pytest.raises(ValueError, match="unknown layer 'blok'"):
        with_relu_rule(net, guided_rule, ["blok"])


def test_a_redirected_relu_wakes_a_silent_channel() -> None:
    chain = named(conv1=nn.Conv2d(3, 4, 3), relu1=nn.ReLU(), conv2=nn.Conv2d(4, 2, 3), relu2=nn.ReLU())
    generator = torch.Generator().manual_seed(0)
    for parameter in chain.parameters():
        nn.init.normal_(parameter, std=0.2, generator=generator)
    nn.init.constant_(chain.conv2.bias, -0.3)
    silent, start = Net(chain, device="cpu"), torch.full((1, 3, 9, 9), 0.5)
    assert score(silent, channel("relu2", 0), start).item() == 0
    with pytest.warns(UserWarning, match="0 everywhere"):
        still = descend(silent, -channel("relu2", 0), start, steps=9).finish(progress=False)
    assert torch.equal(still, start)
    awake = with_relu_rule(silent, redirected_rule, ["relu2"])
    image = descend(awake, -channel("relu2", 0), start, steps=30).finish(progress=False)
    assert score(silent, channel("relu2", 0), image).item() > 0
