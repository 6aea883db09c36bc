"""Arguments to parameters: positions, keywords, defaults. An error shows the signature."""

from __future__ import annotations

from collections.abc import Sequence

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context
from ppl.compiler.check.suggest import nearest
from ppl.compiler.check.values import Value
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir.supports import Support
from ppl.compiler.syntax import ast

# Keywords that other systems use for the same parameter.
_SYNONYMS = {
    "mu": ("loc", "mean"), "mean": ("loc",), "location": ("loc",), "sigma": ("scale",), "sd": ("scale",),
    "std": ("scale",), "stddev": ("scale",), "probs": ("p",), "prob": ("p",), "theta": ("p",),
    "logits": ("logit", "logits"), "nu": ("df",), "lam": ("rate",), "lambda": ("rate",), "mixing": ("weights",),
    "total_count": ("n",), "alpha": ("shape", "a", "concentration"), "rate": ("rate",),
    "beta": ("rate", "b", "scale"), "concentration1": ("a",), "concentration0": ("b",),
    "covariance_matrix": ("cov",), "Sigma": ("cov",), "scale_tril": ("L",), "precision_matrix": ("precision",),
    "low": ("lower",), "high": ("upper",), "minimum": ("low",), "maximum": ("high",),
    "concentration": ("shape", "a", "eta"), "components": ("D",), "base": ("D",), "sample_shape": ("n",),
    "phi": ("concentration",),
}  # fmt: skip


def bind(
    cx: Context,
    signature: str,
    params: Sequence[tuple[str, bool]],
    args: tuple[ast.Arg, ...],
    span: Span,
    callee: Span,
    declared: Span | None = None,
) -> dict[str, ast.Expr] | None:
    """Expressions by parameter name; ``params`` pairs names with whether they may be absent. None after an error."""
    names = [n for n, _ in params]
    out: dict[str, ast.Expr] = {}
    fine = True
    secondary = ((declared, "declared here"),) if declared is not None else ()
    notes = (f"the signature is `{signature}`",)
    positional = [a for a in args if a.name is None]
    if len(positional) > len(names):
        extra = positional[len(names)]
        many = f"at most {len(names)}" if any(o for _, o in params) else f"{len(names)}"
        message = f"{len(positional)} arguments where {many} {'are' if len(names) != 1 else 'is'} taken"
        cx.error("E203", message, extra.span, "one too many", secondary, notes)
        fine = False
    for name, arg in zip(names, positional, strict=False):
        out[name] = arg.value
    for arg in args:
        if arg.name is None:
            continue
        if arg.name not in names:
            _unknown_keyword(cx, arg, names, set(out), secondary, notes)
            fine = False
        elif arg.name in out:
            cx.error(
                "E203",
                f"the argument `{arg.name}` is given twice",
                arg.span,
                "again",
                ((out[arg.name].span, "first given here"),),
                notes,
            )
            fine = False
        else:
            out[arg.name] = arg.value
    missing = [n for n, optional in params if n not in out and not optional]
    if missing and fine:
        what = (
            f"the argument `{missing[0]}` is"
            if len(missing) == 1
            else f"the arguments {', '.join(f'`{m}`' for m in missing)} are"
        )
        cx.error("E203", f"{what} missing", callee, "", secondary, notes)
        fine = False
    return out if fine else None


def _unknown_keyword(
    cx: Context, arg: ast.Arg, names: list[str], given: set[str], secondary, notes: tuple[str, ...]
) -> None:
    free = [n for n in names if n not in given]
    near = next((s for s in _SYNONYMS.get(arg.name or "", ()) if s in free), None) or nearest(arg.name or "", free)
    helps: tuple[Help, ...] = ()
    if near:
        keyword = Span(arg.span.file, arg.span.start, arg.span.start + len(arg.name or ""))
        helps = (Help(f"did you mean `{near}`?", (Edit(keyword, near),)),)
    cx.error("E203", f"there is no parameter `{arg.name}`", arg.span, "unknown keyword", secondary, notes, helps)


def support_fits(cx: Context, value: Value, needed: Support, what: str, code: str, because=()) -> bool:
    """An error if the value is surely outside the support that is needed."""
    if value.unknown or not rules.disjoint(value.support, needed):
        return True
    found = shown(value)
    cx.error(code, f"{what} must be {needed}, but this is {found}", value.span, f"never {needed}", tuple(because))
    return False


def shown(value: Value) -> str:
    """A constant as a number, any other value by its support."""
    if isinstance(value.const, (int, float)) and not isinstance(value.const, bool):
        return f"{value.const:g}"
    return str(value.support)
