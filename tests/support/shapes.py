"""Shapes as the theory rooms annotate them, checked at every call that a test makes.

An annotation is ``Annotated[np.ndarray, "N d"]``, which needs nothing but the standard library; jaxtyping reads the
letters. Within one call a letter has one size, `layout` gives K, `mixture` K and d, and `sample` its own N and d. Calls
are checked after they have returned, so that a wrong argument still meets the sentence of the function itself.
"""

import functools
import importlib
import inspect
import pkgutil
import sys
from dataclasses import fields, is_dataclass
from functools import cached_property
from types import FunctionType, ModuleType, UnionType
from typing import Annotated, Union, get_args, get_origin, get_type_hints

import numpy as np
from jaxtyping import Shaped, jaxtyped

ROOMS = ("layouts", "mixture", "losses", "statistics", "sequences", "dynamics", "risk", "bounds", "audit")


def checked_shapes(rooms: tuple[str, ...] = ROOMS) -> int:
    """Check from now on every function and method of the rooms that has annotated arrays; how many there are."""
    functions = {}
    for module in _leaves(rooms):
        for member in [one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__]:
            if isinstance(member, FunctionType) and _promises(member):
                functions[member] = checked(member)
            elif inspect.isclass(member):
                _check_members(member)
    for module in [module for name, module in list(sys.modules.items()) if name.startswith("helpers")]:
        for name, member in list(vars(module).items()):
            if isinstance(member, FunctionType) and member in functions:
                setattr(module, name, functions[member])
    return len(functions)


def _check_members(owner: type) -> None:
    for name, member in list(vars(owner).items()):
        if isinstance(member, cached_property) and _promises(member.func):
            member.func = checked(member.func)
        elif isinstance(member, property) and _promises(member.fget):
            setattr(owner, name, property(checked(member.fget)))
        elif isinstance(member, FunctionType) and not name.startswith("__") and _promises(member):
            setattr(owner, name, checked(member))


def checked(function):
    """`function`, whose arguments and result must have the shapes that it promises, each letter of one size."""
    hints, signature = get_type_hints(function, include_extras=True), inspect.signature(function)

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        result = function(*args, **kwargs)
        given = signature.bind(*args, **kwargs).arguments
        with jaxtyped("context"):
            for name in dict.fromkeys(("self", "layout", "mixture", "sample", *given)):
                if name in given:
                    _check(given[name], hints.get(name), f"{name} of {function.__qualname__}", name)
            _check(result, hints.get("return"), f"result of {function.__qualname__}")
        return result

    return wrapped


def _check(value, hint, where, name="") -> None:
    kind = get_origin(hint)
    if kind is Annotated:
        dims = hint.__metadata__[0]
        found = np.shape(value)
        assert isinstance(np.broadcast_to(0.0, found), Shaped[np.ndarray, dims]), f"{where}: {dims!r}, but {found}"
    elif kind in (Union, UnionType):
        arrays = [part for part in get_args(hint) if get_origin(part) is Annotated]
        if value is not None and arrays:
            _check(value, arrays[0], where)
    elif kind is tuple:
        parts = get_args(hint)
        for n, one in enumerate(value):
            _check(one, parts[0] if parts[-1] is ... else parts[n], f"{where}[{n}]")
    elif name in ("layout", "mixture", "self") and isinstance(getattr(value, "K", None), int):
        _check(np.broadcast_to(0.0, value.K), Annotated[np.ndarray, "K"], where)
        if name == "mixture":
            _check(np.broadcast_to(0.0, value.d), Annotated[np.ndarray, "d"], where)
    elif name == "sample" and value is not None:
        for part, dims in (("x", "N d"), ("value", "N"), ("side", "N")):
            _check(getattr(value, part), Annotated[np.ndarray, dims], f"{where}.{part}")
    elif inspect.isclass(hint) and is_dataclass(hint) and isinstance(value, hint):
        of = get_type_hints(hint, include_extras=True)
        for field in fields(hint):
            _check(getattr(value, field.name), of[field.name], f"{where}.{field.name}")


def _promises(function) -> bool:
    """Whether an argument, the result or a field of the result is an annotated array."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError:  # a name that only the type checker knows
        return False
    result = hints.get("return")
    if inspect.isclass(result) and is_dataclass(result):
        hints |= get_type_hints(result, include_extras=True)
    return "Annotated" in repr(list(hints.values()))


def _leaves(rooms: tuple[str, ...]) -> list[ModuleType]:
    found = []
    for room in rooms:
        module = importlib.import_module(f"helpers.{room}")
        path = getattr(module, "__path__", None)
        found += [module] if path is None else [
            importlib.import_module(f"helpers.{room}.{leaf.name}") for leaf in pkgutil.iter_modules(path)]
    return found
