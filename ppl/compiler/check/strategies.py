"""Gradient strategies of draws: ``via reparam | reinforce | enum | mvd``."""

from __future__ import annotations

from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.suggest import nearest
from ppl.compiler.check.values import DistFacts
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.smoothness import MEASURE_VALUED, NO_PATH
from ppl.compiler.ir.types import REAL
from ppl.compiler.syntax import ast

STRATEGIES = ("reparam", "reinforce", "enum", "mvd")
_SYNONYMS = {
    "score": "reinforce",
    "reparameterize": "reparam",
    "reparameterise": "reparam",
    "pathwise": "reparam",
    "enumerate": "enum",
}
_FINITE = (
    "Bernoulli",
    "BernoulliLogit",
    "Binomial",
    "BinomialLogit",
    "BetaBinomial",
    "Categorical",
    "CategoricalLogit",
    "DiscreteUniform",
    "Discrete",
    "OrderedLogistic",
    "Delta",
    "mixture",
    "iid",
    "truncated",
    "infer",
    "transformed",
    "",
)


def strategy(cx: Context, via: ast.Via, facts: DistFacts, discrete: bool) -> ir.Strategy | None:
    """The strategy, with what it needs of the distribution checked."""
    from ppl.compiler.check.expressions import check_as

    cx.module.parts.strategies = True
    if via.name not in STRATEGIES:
        near = _SYNONYMS.get(via.name) or nearest(via.name, STRATEGIES)
        helps = (
            (suggestion(f"did you mean `{near}`?", via.span, f"via {near}"),)
            if near
            else (Help("there are reparam, reinforce, enum and mvd"),)
        )
        cx.error("E509", f"there is no gradient strategy `{via.name}`", via.span, "unknown", helps=helps)
        return None
    args: list[tuple[str, ir.Atom]] = []
    for a in via.args:
        if via.name == "reinforce" and a.name in ("baseline", None) and not args:
            args.append(("baseline", check_as(cx, a.value, REAL, "the baseline").atom))
        else:
            cx.error(
                "E509",
                f"`{via.name}` takes {'only `baseline = e`' if via.name == 'reinforce' else 'no arguments'}",
                a.span,
                "not expected",
            )
    if via.name == "reparam" and discrete:
        cx.error(
            "E506",
            "a discrete draw can't be reparameterised",
            via.span,
            "no derivative",
            notes=("its value jumps when a parameter moves",),
            helps=(
                suggestion("use `via enum`, exact over finitely many values", via.span, "via enum"),
                suggestion("or `via reinforce`", via.span, "via reinforce"),
            ),
        )
        return None
    if via.name == "reparam" and facts.name in NO_PATH:
        cx.error(
            "E511",
            f"a draw of `{facts.name}` does not follow its parameters smoothly",
            via.span,
            "no derivative along the value",
            helps=(suggestion("use `via reinforce`", via.span, "via reinforce"),),
        )
        return None
    if via.name == "enum" and (not discrete or facts.name not in _FINITE):
        what = "a continuous draw" if not discrete else f"`{facts.name}`, which has infinitely many values,"
        other = "via reinforce" if discrete else "via reparam"
        cx.error(
            "E511",
            f"{what} can't be enumerated",
            via.span,
            "not finitely many values",
            helps=(suggestion(f"use `{other}`", via.span, other),),
        )
        return None
    if via.name == "mvd" and facts.name and facts.name not in MEASURE_VALUED:
        cx.error(
            "E511",
            f"there is no measure-valued derivative for `{facts.name}`",
            via.span,
            "not known",
            notes=(f"there is one for {', '.join(MEASURE_VALUED)}",),
            helps=(suggestion("use `via reinforce`", via.span, "via reinforce"),),
        )
        return None
    return ir.Strategy(via.name, tuple(args))
