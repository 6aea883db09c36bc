"""Frozen, slotted dataclasses that are cheap to define.

``dataclass(frozen=True, slots=True)`` compiles six functions for each class; with the two hundred node classes of the
compiler that takes longer than checking a file. ``record`` compiles one, the constructor, and shares the others. What
comes out is a dataclass to everybody else: ``fields``, ``replace``, ``match`` and pickling work as usual.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, field
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

_TEMPLATE: Any = dataclasses.dataclass(frozen=True)(type("_Template", (), {"__annotations__": {"x": "int"}}))
_PARAMS = _TEMPLATE.__dataclass_params__
_KIND = _TEMPLATE.__dataclass_fields__["x"]._field_type


@dataclass_transform(frozen_default=True, field_specifiers=(Field, field))
def record(cls: type[T]) -> type[T]:
    """A frozen dataclass with slots; the options of ``field`` as usual."""
    inherited: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        inherited.update(getattr(base, "__dataclass_fields__", {}))
    own = {name: _field(cls, name, kind) for name, kind in cls.__dict__.get("__annotations__", {}).items()}
    every = {**inherited, **own}
    namespace = {k: v for k, v in cls.__dict__.items() if k not in own and k not in ("__dict__", "__weakref__")}
    namespace["__slots__"] = tuple(n for n in own if n not in inherited)
    new: Any = type(cls.__name__, cls.__bases__, namespace)
    new.__qualname__ = cls.__qualname__
    ordered = [f for f in every.values() if not f.kw_only] + [f for f in every.values() if f.kw_only]
    new.__dataclass_fields__ = every
    new.__dataclass_params__ = _PARAMS
    shown = tuple(f.name for f in every.values() if f.init and not f.kw_only)
    setattr(new, "__match_args__", shown)  # noqa: B010
    new.__init__ = _constructor(new, ordered)
    compared = tuple(f.name for f in every.values() if f.compare)
    new._key = staticmethod(_getter(compared))
    new._shown = tuple(f.name for f in every.values() if f.repr)
    new._all = tuple(every)
    for name, shared in _SHARED.items():
        if name not in namespace:
            setattr(new, name, shared)
    return new


def _field(cls: type, name: str, kind: str) -> Field:
    default = cls.__dict__.get(name, MISSING)
    f: Any = default if isinstance(default, Field) else field(default=default)
    f.name, f.type, f._field_type = name, kind, _KIND
    if f.kw_only is MISSING:
        f.kw_only = False
    return f


def _getter(names: tuple[str, ...]):
    if not names:
        return lambda self: ()
    return attrgetter(*names)


def _constructor(cls: type, ordered: list[Field]):
    """``__init__`` that stores each argument by the descriptor of its slot, past the frozen ``__setattr__``."""
    scope: dict[str, object] = {}
    params, body, starred = [], [], False
    for f in ordered:
        scope[f"_set_{f.name}"] = getattr(cls, f.name).__set__
        if f.kw_only and not starred:
            params.append("*")
            starred = True
        value = f.name
        if f.default is not MISSING:
            scope[f"_default_{f.name}"] = f.default
            params.append(f"{f.name}=_default_{f.name}")
        elif f.default_factory is not MISSING:
            scope[f"_factory_{f.name}"] = f.default_factory
            scope["_missing"] = MISSING
            params.append(f"{f.name}=_missing")
            value = f"_factory_{f.name}() if {f.name} is _missing else {f.name}"
        else:
            params.append(f.name)
        body.append(f"  _set_{f.name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        body.append("  self.__post_init__()")
    exec(f"def __init__(self, {', '.join(params)}):\n" + ("\n".join(body) or "  pass"), scope)
    return scope["__init__"]


def _eq(self, other):
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self._key(self) == self._key(other)


def _hash(self):
    return hash((self.__class__, self._key(self)))


def _repr(self):
    return f"{self.__class__.__qualname__}({', '.join(f'{n}={getattr(self, n)!r}' for n in self._shown)})"


def _frozen(self, name, *value):
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _getstate(self):
    return [getattr(self, n) for n in self._all]


def _setstate(self, state):
    for name, value in zip(self._all, state, strict=True):
        object.__setattr__(self, name, value)


_SHARED = {
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _frozen,
    "__delattr__": _frozen,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
