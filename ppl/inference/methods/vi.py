"""Variational inference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ppl.core.errors import MethodError
from ppl.inference.claims import Claim
from ppl.inference.methods.base import Call, Method, Needs, parameter

if TYPE_CHECKING:
    from ppl.core.objective import ObjectiveProgram
    from ppl.core.target import Target
    from ppl.inference.program import Program

_PARTS = ("guide", "objective", "optimiser")


@dataclass(frozen=True)
class Vi(Method):
    """Fits a guide to the posterior by stochastic gradients of an objective, and draws from it.

    ``guide``: an automatic one (mean_field, full_rank, low_rank(5), structured, flow(4)), the name of a guide in the
    model's
    file, or from Python a ``GuideProgram``. ``objective``: one of the library (elbo, iwelbo(10), …), one of the file,
    or from Python a function (target, guide, params, key) → surrogate. ``optimiser``: by name, or from Python any Optax
    transformation. Objectives are maximised."""

    name = "vi"
    summary = (
        "variational inference: a guide fitted to the posterior by gradients of an objective; a bound on the evidence"
    )
    claim = Claim.HEURISTIC
    needs = Needs(gradient=True)

    guide: Call = parameter(
        Call("auto"),
        "mean_field, full_rank, low_rank(k), structured, flow(layers), or a guide of the file; auto: chooses",
    )
    objective: Call = parameter(
        Call("elbo"), "elbo, iwelbo(K), stl, dreg(K), renyi(α, K), …, or an objective of the file"
    )
    steps: int = parameter(10_000, "steps of the optimiser, at most", least=1)
    optimiser: Call = parameter(
        Call("auto"), "adam(rate), adamw, sgd, rmsprop, adagrad, lion; auto: adam(0.05), for flows adam(0.01)"
    )
    particles: int = parameter(10, "estimates of the objective averaged in each step", least=1)
    window: int = parameter(100, "steps over which gains are judged and parameters averaged", least=2)
    halvings: int = parameter(
        6,
        "times that the step is halved where three windows bring no gain; then the fit has converged; 0: never",
        least=0,
    )
    tolerance: float = parameter(0.001, "a gain in nats that does not count", least=0)
    start: str = parameter("zero", "start near zero, or at the Laplace approximation", choices=("zero", "laplace"))
    batch: Any = parameter(
        None,
        "entries of a plate of data in each step, drawn anew: 100, or where there are several plates N(100); none: all",
    )
    strategies: Any = parameter(
        None,
        "from Python: gradient strategies of draws by name, {'z': 'reinforce'}, in place of the compiler's choices",
    )
    draws: int = parameter(1000, "draws of the fitted guide", least=1)

    def __post_init__(self) -> None:
        for name in _PARTS:
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, _read(value))
        super().__post_init__()

    @property
    def identified(self) -> bool:
        return self.strategies is None and all(isinstance(getattr(self, name), Call) for name in _PARTS)

    def program(self, target: Target) -> Program:
        """With an automatic guide or a ``GuideProgram``, and an objective that is a Python function; guides and
        objectives of a model's file come in by ``of``."""
        from ppl.inference.variational.build import built

        return built(target, self)

    def of(self, objective: ObjectiveProgram, label: str, lower_bound: bool, **more: Any) -> BoundVi:
        """This method for an objective that has its target and its guide; ``more`` as ``VariationalFit`` takes it."""
        return BoundVi(self, objective, label, lower_bound, more)

    def check(self, target: Target) -> None:
        require_continuous(target)

    def expression(self) -> str:
        """Python objects by the names of their types: such an expression is for reading."""
        objects = [(n, getattr(self, n)) for n in _PARTS if not isinstance(getattr(self, n), Call)]
        named: dict[str, Any] = {n: Call("python", (getattr(v, "__name__", type(v).__name__),)) for n, v in objects}
        return replace(self, **named).expression() if named else super().expression()


@dataclass(frozen=True)
class BoundVi(Method):
    """``Vi`` with an objective program."""

    name = Vi.name
    summary = Vi.summary
    claim = Vi.claim
    needs = Needs()

    method: Any
    objective: Any
    label: str
    lower_bound: bool
    more: Any

    @property
    def identified(self) -> bool:
        return self.method.identified

    def expression(self) -> str:
        return self.method.expression()

    def program(self, target: Target) -> Program:
        from ppl.inference.variational.build import fit

        return fit(target, self.objective, self.method, self.label, self.lower_bound, **self.more)


def require_continuous(target: Target) -> None:
    """MethodError where latents are discrete: automatic guides have no form for them."""
    discrete = [v.name for v in target.latents if v.discrete]
    if discrete:
        names = ", ".join(f"`{n}`" for n in discrete)
        raise MethodError(
            f"automatic guides are for continuous random variables, but {names} "
            + ("is" if len(discrete) == 1 else "are")
            + " discrete and could not be summed out",
            helps=(
                f"write a guide that draws {names}: `guide q() for {target.name} {{ … }}`, --method 'vi(guide=q)'",
                "or leave variational inference: --method 'mh', or 'smc(10000)'",
            ),
        )


def _read(text: str) -> Call:
    from ppl.inference.methods.parse import parse_value

    value = parse_value(text)
    return Call(value) if isinstance(value, str) else value
