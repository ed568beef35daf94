"""Networks as graphs of named layers: frozen, normalizing inside, running only as deep as asked."""

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import cnnlab._torchvision  # noqa: F401
from cnnlab.inputs import as_image, integer
from cnnlab.tracing import Graph, Operation


class Prediction(NamedTuple):
    """A label and the probability that the net gives it, in [0, 1]."""

    label: str
    probability: float

    def __repr__(self) -> str:
        return f"{self.label} {self.probability:.1%}"


class Normalize(nn.Module):
    """The first layer of a photograph net: (image - mean) / std per channel, so that images stay in [0, 1] outside."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, image: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, H, W)
        return (image - self.mean) / self.std


class Net(nn.Module):
    """A frozen copy of a model, made to be asked what it sees. Chapters 04 and 17.

    Args:
        model: an `nn.Sequential`, or any `nn.Module` whose forward torch.fx can trace. It is copied: yours stays
            trainable. In the copy parameters are frozen, the mode is eval, and no operation is in-place (an in-place
            ReLU silently changes the activations captured before it).
        labels: one name per class, for `predict`.
        device: "cpu", "cuda", "mps" ...; None takes the best there is.
        normalize: what the model expects to be done to an image in [0, 1] first, `Normalize(mean, std)`. It becomes a
            node "normalize" before the model; the names of the layers stay as they are.

    Attributes:
        model: the copy. Called directly, `net.model(image)`, it does not normalize.
        layers: the names of the layers, first to last. Those of an `nn.Sequential` are its children. Those of another
            model are its operations, named by where they stand: "layer3.1.conv2", or "layer3.1.add" for a function.
            What is used twice counts twice ("layer3.1.relu", "layer3.1.relu_1"). `activations` also takes the name of
            any module, such as "layer3".
        graph: the model's operations as nodes by name (`tracing.Graph`).

    Raises ValueError if the model cannot be traced; it names the line that stands in the way.
    """

    _here: Tensor

    def __init__(
        self, model: nn.Module, labels: Sequence[str] | None = None, device: str | None = None,
        normalize: Normalize | None = None,
    ):  # fmt: skip
        super().__init__()
        model = getattr(model, "_orig_mod", model)  # of torch.compile
        model = model.module if isinstance(model, nn.DataParallel) else model
        if not isinstance(model, nn.Module) or (isinstance(model, nn.Sequential) and not len(model)):
            raise ValueError(f"model must be an nn.Module with at least one layer, not {type(model).__name__}")
        device = device or best_device()
        # channels_last makes convolutions about 1.7 x faster on a CPU.
        self.model = copy.deepcopy(model).to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.model.requires_grad_(False)
        # An empty buffer that moves with the net, so `device` is cheap: finding a parameter costs 1 % of a step.
        self.register_buffer("_here", torch.empty(0, device=device), persistent=False)
        self.labels = None if labels is None else tuple(labels)
        self.graph = Graph(self.model)
        self.layers = self.graph.layers
        if normalize is not None:
            if not isinstance(normalize, nn.Module):
                raise ValueError(f"normalize must be Normalize(mean, std), not {type(normalize).__name__}")
            self.normalize = copy.deepcopy(normalize).to(device)
            self.graph.put_in_front("normalize", self.normalize)

    @property
    def device(self) -> torch.device:
        """Where the net lives. Images are moved there automatically."""
        return self._here.device

    @property
    def dtype(self) -> torch.dtype:
        """The precision in which the net computes: float32, or float64 after `net.double()`."""
        return self._here.dtype

    def activations(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Run the image as far as the deepest of `layers`, and no further.

        Args:
            image: (B, C, H, W) in [0, 1], or what `as_image` takes. Gradients flow back to it.
            layers: names out of `net.layers`, or of modules.

        Returns:
            layer -> activations (B, channels, h, w), or (B, units) after a flattening.

        Raises ValueError for an unknown layer (the message lists the valid ones), or for what is no image.
        """
        return self.run(as_image(image), layers)

    def run(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """The same as `activations`, for an image that has been checked: the loop calls it at each step."""
        program = self.graph.program(frozenset(layers))
        try:
            return program.forward(image.to(self.device, self.dtype, memory_format=torch.channels_last))
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, ValueError, AssertionError) as error:  # of torch: it knows of no image
            raise ValueError(f"image {tuple(image.shape)} does not fit this net: {error}") from error

    def forward(self, image: Tensor) -> Tensor:
        """The last layer's activations: logits (B, classes) for a classifier."""
        return self.activations(image, self.layers[-1:])[self.layers[-1]]

    def probabilities(self, image: Tensor) -> Tensor:
        """Softmax of the last layer: (B, C, H, W) -> (B, classes), in [0, 1], differentiable."""
        return self(image).flatten(1).softmax(dim=1)

    def predict(self, image: Tensor, k: int = 5) -> list[Prediction]:
        """The k most probable labels of one image (1, C, H, W), the best first."""
        with torch.no_grad():
            probabilities = self.probabilities(image)  # (1, classes)
        if len(probabilities) != 1:
            raise ValueError(f"image must be a single one (1, C, H, W), not a batch of {len(probabilities)}")
        top = probabilities[0].topk(min(integer(k, "k", 1), probabilities.shape[1]))
        names = self.labels or [str(index) for index in range(probabilities.shape[1])]
        return [Prediction(names[i], p) for p, i in zip(top.values.tolist(), top.indices.tolist(), strict=True)]

    def index(self, label: str) -> int:
        """The number of the class called `label`; an unknown one raises a ValueError with similar names."""
        names = self.labels or ()
        if label in names:
            return names.index(label)
        parts = [name for name in names if label.lower() in name.lower()]
        near = list(dict.fromkeys(parts + get_close_matches(label, names, n=5)))[:5]
        raise ValueError(f"unknown label {label!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))

    def with_operations(self, instead: Callable[[str, Operation], nn.Module | None]) -> "Net":
        """A view of the net: another `Net` on the same weights, some of whose operations are replaced.

        `instead` gives for a name ("fire9.expand1x1_activation") and its operation the module that runs on its input
        instead, or None. The net is not touched. If you move the net to another device afterwards, make a new view.
        """
        # deepcopy looks here before it copies: the view gets modules of its own, and the same weights.
        shared: dict[int, Any] = {id(w): nn.Parameter(w.detach(), w.requires_grad) for w in self.parameters()}
        view = copy.deepcopy(self, shared | {id(buffer): buffer.detach() for buffer in self.buffers()})
        view.model = view.graph.replace(instead)
        return view

    def train(self, mode: bool = True) -> "Net":
        """Stay in eval mode: a frozen net does not train."""
        return super().train(False)

    def _apply(self, *args: Any, **kwargs: Any) -> "Net":  # every move to another device or type
        self.graph.programs.clear()
        return super()._apply(*args, **kwargs)


def best_device() -> str:
    """The fastest device of this machine: "cuda", "mps" or "cpu"."""
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def named(**layers: nn.Module) -> nn.Sequential:
    """An `nn.Sequential` from named layers: `named(conv1=nn.Conv2d(1, 25, 3), relu1=nn.ReLU())`."""
    return nn.Sequential(OrderedDict(layers))


def weights_of(model: nn.Module, layer: str) -> Tensor:
    """The weights of a layer, the parameter itself: (filters, C, h, w), or (neurons, inputs) of a dense layer."""
    return next(p for name, p in model.get_submodule(layer).named_parameters() if name.endswith("weight"))
