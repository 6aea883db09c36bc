"""Random variables come into being: by their first draw, and element by element."""

from __future__ import annotations

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context
from ppl.compiler.check.frames import Box, Site
from ppl.compiler.check.unify import describe, fits
from ppl.compiler.check.values import DistFacts
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir.supports import ANYTHING, Support
from ppl.compiler.ir.types import REAL, Type, element
from ppl.compiler.syntax import ast


def register(
    cx: Context,
    stmt: ast.Stmt,
    name: str,
    box: Box,
    kind: str,
    type_: Type,
    support: Support,
    discrete: bool,
    missing: bool,
    facts: DistFacts | None,
) -> Site | None:
    """The site of the name: new, or extended by another element. None after an error."""
    span = stmt.target.span if hasattr(stmt, "target") else stmt.span
    site = cx.sites.get(name)
    if site is None:
        local = cx.peek(name)
        outer = cx.parent.site(name) if cx.parent is not None else None
        if local is not None or (outer is not None and outer.kind != "let"):
            if local is not None and local.kind == "parameter":
                _parameter(cx, stmt, name, kind, local.span)
                return None
            earlier = local.span if local is not None else outer.span if outer is not None else span
            cx.error(
                "E102",
                f"the name `{name}` is already defined",
                span,
                "defined again here",
                ((earlier, "first defined here"),),
            )
            return None
        site = Site(
            name,
            kind,
            type_,
            support,
            discrete,
            len(box),
            span,
            missing,
            stmt.doc,
            facts.model if facts else None,
            dist=facts,
        )
        cx.sites[name] = site
        return site
    if site.broken:
        return None
    if site.kind != kind:
        cx.error(
            "E301",
            f"`{name}` is defined as {site.kind} and as {kind}",
            span,
            f"{kind} here",
            ((site.span, f"{site.kind} here"),),
        )
        return None
    if site.rank != len(box):
        cx.error(
            "E309",
            f"`{name}` is defined with {len(box)} and with {site.rank} indices",
            span,
            f"{len(box)} here",
            ((site.span, f"{site.rank} here"),),
        )
        return None
    if site.rank == 0 and any(name in f.partial for f in cx.own_frames):
        earlier = next(f.partial[name] for f in cx.own_frames if name in f.partial)
        cx.error(
            "E301",
            f"the random variable `{name}` is drawn twice on one path",
            span,
            "again here",
            ((earlier, "first here, on one path"),),
        )
        return None
    if (
        not fits(cx, site.element, type_, span, f"`{name}`")[0]
        and not fits(cx, type_, site.element, span, f"`{name}`")[0]
    ):
        cx.error(
            "E309",
            f"`{name}` has different types: {type_} and {site.element}",
            span,
            f"this is {describe(type_)}",
            ((site.span, f"this is {describe(site.element)}"),),
        )
        return None
    if facts is not None and site.dist is not None and facts.name != site.dist.name:
        _mixed_paths(cx, site, facts, span)
    site.support = rules.join(site.support, support)
    site.missing = site.missing or missing
    site.discrete = site.discrete and discrete
    if element(site.element) != element(type_) and element(type_) == REAL:
        site.element = type_
    site.dist = None
    return site


def _parameter(cx: Context, stmt: ast.Stmt, name: str, kind: str, declared: Span) -> None:
    """A parameter of the model is given: it is no random variable."""
    start = Span(stmt.span.file, stmt.span.start, stmt.span.start)
    if kind == "data":
        help_ = Help(f"drop the parameter: `data {name}` takes its values from the data by itself")
    else:
        help_ = Help(
            f"condition on it with `observe`, or drop the parameter and draw `data {name}`", (Edit(start, "observe "),)
        )
    span = stmt.target.span if isinstance(stmt, ast.Draw | ast.Let) else stmt.span
    secondary = ((declared, "a parameter of the model"),)
    cx.error("E102", f"`{name}` is a parameter: it is given, not drawn", span, "drawn here", secondary, helps=(help_,))


def _mixed_paths(cx: Context, site: Site, facts: DistFacts, span: Span) -> None:
    """Indian GPA: an atom on one path and a density on another."""
    if site.dist is not None and ((site.dist.atom and facts.density) or (site.dist.density and facts.atom)):
        cx.error(
            "E313",
            f"`{site.name}` has an atom on one path and a density on another",
            span,
            "mixed measure",
            ((site.span, "the other path"),),
            (
                "the probability of a point and the density of a continuum can't be compared: a weight that mixes "
                "them is wrong",
            ),
        )


def broken(cx: Context, stmt: ast.Draw) -> None:
    """After an error the names are known, with unknown values, so that their uses report nothing."""
    from ppl.compiler.check.forecast import targets
    from ppl.compiler.check.values import UNKNOWN

    for name, subs, span in targets(stmt.target):
        site = cx.sites.get(name)
        if site is None:
            site = Site(name, stmt.role, UNKNOWN, ANYTHING, False, len(subs), span)
            cx.sites[name] = site
        site.broken = True
