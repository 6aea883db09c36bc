"""Exact inference by replaying every path of a program whose random choices are finite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from ppl.reference.choices import Address, EveryPath, Options, Rejected
from ppl.reference.context import Context
from ppl.reference.distributions import Distribution
from ppl.reference.errors import DomainError, LimitExceeded, Unsupported
from ppl.reference.run import Run
from ppl.reference.values import equal


def every_run(
    context: Context,
    choices: EveryPath,
    params: Mapping[str, Any],
    body: Callable[[Run], Any],
    data: Mapping[str, Any] | None = None,
    limit: int | None = None,
) -> Iterator[tuple[Any, Run]]:
    """The value of ``body`` and the finished run, for each path of positive weight."""
    count, more = 0, True
    while more:
        count += 1
        if limit is not None and count > limit:
            raise LimitExceeded(f"more than {limit} paths")
        choices.restart()
        run = Run(context, choices, data or {}, params)
        try:
            yield body(run), run
        except (Rejected, DomainError):
            pass
        more = choices.advance()


class Path(NamedTuple):
    """One execution. ``log_weight`` is the log of its prior probability times the density of the data and the
    factors."""

    trace: dict[str, Any]
    value: Any
    outputs: dict[str, Any]
    log_weight: float

    def get(self, name: str) -> Any:
        """A latent variable, an output, or the returned value (``return``)."""
        if name == "return" and "return" not in self.outputs:
            return self.value
        return self.outputs[name] if name in self.outputs else self.trace[name]


@dataclass(frozen=True)
class Paths(Sequence[Path]):
    """All paths of positive weight. ``lost``: prior probability of the executions that were cut off.

    With weights w: E f = Σ w f / Z, Z = Σ w."""

    paths: tuple[Path, ...]
    lost: float = 0.0

    def __getitem__(self, i):
        return self.paths[i]

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def log_evidence(self) -> float:
        return float(special.logsumexp([p.log_weight for p in self.paths])) if self.paths else -np.inf

    @property
    def probabilities(self) -> np.ndarray:
        return np.exp(np.array([p.log_weight for p in self.paths]) - self.log_evidence)

    def expectation(self, f: Callable[[Path], Any]) -> np.ndarray:
        return sum(p * np.asarray(f(path), dtype=float) for p, path in zip(self.probabilities, self.paths, strict=True))

    def mean(self, name: str) -> np.ndarray:
        return self.expectation(lambda path: path.get(name))

    def var(self, name: str) -> np.ndarray:
        mean = self.mean(name)
        return self.expectation(lambda path: (np.asarray(path.get(name), dtype=float) - mean) ** 2)

    def pmf(self, name: str, value: Any) -> float:
        """The posterior probability that the variable (or ``return``) equals ``value``."""
        return float(self.expectation(lambda path: equal(path.get(name), value)))

    def mode(self) -> Path:
        return max(self.paths, key=lambda p: p.log_weight)


def enumerate_exact(
    program,
    model: str,
    args: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    *,
    limit: int = 200_000,
    least: float = 0.0,
    options: Options | None = None,
    externs: Mapping[str, Callable] | None = None,
) -> Paths:
    """Every path of ``model``. ``least`` > 0 cuts executions whose prior probability is below it off (recursion without
    end, countable supports) and adds them up in ``lost``, which bounds the error of every unnormalised probability."""
    from ppl.reference.execution import apply, finished

    chosen = options or (lambda address, dist: finite_options(address, dist, least))
    context = Context(program, externs, chosen)
    choices = EveryPath(chosen, least)
    applied, rest = apply(context, model, args, data)
    runs = every_run(context, choices, {}, lambda run: run.model(applied), rest, limit)
    paths = tuple(Path(*finished(run, value)[:3], run.log_weight) for value, run in runs)
    return Paths(paths, choices.lost)


def finite_options(address: Address, dist: Distribution, tail: float = 0.0) -> list[tuple[Any, float]]:
    """The atoms with their log probabilities; a countable support is cut where less than ``tail`` remains."""
    atoms = dist.atoms(tail)
    if atoms is None:
        raise Unsupported(f"{address}: {type(dist).__name__} has no finite support")
    return [(v, lp) for v in atoms if (lp := dist.log_density(v)) > -np.inf]
