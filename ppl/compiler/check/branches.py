"""Branches: what the arms of an ``if`` or ``match`` leave behind is merged into the results of one statement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context
from ppl.compiler.check.expressions import in_block, join_facts
from ppl.compiler.check.frames import Frame, Local, SitePiece
from ppl.compiler.check.refinements import Ranges, refined
from ppl.compiler.check.unify import common_type, describe
from ppl.compiler.check.values import Value, joined_level, unknown
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.types import Dist

Run = Callable[[], Value | None]
Build = Callable[[tuple[ir.Block, ...], tuple[ir.Var, ...]], ir.Stmt]


@dataclass(slots=True)
class _Arm:
    statements: list[ir.Stmt]
    frame: Frame
    value: Value | None
    state: list[Value]


@dataclass(slots=True)
class _Result:
    """A value that all arms give: of a state variable, of a random variable, or of the whole."""

    hint: str
    values: list[Value]
    install: Callable[[Value], None]


def branch(
    cx: Context, span: Span, header: Value | None, arms: list[tuple[Ranges, Run]], build: Build, must_return: bool
) -> Value | None:
    """Run the arms, each in a block of its own, and emit the statement that ``build`` makes. The value is that of
    the arms
    (of an expression, or what they return)."""
    state = [local for scope in cx.scopes for local in scope.values() if local.mutable]
    before = [local.value for local in state]
    done: list[_Arm] = []
    for ranges, run in arms:
        with refined(cx, ranges), cx.block() as statements, cx.frame(Frame("branch", span, block=statements)) as frame:
            value = run()
        done.append(_Arm(statements, frame, value, [local.value for local in state]))
        for local, v in zip(state, before, strict=True):
            local.value = v
    returned: list[Value] = []
    results = _state_results(cx, state, before, done) + _site_results(cx, done)
    if must_return and all(a.value is not None for a in done):
        results.append(_Result("", [a.value for a in done if a.value is not None], returned.append))
    elif must_return:
        cx.error(
            "E211",
            "a path ends without a value",
            span,
            "",
            tuple((a.frame.span, "no value here") for a in done if a.value is None and a.frame.span != span),
            ("every path returns, or none",),
        )
    _emit(cx, span, header, done, results, build)
    return returned[0] if returned else None if not must_return else unknown(span)


def _state_results(cx: Context, state: list[Local], before: list[Value], arms: list[_Arm]) -> list[_Result]:
    out = []
    for i, local in enumerate(state):
        if any(a.state[i].atom is not before[i].atom for a in arms):
            out.append(_Result(_name_of(cx, local), [a.state[i] for a in arms], partial(_set, local)))
    return out


def _set(local: Local, value: Value) -> None:
    local.value = value


def _name_of(cx: Context, local: Local) -> str:
    return next((n for s in cx.scopes for n, x in s.items() if x is local), "s")


def _site_results(cx: Context, arms: list[_Arm]) -> list[_Result]:
    """Random variables drawn in every arm at the same indices; the others are defined on some paths only."""
    out: list[_Result] = []
    names = dict.fromkeys(n for a in arms for n in (*a.frame.sites, *a.frame.partial))
    parent = cx.frames[-1]
    for name in names:
        pieces = [sorted(a.frame.sites.get(name, ()), key=lambda p: str(p.box)) for a in arms]
        boxes = [tuple(p.box for p in ps) for ps in pieces]
        if all(b and b == boxes[0] for b in boxes) and not any(name in a.frame.partial for a in arms):
            for same in zip(*pieces, strict=True):
                _merge_piece(cx, name, list(same), parent, out)
        else:
            first = next(p for ps in pieces for p in ps) if any(pieces) else None
            span = (
                first.span
                if first is not None
                else next(a.frame.partial[name] for a in arms if name in a.frame.partial)
            )
            parent.partial.setdefault(name, span)
            for a in arms:
                parent.conditional.setdefault(name, []).extend(
                    a.frame.sites.get(name, []) + a.frame.conditional.get(name, [])
                )
            site = cx.site(name)
            if site is not None:
                site.conditional = True
    for a in arms:
        for text, where in a.frame.observed.items():
            parent.observed.setdefault(text, where)
    return out


def _merge_piece(cx: Context, name: str, same: list[SitePiece], parent: Frame, out: list[_Result]) -> None:
    site = cx.site(name)
    values = [
        Value(p.value, p.value.type, p.value.support, p.value.level, p.span, dist=site.dist if site else None)
        for p in same
    ]

    def install(v: Value) -> None:
        if isinstance(v.atom, ir.Var):
            parent.sites.setdefault(name, []).append(SitePiece(same[0].box, same[0].axes, v.atom, same[0].span))
            if site is not None:
                site.support = v.support

    out.append(_Result(same[0].value.id, values, install))


def _emit(
    cx: Context, span: Span, header: Value | None, arms: list[_Arm], results: list[_Result], build: Build
) -> None:
    atoms: list[list[ir.Atom]] = [[] for _ in arms]
    variables: list[ir.Var] = []
    installs: list[tuple[_Result, Value]] = []
    for r in results:
        merged = _merge(cx, span, header, arms, r, atoms)
        if isinstance(merged.atom, ir.Var):
            variables.append(merged.atom)
        installs.append((r, merged))
    blocks = tuple(ir.Block(tuple(a.statements), tuple(xs)) for a, xs in zip(arms, atoms, strict=True))
    cx.emit(build(blocks, tuple(variables)))
    for r, merged in installs:
        r.install(merged)


def _merge(
    cx: Context, span: Span, header: Value | None, arms: list[_Arm], r: _Result, atoms: list[list[ir.Atom]]
) -> Value:
    if any(v.unknown for v in r.values):
        return unknown(span)
    common = r.values[0].type
    for v in r.values[1:]:
        merged = common_type(cx, common, v.type, v.span, "the branches")
        if merged is None:
            code = "E309" if cx.site(r.hint) is not None else "E208"
            what = (
                f"`{r.hint}` has different types in the branches"
                if code == "E309" or r.hint
                else "the branches have different types"
            )
            cx.error(
                code,
                what,
                v.span,
                f"this is {describe(v.type)}",
                ((r.values[0].span, f"this is {describe(r.values[0].type)}"),),
            )
            return unknown(span)
        common = merged
    for v, arm, out in zip(r.values, arms, atoms, strict=True):
        out.append(in_block(cx, arm.statements, v, common))
    level = joined_level(*r.values, *((header,) if header is not None else ()))
    support = rules.join(*(v.support for v in r.values))
    facts = r.values[0].dist
    for v in r.values[1:]:
        facts = join_facts(facts, v.dist)
    var = cx.var(r.hint, common, support, level, span)
    return Value(var, common, support, level, span, dist=facts if isinstance(common, Dist) else None)
