"""Kernels by name, as method expressions write them: ``on(select(mu), hmc(0.1, 10))``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ppl.core.errors import UsageError
from ppl.inference.kernels.base import Kernel
from ppl.inference.kernels.combinators import cycle, mix, on, repeated, select, seq
from ppl.inference.kernels.gradient import hmc, mala, nuts
from ppl.inference.kernels.metropolis import random_walk, single_site
from ppl.inference.kernels.slice import slice_sampler

KERNELS: dict[str, Callable[..., Any]] = {
    "rw": random_walk,
    "single_site": single_site,
    "slice": slice_sampler,
    "hmc": hmc,
    "nuts": nuts,
    "mala": mala,
    "seq": seq,
    "mix": mix,
    "cycle": cycle,
    "repeat": repeated,
    "on": on,
    "select": select,
}

EXAMPLES = {
    "rw": "rw(0.5)",
    "single_site": "single_site(0.5)",
    "slice": "slice()",
    "mala": "mala(0.1)",
    "seq": "seq(rw(0.5), slice())",
    "mix": "mix(rw(0.5), slice())",
    "cycle": "cycle(rw(0.5), slice())",
    "repeat": "repeat(rw(0.5), 5)",
    "on": "on(select(mu), rw(0.5))",
    "select": "on(select(mu), rw(0.5))",
}  # kernels that are no methods too


def kernel(call: Any) -> Kernel:
    """The kernel that ``call`` (a name, arguments and keywords, which may be calls themselves) stands for. UsageError
    else."""
    made = _made(call)
    if not isinstance(made, Kernel):
        raise UsageError(f"`{call.name}` alone is no kernel", helps=(f"on({call.name}(…), rw(0.5))",))
    return made


def _made(value: Any) -> Any:
    if not hasattr(value, "keywords"):
        return value
    function = KERNELS.get(value.name)
    if function is None:
        raise UsageError(
            f"there is no kernel `{value.name}`",
            notes=("kernels: " + ", ".join(KERNELS),),
            helps=("kernel=rw(0.5)",),
        )
    signature = inspect.signature(function)
    arguments = [_made(a) for a in value.args], {k: _made(v) for k, v in value.keywords}
    try:
        signature.bind(*arguments[0], **arguments[1])
    except TypeError as error:
        wanted = f"{value.name}({', '.join(signature.parameters)})"
        raise UsageError(f"the kernel `{value.name}`: {error}", helps=(f"its parameters: {wanted}",)) from error
    return function(*arguments[0], **arguments[1])
