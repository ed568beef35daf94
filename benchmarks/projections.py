"""Deconvnet and guided backprop: nine images at once, from one neuron back to the pixels.

captum is timed on the network as torchvision gives it, and compared on the very same network.
"""

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec

import torch
from torch import Tensor

from benchmarks.measure import Task, as_people_have_it, difference, gradients, truncated
from cnnlab.descent import gradient
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.nets import Net
from cnnlab.objectives import neuron
from cnnlab.techniques.relu_rules import deconvnet, guided

LAYER, CHANNEL = "fire5", 12


def tasks(net: Net, size: int) -> Iterator[Task]:
    """The center neuron of one channel, by both rules."""
    images = torch.cat([photo(name, size) for name in PHOTOS[:9]]).to(net.device)
    height, width = net.activations(images[:1], [LAYER])[LAYER].shape[-2:]
    y, x = height // 2, width // 2

    def project(view: Net) -> Tensor:
        return gradient(view, neuron(LAYER, CHANNEL), images)[1]

    for name, with_rule in (("deconvnet", deconvnet), ("guided backprop", guided)):
        ours, peers, differences = partial(project, with_rule(net)), {}, {}
        if find_spec("captum"):
            from captum.attr import Deconvolution, GuidedBackprop

            method, target = Deconvolution if with_rule is deconvnet else GuidedBackprop, (CHANNEL, y, x)
            usual = as_people_have_it(net)[: net.layers.index(LAYER) + 1]
            peers = {"captum": partial(method(usual).attribute, images, target)}
            same = partial(method(truncated(net, LAYER)).attribute, images, target)
            differences = {"captum": partial(difference, ours, same)}
        yield Task(
            f"{name}, 9 images",
            ours,
            lambda: gradients(net, LAYER, images, lambda a: a[:, CHANNEL, y, x].sum(), 1),
            1.15,
            peers,
            differences,
        )
