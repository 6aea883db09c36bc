"""A probabilistic programming language: typed models, modular inference, checked claims.

    module = ppl.load("schools.ppl")
    target = module.schools(se=se).given(y=y)
    result = ppl.infer(target, ppl.nuts(chains=4), seed=1)
    print(result.summary())

Names are imported when they are first used, so ``import ppl`` takes no time and does not import JAX.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "load": "ppl.api.module",
    "parse": "ppl.api.module",
    "Module": "ppl.api.module",
    "Applied": "ppl.api.applied",
    "infer": "ppl.api.inference",
    "prior": "ppl.api.inference",
    "Result": "ppl.api.result",
    "open_run": "ppl.api.result",
    "suspend": "ppl.api.parts",
    "compiled": "ppl.api.parts",
    "environment": "ppl.api.parts",
    "validate": "ppl.api.validate",
    "model": "ppl.embed.model",
    **dict.fromkeys(
        ("sample", "observe", "factor", "require", "output", "param", "plate", "scan"), "ppl.embed.statements"
    ),
    "ModelError": "ppl.compiler.diagnostics.diagnostic",
    "PplError": "ppl.core.errors",
}
"""Where each public name lives. Inference methods (``ppl.nuts``) and distributions (``ppl.Normal``) are found in their
registries."""


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name.startswith("_"):
        raise AttributeError(f"module 'ppl' has no attribute {name!r}")
    else:
        value = _registered(name)
    globals()[name] = value
    return value


def _registered(name: str) -> Any:
    from ppl.compiler.ir.distributions import DISTRIBUTIONS
    from ppl.inference.methods import registry

    if name in registry.names():
        return registry.lookup(name)
    if name in DISTRIBUTIONS:
        from ppl.embed.distributions import constructor

        return constructor(name)
    raise AttributeError(
        f"module 'ppl' has no attribute {name!r}; it has {', '.join(sorted([*_HOMES, *registry.names()]))}"
    )


def __dir__() -> list[str]:
    from ppl.inference.methods import registry

    return sorted([*globals(), *_HOMES, *registry.names()])
