"""ReLU rules against explicit chains, and a net that is itself again afterwards."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnlab.descent import gradient
from cnnlab.images import photo
from cnnlab.nets import Net, load_net, named
from cnnlab.objectives import neuron
from cnnlab.relu_rules import backprop, deconvnet, guided, relu_rule

RULES = {
    "backprop": (backprop, lambda g, x: g * (x > 0)),
    "deconvnet": (deconvnet, lambda g, x: g * (g > 0)),
    "guided": (guided, lambda g, x: g * (x > 0) * (g > 0)),
}


@pytest.fixture
def net() -> Net:
    chain = named(
        conv1=nn.Conv2d(3, 6, 5, padding=2), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        block=nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(inplace=True)), pool2=nn.MaxPool2d(2),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    for parameter in chain.parameters():
        nn.init.normal_(parameter, std=0.2, generator=generator)
    return Net(chain, device="cpu")


@pytest.mark.parametrize("name", RULES)
def test_equals_an_explicit_chain_exactly(net: Net, name: str) -> None:
    rule, formula = RULES[name]
    image = torch.rand((1, 3, 24, 32), generator=torch.Generator().manual_seed(1))
    conv1, conv2 = net.chain.conv1, net.chain.block[0]
    x1 = conv1(image)
    pool1, switches1 = F.max_pool2d(x1.relu(), 2, return_indices=True)
    x2 = conv2(pool1)
    pool2, switches2 = F.max_pool2d(x2.relu(), 2, return_indices=True)
    one = torch.zeros_like(pool2)
    one[0, 5, 2, 3] = 1
    back = F.conv_transpose2d(formula(F.max_unpool2d(one, switches2, 2), x2), conv2.weight, padding=1)
    back = F.conv_transpose2d(formula(F.max_unpool2d(back, switches1, 2), x1), conv1.weight, padding=2)
    with relu_rule(net, rule):
        value, grad = gradient(net, neuron("pool2", 5, 2, 3), image)
    assert back.abs().max() > 0
    assert (grad - back).abs().max() == 0
    assert value == pool2[0, 5, 2, 3]


def test_backprop_is_autograds_own_also_in_fire_modules() -> None:
    net, image = load_net("squeezenet", device="cpu"), photo("cat", 96)
    _, expected = gradient(net, neuron("fire4", 3), image)
    with relu_rule(net, backprop):
        _, same = gradient(net, neuron("fire4", 3), image)
    with relu_rule(net, deconvnet):
        _, other = gradient(net, neuron("fire4", 3), image)
    assert torch.equal(same, expected)
    assert not torch.allclose(other, expected)


def test_the_way_forward_stays_as_it_is(net: Net) -> None:
    image = torch.rand(2, 3, 16, 16)
    before = net(image)
    with relu_rule(net, guided):
        assert torch.equal(net(image), before)


def test_restored_after_an_error_and_when_nested(net: Net) -> None:
    before = dict(net.named_modules())

    def fail() -> None:
        assert dict(net.named_modules()) != before
        raise RuntimeError("oops")

    with pytest.raises(RuntimeError, match="oops"), relu_rule(net, guided), relu_rule(net, deconvnet):
        fail()
    assert dict(net.named_modules()) == before


def test_a_relu_used_twice_takes_the_rule_twice() -> None:
    relu = nn.ReLU()
    net = Net(nn.Sequential(nn.Conv2d(1, 2, 1), relu, nn.Conv2d(2, 2, 1), relu), device="cpu")
    with relu_rule(net, deconvnet):
        assert not any(type(module) is nn.ReLU for module in net.modules())
    assert net.chain[1] is net.chain[3]


def test_a_net_without_relus_is_refused() -> None:
    with (
        pytest.raises(ValueError, match=r"no nn\.ReLU"),
        relu_rule(Net(nn.Sequential(nn.Flatten()), device="cpu"), guided),
    ):
        pass
