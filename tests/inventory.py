"""What the package holds, by module and name: the tests that promise something of everything ask here."""

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable
from functools import cache
from typing import Any

import cnnlab


@cache
def modules() -> tuple[str, ...]:
    """All modules but commands, and but the chapters' checks and figures, which look at what the others give."""
    names = (module.name for module in pkgutil.walk_packages(cnnlab.__path__, "cnnlab."))
    return tuple(name for name in names if not name.endswith(("__main__", "_checks", "_figures")))


def found(accept: Callable[[Any], bool]) -> set[str]:
    """The functions and classes, also private ones, that are accepted: {"techniques.dreaming.soften", ...}."""
    return {
        f"{name.removeprefix('cnnlab.')}.{key}"
        for name in modules()
        for key, value in vars(importlib.import_module(name)).items()
        if getattr(value, "__module__", "") == name and accept(value)
    }


def functions(accept: Callable[[dict[str, Any]], bool]) -> set[str]:
    """The public functions whose types, by argument and "return", are accepted."""
    return found(
        lambda value: (
            inspect.isroutine(value)
            and value.__name__[0] != "_"
            and accept(typing.get_type_hints(inspect.unwrap(value)))
        )
    )


def gives(kind: Any) -> set[str]:
    """The public functions whose result has this type."""
    return functions(lambda types: types.get("return") == kind)
