"""watch(f) : M → M. Reports f of the realisation, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ppl.core.random import Source
from ppl.inference.claims import Claim
from ppl.inference.representations import Representation
from ppl.inference.representations.shape import ANY
from ppl.inference.transformations.base import Transformation


@dataclass(frozen=True, eq=False)
class Watch(Transformation):
    """``function(realised)``, a dict of arrays, joins the report; under ``repeat`` it comes with a leading axis of
    steps."""

    function: Callable[[Any], dict[str, Any]]
    name = "watch"
    source = ANY
    target = ANY
    claim = Claim.EXACT

    def act(self, key: Source, realised: Any, program: Representation) -> tuple[Any, Any]:
        return realised, self.function(realised)


def watch(function: Callable[[Any], dict[str, Any]]) -> Transformation:
    """``hoist(watch(lambda p: {"mean": p.weights @ p.values}))``: the mean of a filter, step by step."""
    return Watch(function)
