"""Certificates: what was claimed, how it was tested, with which error rates, and what came of it."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["passed", "refuted", "undecided"]


@dataclass(frozen=True)
class Check:
    """One test of one claim.

    ``oracle`` what it was compared with; ``family`` the test functions; ``alpha`` the probability of refuting a sound
    part; ``delta`` the least bias that would have been found (in standard deviations of the statistic, with probability
    0.99), None for exact comparisons; ``statistic`` its most extreme value; ``case`` the configuration, the smallest
    that fails where it was refuted."""

    claim: str
    oracle: str
    family: str
    outcome: Outcome
    alpha: float
    n: int
    statistic: dict[str, Any]
    delta: float | None = None
    case: str = ""
    seed: int | None = None


@dataclass(frozen=True)
class Certificate:
    """The checks of one part on one model. Never "correct": no bias larger than delta was found."""

    part: str
    model: str
    checks: tuple[Check, ...]
    versions: dict[str, str] = field(default_factory=dict)
    device: str = ""
    model_hash: str = ""

    @property
    def outcome(self) -> Outcome:
        if any(c.outcome == "refuted" for c in self.checks):
            return "refuted"
        return "passed" if self.checks and all(c.outcome == "passed" for c in self.checks) else "undecided"

    @property
    def refuted(self) -> bool:
        return self.outcome == "refuted"

    def __bool__(self) -> bool:
        """True if nothing was refuted and everything decided."""
        return self.outcome == "passed"

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "outcome": self.outcome}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, default=_plain)

    def table(self) -> str:
        """At most 80 columns."""
        lines = [f"{self.part} on {self.model}: {self.outcome}", ""]
        lines.append(f"{'claim':<34}{'oracle':<18}{'n':>8}  {'δ_min':>7}  outcome")
        for c in self.checks:
            delta = "exact" if c.delta is None else f"{c.delta:.3f}"
            lines.append(f"{c.claim[:33]:<34}{c.oracle[:17]:<18}{c.n:>8}  {delta:>7}  {c.outcome}")
            if c.outcome == "undecided" and "why" in c.statistic:
                lines += textwrap.wrap(str(c.statistic["why"]), 76, initial_indent="    ", subsequent_indent="    ")
            if c.outcome == "refuted":
                said = ", ".join(f"{k} = {_short(v)}" for k, v in c.statistic.items())
                lines.append(f"    {c.case}: {said}" if c.case else f"    {said}")
                if c.seed is not None:
                    lines.append(f"    reproduce with seed {c.seed}")
        if self.outcome == "passed":
            lines += ["", "No bias larger than δ_min (in standard deviations of each statistic) was found."]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.table()


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)
