"""Which strategy each draw has: as its `via` says, or the one of lowest variance that is sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate.finite import finite_values
from ppl.compiler.emit.estimate.strategies import STRATEGIES, Strategy
from ppl.compiler.emit.traverse import draws_in
from ppl.compiler.ir.nodes import Draw, Let, Lit, MakeDist, Model, Program, Scan, Var
from ppl.compiler.ir.smoothness import MEASURE_VALUED, NO_PATH, PATHWISE, discontinuity, moving_support
from ppl.compiler.ir.types import REAL, element, shape
from ppl.compiler.ir.walk import statements
from ppl.core.objective import DrawStrategy

Key = tuple[str, str]  # model, variable of the draw
LARGEST = 64  # values of a variable that is enumerated without being asked for


class Chosen:
    """The strategy of every draw of a guide and of an objective. ``given``: by site, from Python."""

    def __init__(
        self,
        program: Program,
        models: list[Model],
        target: Model | None,
        sizes: Mapping[str, int],
        given: Mapping[str, Strategy],
    ):
        self.program, self.target, self.sizes = program, target, sizes
        self.found: dict[Key, tuple[Strategy, str]] = {}
        self.sites: dict[Key, str] = {}
        for model in models:
            for draw in draws(model):
                key = model.name, draw.var.id
                self.sites[key] = draw.site
                self.found[key] = self._choice(model, draw, given)

    def __call__(self, model: str, draw: Draw) -> Strategy:
        return self.found[model, draw.var.id][0]

    def demote(self, site: str) -> bool:
        """Another strategy for the draws of a site whose enumeration is not local. False where it was asked for."""
        changed = False
        for key, (strategy, reason) in self.found.items():
            if self.sites[key] == site and strategy.name in ("enum", "mvd") and reason != _ASKED:
                self.found[key] = STRATEGIES["reinforce"], "its values combine with those of other iterations"
                changed = True
        return changed

    def report(self) -> tuple[DrawStrategy, ...]:
        return tuple(
            DrawStrategy(self.sites[key], strategy.name, reason, strategy.claim)
            for key, (strategy, reason) in self.found.items()
        )

    def _choice(self, model: Model, draw: Draw, given: Mapping[str, Strategy]) -> tuple[Strategy, str]:
        if draw.site in given:
            return self._sound(model, draw, given[draw.site]), _ASKED
        if draw.strategy is not None and not draw.strategy.auto:
            return STRATEGIES[draw.strategy.name], _ASKED
        name = family(model, draw)
        if name == "Delta":
            return STRATEGIES["reparam"], "it has one value"
        if element(draw.var.type) != REAL:
            values = finite_values(draw, self.sizes)
            if values is not None and len(values) <= LARGEST:
                return STRATEGIES["enum"], f"it has {len(values)} values"
            if name in MEASURE_VALUED and not shape(draw.var.type) and not _in_order(model, draw):
                return STRATEGIES["mvd"], "it has infinitely many values, and a measure-valued derivative"
            return STRATEGIES["reinforce"], "it is discrete, with too many values to list"
        jump = discontinuity(self.program, model, self.target, draw)
        if jump is None and name in PATHWISE:
            return STRATEGIES["reparam"], "it reaches no discontinuity"
        why = f"it reaches {jump}" if name in PATHWISE else f"the sampler of `{name}` has no derivative"
        scalar = name in MEASURE_VALUED and not shape(draw.var.type)
        if scalar and not _shape_moves(model, draw, name) and not _in_order(model, draw):
            return STRATEGIES["mvd"], f"{why}, and has a measure-valued derivative"
        return self._sound(model, draw, STRATEGIES["reinforce"]), why

    def _sound(self, model: Model, draw: Draw, strategy: Strategy) -> Strategy:
        """EmissionError for a score function whose support moves, and for a sample path that is none."""
        if strategy.name == "reparam":
            why = self._without_path(model, draw)
            if why is not None:
                raise EmissionError(
                    f"`{draw.site}` can't use `reparam`: {why}",
                    draw.span,
                    notes=("the derivative along the path does not see the jumps: the gradient would be wrong",),
                    helps=("leave its strategy out, and the compiler chooses one", "or use reinforce"),
                )
        moving = moving_support(self.program, model, draw) if getattr(strategy, "scored", False) else None
        if moving is not None:
            raise EmissionError(
                f"`{draw.site}` can't use `{strategy.name}`: its support depends on what is learnt ({moving[1]})",
                draw.span,
                notes=("the score function is 0 at the edge that moves: the gradient would be wrong, even in sign",),
                helps=("draw from constant bounds, and scale what is drawn",),
            )
        return strategy

    def _without_path(self, model: Model, draw: Draw) -> str | None:
        """Why a draw does not follow its parameters smoothly, or what reads it does not follow it."""
        name = family(model, draw)
        if element(draw.var.type) != REAL:
            return None if name == "Delta" else "it is discrete"
        if name in NO_PATH:
            return f"a draw of `{name}` does not follow its parameters smoothly"
        jump = discontinuity(self.program, model, self.target, draw)
        return None if jump is None else f"it reaches {jump}"


def _shape_moves(model: Model, draw: Draw, name: str) -> bool:
    """Whether a parameter without a measure-valued derivative is no constant of the text."""
    left = {"Gamma": "shape", "Weibull": "shape"}.get(name)
    made = distribution(model, draw)
    return left is not None and made is not None and not isinstance(dict(made.args).get(left), Lit)


def _in_order(model: Model, draw: Draw) -> bool:
    """Whether an ordered loop draws it: there each alternative is a run of the loop, which has to be asked for."""
    return any(isinstance(s, Scan) and any(d is draw for d in draws_in(s)) for s in statements(model.body))


_ASKED = "as asked"


def draws(model: Model) -> Iterator[Draw]:
    """All draws of a guide; of an objective, those of its expectations."""
    return (s for s in statements(model.body) if isinstance(s, Draw))


def distribution(model: Model, draw: Draw) -> MakeDist | None:
    """How the distribution of a draw is made; None where it is chosen at run time."""
    for s in statements(model.body):
        if isinstance(s, Let) and isinstance(draw.dist, Var) and s.var.id == draw.dist.id:
            return s.op if isinstance(s.op, MakeDist) else None
    return None


def family(model: Model, draw: Draw) -> str:
    """The name of the distribution, "" where it is chosen at run time."""
    made = distribution(model, draw)
    return made.name if made is not None else ""
