"""A guide against its model: the same latent variables on every path, of the same types, inside the model's supports.

The guide must be absolutely continuous with respect to the posterior: where the guide may draw, the model has mass."""

from __future__ import annotations

from math import inf

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.module import ModuleScope
from ppl.compiler.check.names import imported
from ppl.compiler.check.suggest import nearest
from ppl.compiler.check.typeexprs import size_of
from ppl.compiler.check.unify import describe, fits, substitute, substitute_support
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.nodes import Role
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import Interval, Support
from ppl.compiler.ir.types import shape
from ppl.compiler.syntax import ast


def guided_model(cx: Context, decl: ast.GuideDecl) -> str | None:
    """The full name of the model that the guide is for, its body checked."""
    scope: ModuleScope | None = cx.module
    name = ""
    if isinstance(decl.target, ast.Name):
        name = decl.target.id
    elif isinstance(decl.target, ast.Attribute):
        scope, name = imported(cx, decl.target.base), decl.target.name
    found = scope.decls.get(name) if scope is not None else None
    if scope is None or not isinstance(found, ast.ModelDecl):
        models = [n for n, d in cx.module.decls.items() if isinstance(d, ast.ModelDecl)]
        near = nearest(name, models)
        helps = (suggestion(f"did you mean `{near}`?", decl.target.span, near),) if near else ()
        what = "there is no model" if found is None else "a guide is for a model, but this is not one:"
        cx.error("E510", f"{what} `{name}`", decl.target.span, "not a model", helps=helps)
        return None
    scope.ensure(name)
    return scope.prefix + name


def check_guide(cx: Context, scope: ModuleScope, decl: ast.GuideDecl, guide: ir.Model) -> None:
    model = scope.parts.models.get(guide.guide_for or "")
    target = scope.parts.contexts.get(guide.guide_for or "")
    if model is None or target is None:
        return
    sizes = _sizes(cx, decl, model)
    if any(s.broken for s in (*target.sites.values(), *cx.sites.values())):
        return
    wanted = {s.name: s for s in target.all_sites if s.role is Role.LATENT and not _runs_a_model(target, s.name)}
    drawn = {s.name: s for s in cx.all_sites if not _runs_a_model(cx, s.name)}
    _missing(cx, decl, model, wanted, drawn)
    for name, site in drawn.items():
        if site.role is Role.AUX:
            if name in {s.name for s in target.all_sites}:
                cx.error(
                    "E505",
                    f"`{name}` is a variable of the model, not an auxiliary one",
                    site.span,
                    "`aux` here",
                    ((_span(target, name), "drawn here in the model"),),
                    helps=(Help("draw it without `aux`"),),
                )
        elif name in wanted:
            _compare(cx, target, wanted[name], site, sizes)
        else:
            _extra(cx, decl, target, site, list(wanted))


def _span(cx: Context, name: str):
    return next(s.span for s in cx.all_sites if s.name == name)


def _runs_a_model(cx: Context, name: str) -> bool:
    return name in cx.sites and cx.sites[name].submodel is not None


def _sizes(cx: Context, decl: ast.GuideDecl, model: ir.Model) -> dict[str, Size]:
    """The model's sizes in terms of the guide's."""
    given = [size_of(cx, e, "a size of the model") for e in decl.target_sizes]
    if given and len(given) != len(model.sizes):
        cx.error(
            "E203",
            f"{len(given)} sizes for the model `{model.name}`, which has {len(model.sizes)}",
            decl.target.span,
            "",
            ((model.span, "declared here"),),
        )
    return {n: s for n, s in zip(model.sizes, given, strict=False) if s is not None}


def _missing(
    cx: Context, decl: ast.GuideDecl, model: ir.Model, wanted: dict[str, ir.SiteInfo], drawn: dict[str, ir.SiteInfo]
) -> None:
    missing = [s for n, s in wanted.items() if n not in drawn]
    if missing:
        names = ", ".join(f"`{s.name}`" for s in missing)
        cx.error(
            "E501",
            f"the guide `{decl.name}` does not draw {names} of `{model.name}`",
            decl.name_span,
            "not drawn on any path",
            tuple((s.span, f"`{s.name}` is a latent variable") for s in missing),
            ("a guide draws every latent variable of its model",),
            (Help("add " + ", ".join(f"`{s.name}{_indices(s)} ~ …`" for s in missing)),),
        )
    target = cx.module.parts.contexts[model.name]
    for name in wanted:
        if (
            name in drawn
            and cx.sites.get(name)
            and cx.sites[name].conditional
            and not (target.sites.get(name) and target.sites[name].conditional)
        ):
            cx.error(
                "E501",
                f"the guide draws `{name}` on some paths only",
                drawn[name].span,
                "not on every path",
                ((wanted[name].span, "drawn on every path of the model"),),
            )


def _indices(s: ir.SiteInfo) -> str:
    return f": real[{', '.join(map(str, shape(s.type)))}]" if shape(s.type) else ""


def _drawn_at(cx: Context, site: ir.SiteInfo) -> Span:
    """Where the guide draws it: a submodel's variable where the submodel is run."""
    runs = cx.sites.get(site.name.split(".")[0])
    return runs.span if runs is not None else site.span


def _extra(cx: Context, decl: ast.GuideDecl, target: Context, site: ir.SiteInfo, wanted: list[str]) -> None:
    name = site.name
    observed = next((s for s in target.all_sites if s.name == name and s.role is Role.DATA), None)
    if observed is not None:
        cx.error(
            "E505",
            f"`{name}` is data of the model `{target.name}`: a guide draws latents only",
            _drawn_at(cx, site),
            "data in the model",
            ((observed.span, "`data` here"),),
            helps=(Help("drop this draw"),),
        )
        return
    near = nearest(name, [w for w in wanted if w not in cx.sites])
    helps = [Help(f"if it is an extra variable of the guide, write `aux {name} ~ …`")]
    if near:
        helps.insert(
            0,
            suggestion(f"did you mean `{near}`?", site.span, near)
            if cx.text(site.span) == name
            else Help(f"did you mean `{near}`?"),
        )
    cx.error(
        "E502",
        f"the model `{target.name}` has no latent variable `{name}`",
        site.span,
        "drawn by the guide only",
        ((_declared(target), "the model"),),
        ("a draw that the model does not know would silently change the objective",),
        tuple(helps),
    )


def _declared(target: Context):
    decl = target.module.decls[target.name.rsplit(".", 1)[-1]]
    return decl.name_span


def _compare(cx: Context, target: Context, wanted: ir.SiteInfo, drawn: ir.SiteInfo, sizes: dict[str, Size]) -> None:
    name = wanted.name
    type_ = substitute(wanted.type, sizes)
    secondary = ((wanted.span, f"in the model it is {wanted.type} with {wanted.support}"),)
    if wanted.discrete != drawn.discrete:
        kinds = ("discrete", "continuous") if wanted.discrete else ("continuous", "discrete")
        cx.error(
            "E504",
            f"`{name}` is {kinds[0]} in the model and {kinds[1]} in the guide",
            _drawn_at(cx, drawn),
            kinds[1],
            secondary,
            ("their densities refer to different measures and can't be compared",),
        )
        return
    if not fits(cx, type_, drawn.type, _drawn_at(cx, drawn), f"`{name}` in guide and model")[0]:
        cx.error(
            "E503",
            f"`{name}` is {describe(type_)} in the model, but {describe(drawn.type)} in the guide",
            _drawn_at(cx, drawn),
            f"this is {drawn.type}",
            secondary,
        )
        return
    support = substitute_support(wanted.support, sizes)
    if (
        _dynamic(support)
        or _dynamic(drawn.support)
        or rules.included(_closed(drawn.support), _closed(support)) is not False
    ):
        return
    cx.error(
        "E504",
        f"the guide draws `{name}` outside its support in the model",
        _drawn_at(cx, drawn),
        f"draws {drawn.support}",
        ((wanted.span, f"in the model it is {wanted.support}"),),
        ("where the guide draws what the model excludes, the objective is minus infinity or undefined",),
        _inside(support),
    )


def _dynamic(s: Support) -> bool:
    return bool(getattr(s, "dynamic", False))


def _closed(s: Support) -> Support:
    return Interval(s.lower, s.upper) if isinstance(s, Interval) else s


def _inside(s: Support) -> tuple[Help, ...]:
    """Distributions that stay inside a support."""
    if not isinstance(s, Interval):
        return ()
    if (s.lower, s.upper) == (0, inf):
        return (Help("draw it from `LogNormal(m, s)` or `Gamma(a, b)`"),)
    if (s.lower, s.upper) == (0, 1):
        return (Help("draw it from `Beta(a, b)`, or `transformed(Normal(m, s), sigmoid)`"),)
    bounds = [f"lower={s.lower:g}"] * (s.lower > -inf) + [f"upper={s.upper:g}"] * (s.upper < inf)
    return (Help(f"cut it off: `truncated(D, {', '.join(bounds)})`"),)
