"""Declarations: bodies checked and lowered, random variables gathered into the model's sites."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.arguments import support_fits
from ppl.compiler.check.context import Context, Generics
from ppl.compiler.check.expressions import check, conform
from ppl.compiler.check.frames import Site
from ppl.compiler.check.module import ModuleScope, Signature
from ppl.compiler.check.pieces import readable
from ppl.compiler.check.prune import prune
from ppl.compiler.check.sites import whole
from ppl.compiler.check.slabs import Miss
from ppl.compiler.check.statements import body, returning_body
from ppl.compiler.check.tiling import Tiling, tile
from ppl.compiler.check.typeexprs import declared
from ppl.compiler.check.unify import describe
from ppl.compiler.check.values import UNKNOWN, Value
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level, Role
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, COUNTS
from ppl.compiler.ir.types import INT, REAL, SizeType, Type, array, element, shape
from ppl.compiler.syntax import ast


def check_declaration(scope: ModuleScope, decl: ast.Decl) -> None:
    match decl:
        case ast.ConstDecl():
            _const(scope, decl)
        case ast.FnDecl():
            _fn(scope, decl)
        case ast.ExternFnDecl():
            _extern(scope, decl)
        case ast.DistDecl():
            _dist(scope, decl)
        case ast.ModelDecl() | ast.GuideDecl() | ast.ObjectiveDecl():
            _model(scope, decl)


# --- parameters ------------------------------------------------------------------------------------------------------


def _context(scope: ModuleScope, decl, kind: str) -> Context:
    signature = scope.signature(decl.name)
    generics = signature.generics if signature is not None else Generics()
    cx = scope.context(kind, scope.prefix + decl.name, generics)
    scope.parts.contexts[cx.name] = cx
    return cx


def parameters(cx: Context, decl, signature: Signature, level: Level) -> tuple[ir.Parameter, ...]:
    out = []
    names: dict[str, Span] = {}
    for p, known in zip(decl.params, signature.params, strict=True):
        if p.name in names or p.name in cx.generics.sizes:
            cx.error(
                "E102",
                f"the parameter `{p.name}` is already defined",
                known.span,
                "again here",
                ((names.get(p.name, decl.name_span), "first here"),),
            )
        names[p.name] = known.span
        if p.type is not None:
            cx.parameter_types[p.name] = p.type
        type_: Type = INT if known.is_size else known.type
        default = _default(cx, p, known)
        if known.is_size:
            cx.ids.reserve(p.name)
            var = ir.Var(p.name, SizeType(), COUNTS, Level.DATA, span=known.span)
            value = cx.size_value(Size.var(p.name), known.span, SizeType())
        else:
            own = max(level, Level.CONTINUOUS) if known.missing else level
            var = cx.var(p.name, type_, known.support, own, known.span)
            value = Value(var, type_, known.support, own, known.span)
            cx.depth[var.id] = 0
        cx.bind(p.name, value, known.span, "parameter", shadow=True)
        out.append(ir.Parameter(p.name, var, default, known.is_size, known.missing))
    return tuple(out)


def _default(cx: Context, p: ast.Param, known) -> ir.Block | None:
    if p.default is None:
        return None
    with cx.block() as statements:
        value = check(cx, p.default, known.type)
        if known.type != UNKNOWN:
            value = conform(cx, value, known.type, f"the default of `{p.name}`")
            if not value.unknown:
                support_fits(
                    cx, value, known.support, f"the default of `{p.name}`", "E403", ((known.span, "declared here"),)
                )
    return ir.Block(tuple(statements), (value.atom,))


# --- constants and functions -----------------------------------------------------------------------------------------


def _const(scope: ModuleScope, decl: ast.ConstDecl) -> None:
    cx = scope.context("const", decl.name)
    full = scope.prefix + decl.name
    given = declared(cx, decl.type) if decl.type is not None else None
    value = check(cx, decl.value, given.type if given else None)
    if given is not None and given.type != UNKNOWN:
        value = conform(cx, value, given.type, f"the constant `{decl.name}`")
        if not value.unknown:
            support_fits(cx, value, given.support, f"the constant `{decl.name}`", "E403")
    support = (
        value.support
        if given is None or given.support == ANYTHING or rules.included(value.support, given.support)
        else given.support
    )
    var = ir.Var(full, value.type, support, value.level, span=decl.name_span)
    scope.parts.constants[full] = (var, prune(ir.Block(tuple(cx.blocks[0]), (value.atom,))))


def _fn(scope: ModuleScope, decl: ast.FnDecl) -> None:
    signature = scope.signature(decl.name)
    assert signature is not None
    cx = _context(scope, decl, "fn")
    params = parameters(cx, decl, signature, Level.CONTINUOUS)
    cx.result_support = signature.result_support
    value = returning_body(cx, decl.body, signature.result)
    result = signature.result if signature.result is not None else _plain(value.type)
    support = (
        signature.result_support
        if signature.result is not None and signature.result_support != ANYTHING
        else value.support
    )
    if signature.result is None:
        signature.result, signature.result_support = result, support
    block = prune(ir.Block(tuple(cx.blocks[0]), (value.atom,)))
    scope.parts.functions[cx.name] = ir.Function(
        cx.name,
        signature.generics.sizes,
        params,
        result,
        block,
        None,
        cx.name in scope.parts.recursive,
        tuple(cx.size_checks),
        span=decl.name_span,
    )


def _plain(t: Type) -> Type:
    return INT if isinstance(t, SizeType) else t


def _extern(scope: ModuleScope, decl: ast.ExternFnDecl) -> None:
    signature = scope.signature(decl.name)
    assert signature is not None
    cx = _context(scope, decl, "fn")
    params = parameters(cx, decl, signature, Level.CONTINUOUS)
    if decl.source is not None and ":" not in decl.source:
        cx.error(
            "E109",
            f'the source of `{decl.name}` must be "module:name", not "{decl.source}"',
            decl.span,
            "no colon",
            helps=(Help('for example "mypackage.networks:encoder"'),),
        )
    result = signature.result if signature.result is not None else UNKNOWN
    scope.parts.functions[cx.name] = ir.Function(
        cx.name, signature.generics.sizes, params, result, None, decl.source or "", span=decl.name_span
    )


def _dist(scope: ModuleScope, decl: ast.DistDecl) -> None:
    signature = scope.signature(decl.name)
    assert signature is not None
    event = signature.result if signature.result is not None else UNKNOWN
    cx = _context(scope, decl, "logpdf")
    params = parameters(cx, decl, signature, Level.CONTINUOUS)
    value_var = logpdf = sample = None
    if decl.logpdf is not None:
        with cx.block() as statements:
            cx.frames[0].block = statements
            name = decl.logpdf_arg or "x"
            value_var = cx.var(name, event, signature.result_support, Level.CONTINUOUS, decl.logpdf.span)
            cx.bind(
                name,
                Value(value_var, event, signature.result_support, Level.CONTINUOUS, decl.logpdf.span),
                decl.logpdf.span,
                "parameter",
            )
            value = returning_body(cx, decl.logpdf, REAL)
        logpdf = prune(ir.Block(tuple(statements), (value.atom,)))
    if decl.sample is not None:
        inner = scope.context("sample", cx.name, signature.generics)
        inner.ids, inner.scopes, inner.size_checks = cx.ids, [dict(cx.scopes[0])], cx.size_checks
        value = returning_body(inner, decl.sample, event if event != UNKNOWN else None)
        close_sites(inner)
        sample = prune(ir.Block(tuple(inner.blocks[0]), (value.atom,)))
    if decl.logpdf is None and decl.sample is None:
        cx.error(
            "E211",
            f"the distribution `{decl.name}` has neither `logpdf` nor `sample`",
            decl.name_span,
            "empty",
            helps=(Help("give at least one: `logpdf(x) { return … }`, `sample { … return … }`"),),
        )
    scope.parts.dists[cx.name] = ir.UserDist(
        cx.name,
        signature.generics.sizes,
        params,
        event,
        signature.result_support,
        value_var,
        logpdf,
        sample,
        span=decl.name_span,
    )


# --- models, guides, objectives --------------------------------------------------------------------------------------


def _model(scope: ModuleScope, decl: ast.ModelDecl | ast.GuideDecl | ast.ObjectiveDecl) -> None:
    from ppl.compiler.check.guides import check_guide, guided_model

    signature = scope.signature(decl.name)
    assert signature is not None
    cx = _context(scope, decl, signature.kind)
    guide_for = guided_model(cx, decl) if isinstance(decl, ast.GuideDecl) else None
    params = parameters(cx, decl, signature, Level.DATA)
    cx.result_support = signature.result_support
    wanted = signature.result
    if isinstance(decl, ast.ObjectiveDecl):
        value: Value | None = returning_body(cx, decl.body, wanted if wanted is not None else REAL)
    else:
        value = body(cx, decl.body, wanted)
        if value is None and wanted is not None and wanted != UNKNOWN:
            cx.error(
                "E211",
                f"`{decl.name}` is declared to return {describe(wanted)}, but returns nothing",
                decl.name_span,
                "no `return`",
            )
    if signature.result is None and value is not None:
        signature.result, signature.result_support = _plain(value.type), value.support
    infos = close_sites(cx)
    results = (value.atom,) if value is not None and not value.unknown else ()
    outputs = tuple((n, t) for n, (t, _, _) in cx.outputs.items())
    if (
        value is not None
        and not value.unknown
        and signature.kind == "model"
        and not isinstance(element(value.type), (ty.Function, ty.Dist))
    ):
        outputs += (("return", _plain(value.type)),)
    block = prune(ir.Block(tuple(cx.blocks[0]), results))
    model = ir.Model(
        cx.name,
        signature.kind,
        signature.generics.sizes,
        params,
        signature.result,
        block,
        infos,
        outputs,
        tuple(cx.size_checks),
        guide_for,
        frozenset(cx.calls),
        False,
        decl.doc,
        span=decl.name_span,
    )
    scope.parts.models[cx.name] = model
    if isinstance(decl, ast.GuideDecl) and guide_for is not None:
        check_guide(cx, scope, decl, model)


def close_sites(cx: Context) -> tuple[ir.SiteInfo, ...]:
    """Every random variable covered without a gap; the arrays assembled at the end of the body."""
    infos: list[tuple[Site, ir.SiteInfo]] = []
    for site in cx.sites.values():
        if site.broken:
            continue
        root = cx.own_frames[0]
        pieces = root.sites.get(site.name) or root.conditional.get(site.name, [])
        if not pieces:
            continue
        tiling = tile([p.box for p in pieces]) if site.rank else Tiling(())
        if tiling.extents is None:
            _not_covered(cx, site, tiling)
            continue
        fine = all(cx.require_sizes(a, b, f"the ranges of `{site.name}` meet", site.span) for a, b in tiling.equalities)
        for p in pieces:
            fine = fine and all(
                cx.require_sizes(lo, hi, f"the ranges of `{site.name}` are not empty", p.span, "<=") for lo, hi in p.box
            )
        if (
            site.rank
            and site.name in root.sites
            and fine
            and site.kind not in ("let",)
            and isinstance(whole(cx, site, site.span), Miss)
        ):
            continue
        if site.kind != "let":
            infos.append((site, _info(cx, site, tiling.extents)))
    cx.all_sites = tuple(i for _, i in infos)
    return tuple(i for s, i in infos if s.kind != "field")


def _info(cx: Context, site: Site, extents: tuple[Size, ...]) -> ir.SiteInfo:
    type_ = array(site.element, *extents)
    axes = tuple(_axis_name(site.name, k, n) for k, n in enumerate(shape(type_)))
    role = Role(site.role if site.kind == "field" else site.kind)
    return ir.SiteInfo(
        site.name, type_, site.support, role, site.discrete, axes, site.missing, site.doc, span=site.span
    )


def _axis_name(site: str, k: int, n: Size) -> str:
    names = [v for v in n.variables if n == Size.var(v)]
    return names[0] if names else f"{site}_dim_{k}"


def _not_covered(cx: Context, site: Site, tiling: Tiling) -> None:
    name = site.name
    if tiling.gap is not None:
        axis, lo, hi = tiling.gap
        subs = ["…"] * site.rank
        subs[axis] = readable(cx, lo) if hi == lo + 1 else f"{readable(cx, lo)}..{readable(cx, hi)}"
        missing = f"{name}[{', '.join(subs)}]" if site.rank > 1 else f"{name}[{subs[0]}]"
        cx.error(
            "E303",
            f"`{missing}` is never defined",
            site.span,
            f"`{name}` has a gap",
            tuple(
                (p.span, f"from {_first(cx, p.box, axis)}")
                for p in cx.own_frames[0].sites.get(name, ())
                if p.span != site.span
            ),
            ("a random variable is defined at every index from 0 on",),
            (Help(f"define `{missing}` too, or start the loop at {lo}"),),
        )
        return
    others = tuple((p.span, "and here") for p in cx.own_frames[0].sites.get(name, ()) if p.span != site.span)
    if tiling.overlap == (-1, -1):
        cx.error(
            "E304",
            f"the index ranges of `{name}` overlap",
            site.span,
            "drawn here",
            others,
            ("each element of a random variable is defined exactly once",),
        )
    elif tiling.overlap is None:
        cx.error(
            "E303",
            f"it is not clear that `{name}` is defined exactly once at each index",
            site.span,
            "drawn here",
            others,
            ("the index ranges do not follow each other",),
        )


def _first(cx: Context, box, axis: int) -> str:
    return readable(cx, box[axis][0])


def finish_recursion(scope: ModuleScope) -> None:
    """What turned out to be recursive after it was built is marked."""
    parts = scope.parts
    for name in parts.recursive:
        if name in parts.models:
            parts.models[name] = replace(parts.models[name], recursive=True)
        if name in parts.functions:
            parts.functions[name] = replace(parts.functions[name], recursive=True)
