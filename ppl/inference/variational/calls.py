"""Names with arguments in a method expression (``low_rank(5)``, ``adam(0.01)``) as calls of Python functions."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ppl.core.errors import UsageError


def apply(kind: str, known: Mapping[str, Callable[..., Any]], call: Any, *given: Any) -> Any:
    """``known[call.name]`` of ``given`` and then the arguments of the call. UsageError (exit code 2) for a name that
    is not known, with those that are, and for arguments that do not fit, with those that do."""
    function = known.get(call.name)
    if function is None:
        near = difflib.get_close_matches(call.name, known, n=1)
        raise UsageError(
            f"there is no {kind} `{call.name}`" + (f"; did you mean `{near[0]}`?" if near else ""),
            notes=(f"{kind}s: " + ", ".join(known),),
            helps=(f"{kind}={near[0] if near else next(iter(known))}",),
        )
    signature = inspect.signature(function)
    keywords = dict(call.keywords)
    try:
        signature.bind(*given, *call.args, **keywords)
    except TypeError as error:
        own = list(signature.parameters.values())[len(given) :]
        wanted = ", ".join(str(p).split(":")[0] + ("" if p.default is p.empty else f"={p.default}") for p in own)
        raise UsageError(f"the {kind} `{call.name}`: {error}", helps=(f"write {call.name}({wanted})",)) from error
    return function(*given, *call.args, **keywords)
