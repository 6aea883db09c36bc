"""The variables of a submodel that is run by a draw: ``x.theta``, ``x[i].theta``."""

from __future__ import annotations

from ppl.compiler.check import indexing
from ppl.compiler.check.context import Context
from ppl.compiler.check.frames import Site
from ppl.compiler.check.sites import read
from ppl.compiler.check.suggest import nearest
from ppl.compiler.check.values import Value, unknown
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.ir.types import Record
from ppl.compiler.ir.types import element as ty_element
from ppl.compiler.syntax import ast


def submodel_field(cx: Context, e: ast.Attribute) -> Value | None:
    """``x.theta``, ``x[i].theta[j]``, ``x.inner.theta`` where ``x`` runs a submodel; None where it does not. Subscripts
    on the way are those of the variable's own axes, from the outside in."""
    names: list[str] = []
    subscripts: list[ast.Expr | ast.Slice] = []
    base: ast.Expr = e
    while isinstance(base, ast.Attribute | ast.Index):
        if isinstance(base, ast.Attribute):
            names.insert(0, base.name)
        else:
            subscripts[:0] = base.subscripts
        base = base.base
    if not isinstance(base, ast.Name) or cx.peek(base.id) is not None:
        return None
    site = cx.site(base.id)
    if site is None or site.submodel is None:
        return None
    if site.broken:
        return unknown(e.span)
    field = cx.site(".".join((base.id, *names)))
    if field is None:
        return _no_such_variable(cx, site, e) if len(names) == 1 else None
    found = indexing.subscripts_of(cx, tuple(subscripts))
    return unknown(e.span) if found is None else read(cx, field, found, e.span)


def _no_such_variable(cx: Context, site: Site, e: ast.Attribute) -> Value | None:
    """None where what the submodel returns may have the field."""
    if isinstance(ty_element(site.element), Record) or e.name == "T" or site.submodel not in cx.module.parts.models:
        return None
    names = [n.removeprefix(f"{site.name}.") for n in cx.sites if n.startswith(f"{site.name}.")]
    near = nearest(e.name, names)
    helps = (Help(f"did you mean `{near}`?", (Edit(e.name_span, near),)),) if near else ()
    notes = (f"it draws {', '.join(f'`{n}`' for n in names)}",) if names else ()
    cx.error(
        "E104",
        f"the model `{site.submodel}` draws no `{e.name}`",
        e.name_span,
        "no such variable",
        ((site.span, "run here"),),
        notes,
        helps,
    )
    return unknown(e.span)
