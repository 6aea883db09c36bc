"""The inference methods by name. A method is imported when it is first asked for."""

from __future__ import annotations

import difflib
import importlib

from ppl.core.errors import UsageError
from ppl.inference.methods.base import Method

_HOMES = {
    "auto": "ppl.inference.methods.auto:Auto",
    "nuts": "ppl.inference.methods.nuts:Nuts",
    "hmc": "ppl.inference.methods.hmc:Hmc",
    "importance": "ppl.inference.methods.importance:Importance",
    "enumerate": "ppl.inference.methods.enumeration:Enumerate",
    "map": "ppl.inference.methods.mode:Map",
    "laplace": "ppl.inference.methods.laplace:Laplace",
    "vi": "ppl.inference.methods.vi:Vi",
    "smc": "ppl.inference.methods.smc:Smc",
    "alive": "ppl.inference.methods.alive:Alive",
    "rmsmc": "ppl.inference.methods.resample_move:ResampleMove",
    "ibis": "ppl.inference.methods.resample_move:ResampleMove",
    "pimh": "ppl.inference.methods.particle:Pimh",
    "pgibbs": "ppl.inference.methods.particle:ParticleGibbs",
    "pmmh": "ppl.inference.methods.particle:Pmmh",
    "smc2": "ppl.inference.methods.particle:Smc2",
    "tempered": "ppl.inference.methods.tempered:TemperedSmc",
    "mh": "ppl.inference.methods.mh:Mh",
    "gibbs": "ppl.inference.methods.gibbs:Gibbs",
}
_registered: dict[str, type[Method]] = {}


def register(method: type[Method]) -> type[Method]:
    """Class decorator: makes a method known under its ``name``, for methods that live outside this package."""
    _registered[method.name] = method
    return method


def names() -> tuple[str, ...]:
    return tuple(dict.fromkeys([*_HOMES, *_registered]))


def lookup(name: str) -> type[Method]:
    """The method of that name; UsageError (exit code 2) with the nearest name where there is none."""
    if name in _registered:
        return _registered[name]
    if name in _HOMES:
        module, _, attribute = _HOMES[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    from ppl.inference.kernels.named import EXAMPLES, KERNELS

    if name in KERNELS:
        raise UsageError(
            f"`{name}` is a kernel, not an inference method",
            notes=("a method runs it: `mh` in chains, `rmsmc` for the particles of SMC",),
            helps=(f"--method 'mh(kernel={EXAMPLES.get(name, name)})'",),
        )
    near = difflib.get_close_matches(name, names(), n=1)
    raise UsageError(
        f"there is no inference method `{name}`" + (f"; did you mean `{near[0]}`?" if near else ""),
        notes=("methods: " + ", ".join(names()),),
        helps=(f"--method {near[0] if near else 'auto'}",),
    )
