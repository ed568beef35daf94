"""A model as a graph of named operations, with torch.fx: how it is made, cut, and changed. `nets` rests on it."""

import copy
import inspect
import operator
import traceback
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, cast

import torch
from torch import Tensor, fx, nn

# What a node of a graph does: run a module, call a function, or call a tensor's method of this name.
Operation = nn.Module | Callable[..., Any] | str
IN_PLACE: dict[Any, Any] = {
    operator.iadd: operator.add, operator.isub: operator.sub, operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
}  # fmt: skip


class Graph:
    """The operations of a model by name, and programs that run only as many of them as some layers need.

    Attributes:
        model: whose operations these are.
        nodes: the node of every operation and module, by name.
        layers: the names that `Net.layers` explains.
        programs: those made so far, by the set of layers that they give.
    """

    def __init__(self, model: nn.Module):
        self.model = model
        self._graph, self.nodes = trace(model)
        chain = isinstance(model, nn.Sequential)
        self.layers = tuple(name for name, _ in model.named_children()) if chain else tensors(self.nodes)
        self.programs: dict[frozenset[str], fx.GraphModule] = {}

    def node(self, layer: str) -> fx.Node:
        """The node that gives the layer's activations; ValueError for an unknown layer."""
        if layer not in self.nodes:
            many = len(self.layers) > 40
            names = [*get_close_matches(layer, self.nodes, n=8, cutoff=0.3), "..."] if many else self.layers
            raise ValueError(f"unknown layer {layer!r}: this net has {', '.join(names)}")
        return self.nodes[layer]

    def path_to(self, layers: Iterable[str]) -> list[fx.Node]:
        """The nodes that the layers need, in the order in which they run; the first is the image."""
        needed, waiting = set(), [self.node(layer) for layer in layers]
        while waiting:
            node = waiting.pop()
            if node not in needed:
                needed.add(node)
                waiting += node.all_input_nodes
        return [node for node in self._graph.nodes if node in needed or node.op == "placeholder"]

    def operation(self, node: fx.Node) -> Operation:
        """What a node does: a module, a function, or the name of a tensor's method."""
        return self.model.get_submodule(str(node.target)) if node.op == "call_module" else node.target

    def program(self, wanted: frozenset[str]) -> fx.GraphModule:
        """The graph cut behind the wanted layers, as a module: image -> {layer: activations}. It is made once."""
        if wanted not in self.programs:
            graph, kept = fx.Graph(), dict[fx.Node, fx.Node]()
            for node in self.path_to(sorted(wanted)):
                kept[node] = graph.node_copy(node, kept.__getitem__)
            in_order = sorted(sorted(wanted), key=lambda layer: list(kept).index(self.node(layer)))
            graph.output({layer: kept[self.node(layer)] for layer in in_order})
            self.programs[wanted] = fx.GraphModule(self.model, graph)
        return self.programs[wanted]

    def put_in_front(self, name: str, module: nn.Module) -> None:
        """Let a module run on the image first, as the node `name`."""
        self.model.__dict__[f"_{name}"] = module  # no child: a Sequential would run it last
        image = next(node for node in self._graph.nodes if node.op == "placeholder")
        with self._graph.inserting_after(image):
            node = self._graph.call_module(f"_{name}", (image,))
        image.replace_all_uses_with(node, delete_user_cb=lambda user: user is not node)
        self.nodes = {name: node, **self.nodes}

    def replace(self, instead: Callable[[str, Operation], nn.Module | None]) -> fx.GraphModule:
        """Replace some operations, as `Net.with_operations` says; the result is the model, which is another now."""
        root = fx.GraphModule(self.model, self._graph)
        for node, name in {node: name for name, node in reversed(self.nodes.items())}.items():  # its first name
            if module := instead(name, self.operation(node)):
                target = f"instead_{node.name}"
                root.add_submodule(target, module)
                node.op, node.target, node.args, node.kwargs = "call_module", target, (node.all_input_nodes[0],), {}
        self.model = root
        return root

    def __deepcopy__(self, memo: dict[int, Any]) -> "Graph":  # Python alone would copy the nodes without their graph
        graph = copy.deepcopy(self._graph)
        memo |= {id(old): new for old, new in zip(self._graph.nodes, graph.nodes, strict=True)}
        memo |= {id(self._graph): graph, id(self.programs): {}, id(self): (twin := copy.copy(self))}
        twin.__dict__ = copy.deepcopy(self.__dict__, memo)
        return twin


def trace(model: nn.Module) -> tuple[fx.Graph, dict[str, fx.Node]]:
    """The graph of a model's operations, none of them in-place, and the node of every operation and module by name.

    A name says where the operation stands: "layer3.1.conv2", or "layer3.1.add" for a function. What is used twice
    counts twice: "layer3.1.relu", "layer3.1.relu_1". A part that torch.fx cannot follow becomes one operation.

    Raises ValueError if torch.fx cannot follow the model's own forward.
    """
    seen: set[int] = set()
    for name, module in list(model.named_modules(remove_duplicate=False)):
        if id(module) in seen:
            model.set_submodule(name, copy.copy(module))  # a module that stands at two places gets two names
        seen.add(id(module))
    tracer = _Tracer()
    try:
        graph = tracer.trace(model)
    except Exception as error:  # whatever the model's code raises on a stand-in for a tensor
        lines = [
            line for line in traceback.extract_tb(error.__traceback__) if f"{torch.__path__[0]}" not in line.filename
        ]
        where = f"line {lines[-1].lineno} of {lines[-1].name}, {lines[-1].line!r}," if lines[1:] else "its forward"
        raise ValueError(
            f"model cannot be traced: in {type(model).__name__} {where} stands in the way ({error}). torch.fx follows "
            "tensors, not their values: move that line into a module of its own, which then runs as one layer"
        ) from error
    for node in list(graph.nodes):
        _work_out_of_place(model, node)
    return graph, tracer.named


def tensors(nodes: dict[str, fx.Node]) -> tuple[str, ...]:
    """The first name of each node that gives a tensor, in the order in which they run; the last is the output."""
    others: set[fx.Node] = set()  # they give sizes, tests or tuples
    names: dict[fx.Node, str] = {}
    for name, node in nodes.items():
        asked = node.target is getattr and node.args[1] in ("shape", "device", "dtype", "ndim")
        parts = [user.target is operator.getitem and isinstance(user.args[1], int) for user in node.users]
        if asked or node.target in ("size", "dim", torch._assert) or set(node.all_input_nodes) <= others:
            others.add(node)
        elif node not in names and parts and not all(parts):
            names[node] = name
    last = next(reversed(next(iter(nodes.values())).graph.nodes)).all_input_nodes[0]
    return (*(name for node, name in names.items() if node < last), names[last])


class _Tracer(fx.Tracer):
    """Names each node by where it stands; takes a module that cannot be followed as one operation."""

    def __init__(self) -> None:
        super().__init__()
        self.path: list[str] = []  # of the module that runs now, and of those around it
        self.named: dict[str, fx.Node] = {}

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        path, before, names = self.path_of_module(m), len(self.graph.nodes), dict(self.named)
        stack = self.module_stack.copy()
        self.path.append(path)
        try:
            result = super().call_module(m, forward, args, kwargs)
        except Exception:  # whatever its code raises on a stand-in for a tensor
            for node in list(reversed(self.graph.nodes))[: len(self.graph.nodes) - before]:
                self.graph.erase_node(node)
            self.named, self.module_stack = names, stack  # an error leaves more on fx's stack than it expects
            result = self.create_proxy("call_module", path, args, kwargs)
        finally:
            self.path.pop()
        if isinstance(result, fx.Proxy) and self.named.get(path) is not result.node:
            self.named[self._free(path)] = result.node
        return result

    def create_node(self, kind: str, target: Any, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(kind, target, *args, **kwargs)
        if kind in ("call_module", "call_function", "call_method"):
            own = target if isinstance(target, str) else target.__name__
            self.named[self._free(own if kind == "call_module" else ".".join([*self.path[-1:], own]))] = node
        return node

    def _free(self, name: str) -> str:
        """The name, or the name with the first number that is not taken."""
        number, free = 0, name
        while free in self.named:
            number += 1
            free = f"{name}_{number}"
        return free


def _work_out_of_place(model: nn.Module, node: fx.Node) -> None:
    """Let an in-place operation give a new tensor; what reads the changed tensor afterwards reads the new one."""
    target: Any = node.target
    name = target if isinstance(target, str) else getattr(target, "__name__", "")
    given = _arguments(node)
    changes = True
    if node.op == "call_module" and getattr(model.get_submodule(name), "inplace", False):
        cast(Any, model.get_submodule(name)).inplace = False
    elif target in IN_PLACE:
        node.target = IN_PLACE[target]
    elif node.op == "call_function" and name.endswith("_") and hasattr(torch, name[:-1]):  # torch.relu_
        node.target = getattr(torch, name[:-1])
    elif node.op == "call_method" and name.endswith("_") and hasattr(Tensor, name[:-1]):  # x.relu_()
        node.target = name[:-1]
    elif given.get("inplace"):  # F.relu(x, inplace=True)
        changed = next(iter(given.values()))  # what it is called on stays the first argument
        node.args, node.kwargs = (changed,), {**dict(list(given.items())[1:]), "inplace": False}
    else:
        changes = False
    if changes:
        node.all_input_nodes[0].replace_all_uses_with(node, delete_user_cb=lambda user: node < user)


def _arguments(node: fx.Node) -> dict[str, Any]:
    """The arguments of a function by name; nothing for modules, methods and built-in functions, which tell no names."""
    try:
        return dict(inspect.signature(cast(Any, node.target)).bind(*node.args, **node.kwargs).arguments)
    except (TypeError, ValueError):
        return {}
