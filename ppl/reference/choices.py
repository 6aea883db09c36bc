"""Who decides the random choices: the interpreter asks, a handler answers.

One program, many meanings: drawn from the prior it is a simulator, replayed from a trace a density, walked through
every answer an enumeration.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ppl.reference.distributions import Distribution
from ppl.reference.errors import MissingValue, Unsupported


class Address(NamedTuple):
    """A random choice: the site (dotted through submodels) and the indices of the element."""

    site: str
    indices: tuple[int, ...]

    def __str__(self) -> str:
        return self.site + (f"[{', '.join(map(str, self.indices))}]" if self.indices else "")


class Rejected(Exception):
    """The weight of this execution is zero: nothing after it matters."""


class Choices(ABC):
    """``stop_at_zero``: end an execution as soon as its weight is zero."""

    stop_at_zero = True

    @abstractmethod
    def draw(self, address: Address, distribution: Distribution) -> tuple[Any, float]:
        """The value of a random choice and the log weight that choosing it so brings."""


class FromPrior(Choices):
    """Draws; weight 0."""

    stop_at_zero = False

    def __init__(self, rng: np.random.Generator):
        self.rng = rng

    def draw(self, address, distribution):
        return distribution.sample(self.rng), 0.0


class FromTrace(Choices):
    """Takes the value from a trace (site → whole array), its log density as weight; asks ``otherwise`` for what it
    lacks."""

    def __init__(self, trace: Mapping[str, Any], otherwise: Choices | None = None):
        self.trace, self.otherwise = trace, otherwise

    def draw(self, address, distribution):
        if address.site not in self.trace:
            if self.otherwise is None:
                raise MissingValue(
                    f"the trace has no value for {address}: it has {', '.join(self.trace) or 'none at all'}"
                )
            return self.otherwise.draw(address, distribution)
        value = element_of(self.trace[address.site], address)
        return value, distribution.log_density(value)


Options = Callable[[Address, Distribution], list[tuple[Any, float]]]


def exact_options(address: Address, distribution: Distribution) -> list[tuple[Any, float]]:
    """The atoms of a finite distribution, with their log probabilities."""
    atoms = distribution.atoms()
    if atoms is None:
        raise Unsupported(f"{address} has no finite support: {type(distribution).__name__}")
    return [(v, lp) for v in atoms if (lp := distribution.log_density(v)) > -np.inf]


class EveryPath(Choices):
    """Depth-first walk through all answers: each execution replays the decisions taken so far and takes the first
    option of every new choice; ``advance`` moves the last decision on.

    ``least``: executions whose options' weight falls below it are cut off; ``lost`` is the total weight cut off, the
    tails of countable supports included."""

    def __init__(self, options: Options = exact_options, least: float = 0.0):
        self.options, self.least, self.lost = options, least, 0.0
        self.path: list[list] = []  # [options, position] of each choice
        self.depth, self.log_prior = 0, 0.0

    def restart(self) -> None:
        self.depth, self.log_prior = 0, 0.0

    def draw(self, address, distribution):
        if self.depth == len(self.path):
            options = self.options(address, distribution)
            if not options:
                raise Rejected
            if self.least and distribution.discrete:  # the tail of a countable support is cut off too
                self.lost += float(np.exp(self.log_prior)) * max(0.0, 1 - sum(np.exp(lw) for _, lw in options))
            self.path.append([options, 0])
        options, position = self.path[self.depth]
        self.depth += 1
        value, log_weight = options[position]
        self.log_prior += log_weight
        if self.least and self.log_prior < np.log(self.least):
            self.lost += float(np.exp(self.log_prior))
            raise Rejected
        return value, log_weight

    def advance(self) -> bool:
        """To the next execution; False when all have been."""
        del self.path[self.depth :]  # decisions that the last execution did not reach belong to no path
        while self.path and self.path[-1][1] + 1 == len(self.path[-1][0]):
            self.path.pop()
        if self.path:
            self.path[-1][1] += 1
        return bool(self.path)


def element_of(whole: Any, address: Address) -> Any:
    if not address.indices:
        return whole
    array = whole if isinstance(whole, np.ndarray) else np.asarray(whole)
    try:
        return array[address.indices]
    except IndexError as failure:
        raise MissingValue(f"no value for {address}: the array has shape {array.shape}") from failure
