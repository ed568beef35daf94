"""ReLU rules against explicit chains; views share the weights and leave the net as it is, in several threads too."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.descent import gradient
from cnnlab.material.photos import photo
from cnnlab.nets import Net, named
from cnnlab.objectives import neuron
from cnnlab.techniques.relu_rules import backprop_rule, deconvnet, deconvnet_rule, guided, guided_rule, with_relu_rule
from cnnlab.zoo.load import load_net

RULES = {
    "backprop": (backprop_rule, lambda g, x: g * (x > 0)),
    "deconvnet": (deconvnet_rule, lambda g, x: g * (g > 0)),
    "guided": (guided_rule, lambda g, x: g * (x > 0) * (g > 0)),
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
def test_equals_an_explicit_chain_exactly(net: Net, image: Tensor, name: str) -> None:
    net.chain.block[1] = nn.Identity()
    rule, formula = RULES[name]
    conv1, conv2 = net.chain.conv1, net.chain.block[0]
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
    assert not view.chain.training


def test_what_is_done_to_a_view_leaves_the_net_as_it_is(net: Net, image: Tensor) -> None:
    before, (_, expected) = net(image), gradient(net, neuron("pool2", 5), image)
    modules = dict(net.named_modules())
    view = deconvnet(net)
    gradient(view, neuron("pool2", 5), image)
    view.double().requires_grad_(True)
    view.chain.relu1 = nn.Identity()
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


def test_a_relu_used_twice_takes_the_rule_twice() -> None:
    relu = nn.ReLU()
    net = Net(nn.Sequential(nn.Conv2d(1, 2, 1), relu, nn.Conv2d(2, 2, 1), relu), device="cpu")
    view = deconvnet(net)
    assert not any(type(module) is nn.ReLU for module in view.modules())
    assert view.chain[1] is view.chain[3]
    assert net.chain[1] is net.chain[3]
    assert type(net.chain[1]) is nn.ReLU


def test_a_net_without_relus_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no nn\.ReLU"):
        guided(Net(nn.Sequential(nn.Flatten(), nn.ReLU6()), device="cpu"))
