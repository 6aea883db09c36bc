"""Pattern matching: nested patterns and literals become nested Match and If statements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from ppl.compiler.check import operators
from ppl.compiler.check.branches import Run, branch
from ppl.compiler.check.context import Context
from ppl.compiler.check.refinements import Ranges
from ppl.compiler.check.suggest import nearest
from ppl.compiler.check.unify import describe
from ppl.compiler.check.values import Value, unknown
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.supports import ANYTHING, Product
from ppl.compiler.ir.types import Type
from ppl.compiler.syntax import ast


@dataclass(slots=True)
class _Row:
    """An arm with what is still to be tested, and the names bound on the way."""

    tests: list[tuple[Value, ast.Pattern]]
    run: Run
    span: Span
    bound: list[tuple[str, Value, Span]] = field(default_factory=list)

    def copy(self, tests: list[tuple[Value, ast.Pattern]]) -> _Row:
        return _Row(tests, self.run, self.span, list(self.bound))


@dataclass(slots=True)
class _Match:
    """The whole match. ``reached``: the arms that some value reaches."""

    span: Span
    must_return: bool
    reached: set[Span] = field(default_factory=set)
    incomplete: bool = False


def match_expression(cx: Context, e: ast.MatchExpr, expected: Type | None) -> Value:
    from ppl.compiler.check.expressions import check

    arms: list[tuple[ast.Pattern, Span, Run]] = [
        (a.pattern, a.span, partial(check, cx, a.value, expected)) for a in e.arms
    ]
    return match(cx, e.subject, arms, e.span, True) or unknown(e.span)


def match(
    cx: Context,
    subject: ast.Expr,
    arms: list[tuple[ast.Pattern, Span, Callable[[], Value | None]]],
    span: Span,
    must_return: bool,
) -> Value | None:
    """The match as nested branches; the value of the arms where they have one."""
    from ppl.compiler.check.expressions import check

    value = check(cx, subject)
    rows = [_Row([(value, pattern)], run, pattern.span) for pattern, _, run in arms]
    m = _Match(span, must_return)
    result = _decide(cx, rows, m, [])
    if not value.unknown:
        for row in rows:
            if row.span not in m.reached:
                cx.error("E209", "this arm is never reached", row.span, "the arms before it take every value")
    return result


def _decide(cx: Context, rows: list[_Row], m: _Match, trail: list[str]) -> Value | None:
    """``trail``: the shapes that the value is known to have, from the outside in."""
    if not rows:
        _not_covered(cx, m, trail)
        return unknown(m.span) if m.must_return else None
    row = rows[0]
    if not _simplify(cx, row):
        m.reached.add(row.span)
        return _decide(cx, rows[1:], m, trail) if len(rows) > 1 else unknown(m.span)
    if not row.tests:
        m.reached.add(row.span)
        for name, value, where in row.bound:
            cx.bind(name, value, where, "pattern", shadow=True)
        return row.run()
    value, pattern = row.tests[0]
    if value.unknown:
        m.reached.update(r.span for r in rows)
        return _run_all(cx, rows)
    if isinstance(pattern, ast.PLiteral):
        return _literal(cx, rows, value, pattern, m, trail)
    if isinstance(pattern, ast.PTuple):
        return _tuple(cx, rows, value, pattern, m, trail)
    return _constructors(cx, rows, value, m, trail)


def _not_covered(cx: Context, m: _Match, trail: list[str]) -> None:
    if m.incomplete:
        return
    m.incomplete = True
    known = [t for t in trail if t != "_"]
    example = "every value" if not known else f"`{known[0]}`" + (f" with `{known[-1]}` in it" if len(known) > 1 else "")
    arm = known[0] if len(known) == 1 and trail[-1] != "_" else "_"
    help_ = Help(f"add an arm `{arm} => …`")
    cx.error("E209", f"the match does not cover {example}", m.span, "not exhaustive", helps=(help_,))


def _run_all(cx: Context, rows: list[_Row]) -> Value | None:
    """The subject has an error: the arms are still checked, each by itself."""
    for r in rows:
        with cx.block():
            for _, pattern in r.tests:
                for name, where in _names(pattern):
                    cx.bind(name, unknown(where), where, "pattern", shadow=True)
            r.run()
    return unknown(rows[0].span)


def _names(p: ast.Pattern) -> list[tuple[str, Span]]:
    match p:
        case ast.PName(name):
            return [(name, p.span)]
        case ast.PConstructor(_, args) | ast.PTuple(args):
            return [n for a in args for n in _names(a)]
    return []


def _simplify(cx: Context, row: _Row) -> bool:
    """Take the tests that always succeed; False if the arm has an error."""
    tests = []
    for value, pattern in row.tests:
        if isinstance(pattern, ast.PWildcard):
            continue
        if isinstance(pattern, ast.PName) and _constructor(cx, pattern.name, value) is None:
            if not value.unknown:
                _looks_like_constructor(cx, pattern, value)
            row.bound.append((pattern.name, value, pattern.span))
            continue
        if not value.unknown and not _fits(cx, value, pattern):
            return False
        tests.append((value, pattern))
    row.tests = tests
    return True


def _looks_like_constructor(cx: Context, p: ast.PName, value: Value) -> None:
    """``Leafe`` would bind everything: a capital name beside a sum type is a misspelt constructor."""
    info = cx.module.sum_info(value.type.name) if isinstance(value.type, ty.Sum) else None
    if info is not None and p.name[:1].isupper():
        near = nearest(p.name, [c.name for c in info.constructors])
        helps = (Help(f"did you mean `{near}`?", (Edit(p.span, near),)),) if near else ()
        cx.error("E209", f"`{p.name}` is no constructor of {value.type}", p.span, "unknown constructor", helps=helps)


def _constructor(cx: Context, name: str, value: Value) -> ir.ConstructorInfo | None:
    if not isinstance(value.type, ty.Sum):
        return None
    info = cx.module.sum_info(value.type.name)
    return next((c for c in info.constructors if c.name == name), None) if info is not None else None


def _fits(cx: Context, value: Value, p: ast.Pattern) -> bool:
    t = value.type
    match p:
        case ast.PConstructor(name, args):
            found = _constructor(cx, name, value)
            if found is None:
                helps: tuple[Help, ...] = ()
                if (
                    isinstance(t, ty.Sum)
                    and (info := cx.module.sum_info(t.name))
                    and (near := nearest(name, [c.name for c in info.constructors]))
                ):
                    helps = (
                        Help(
                            f"did you mean `{near}`?",
                            (Edit(Span(p.span.file, p.span.start, p.span.start + len(name)), near),),
                        ),
                    )
                cx.error(
                    "E209",
                    f"`{name}` is no constructor of {t}",
                    p.span,
                    f"the value is {describe(t)}",
                    ((value.span, f"this is {describe(t)}"),),
                    helps=helps,
                )
                return False
            if len(args) != len(found.args):
                cx.error(
                    "E209",
                    f"the constructor `{name}` has {len(found.args)} argument{'s' * (len(found.args) != 1)}",
                    p.span,
                    f"{len(args)} here",
                )
                return False
        case ast.PName():
            pass
        case ast.PTuple(elements):
            if not isinstance(t, ty.Tuple) or len(t.elements) != len(elements):
                cx.error(
                    "E209",
                    f"a tuple pattern of {len(elements)} does not fit {describe(t)}",
                    p.span,
                    "",
                    ((value.span, f"this is {describe(t)}"),),
                )
                return False
        case ast.PLiteral():
            if not isinstance(t, (ty.Scalar, ty.IndexType, ty.SizeType)):
                cx.error(
                    "E209",
                    f"a literal pattern does not fit {describe(t)}",
                    p.span,
                    "",
                    ((value.span, f"this is {describe(t)}"),),
                )
                return False
    return True


def _same(test: tuple[Value, ast.Pattern], value: Value) -> bool:
    return test[0].atom == value.atom


def _literal(cx, rows, value, pattern, m, trail) -> Value | None:
    from ppl.compiler.check.expressions import check

    literal = check(cx, pattern.value)
    c = operators.apply(cx, "==", [value, literal], pattern.span)
    number = literal.const
    yes, no = [], []
    for r in rows:
        test = next((t for t in r.tests if _same(t, value)), None)
        rest = [t for t in r.tests if t is not test]
        if test is None or not isinstance(test[1], ast.PLiteral):
            yes.append(r.copy(list(r.tests)))
            no.append(r.copy(list(r.tests)))
        elif _literal_value(test[1].value) == number:
            yes.append(r.copy(rest))
        else:
            no.append(r.copy(list(r.tests)))
    if value.type == ty.BOOL and isinstance(number, bool):
        other = "false" if number else "true"
        no = [r.copy([t for t in r.tests if not (_same(t, value) and isinstance(t[1], ast.PLiteral))]) for r in no]
    else:
        other = "_"
    if c.unknown:
        m.reached.update(r.span for r in rows)
        return unknown(m.span)
    arms: list[tuple[Ranges, Run]] = [
        ({}, lambda: _decide(cx, yes, m, [*trail, cx.text(pattern.span)])),
        ({}, lambda: _decide(cx, no, m, [*trail, other])),
    ]
    return branch(
        cx,
        m.span,
        c,
        arms,
        lambda blocks, results: ir.If(c.atom, blocks[0], blocks[1], results, span=m.span),
        m.must_return,
    )


def _literal_value(e: ast.Expr):
    match e:
        case ast.IntLit(v) | ast.FloatLit(v) | ast.BoolLit(v):
            return v
        case ast.Unary("-", operand):
            inner = _literal_value(operand)
            return None if inner is None else -inner
    return None


def _tuple(cx, rows, value, pattern, m, trail) -> Value | None:
    parts = components(cx, value)
    for r in rows:
        tests: list[tuple[Value, ast.Pattern]] = []
        for t in r.tests:
            if _same(t, value) and isinstance(t[1], ast.PTuple) and len(t[1].elements) == len(parts):
                tests += zip(parts, t[1].elements, strict=True)
            else:
                tests.append(t)
        r.tests = tests
    return _decide(cx, rows, m, trail)


def components(cx: Context, value: Value) -> list[Value]:
    """The components of a tuple as values of their own."""
    assert isinstance(value.type, ty.Tuple)
    supports = (
        value.support.components if isinstance(value.support, Product) else (ANYTHING,) * len(value.type.elements)
    )
    return [
        Value(cx.let(ir.GetItem(value.atom, i), t, s, value.level, value.span), t, s, value.level, value.span)
        for i, (t, s) in enumerate(zip(value.type.elements, supports, strict=True))
    ]


def _constructors(cx, rows, value, m, trail) -> Value | None:
    info = cx.module.sum_info(value.type.name)
    named = {_pattern_name(t[1]) for r in rows for t in r.tests if _same(t, value)} - {None}
    cases: list[tuple[str | None, tuple[ir.Var, ...], list[_Row], str]] = []
    for c in info.constructors:
        if c.name not in named:
            continue
        binders = tuple(
            cx.var(f"{c.name.lower()}{i}", t, ANYTHING, value.level, value.span) for i, t in enumerate(c.args)
        )
        parts = [Value(b, b.type, ANYTHING, value.level, value.span) for b in binders]
        cases.append(
            (
                c.name,
                binders,
                [s for r in rows if (s := _specialise(cx, r, value, c.name, parts)) is not None],
                _shape(c),
            )
        )
    others = [c for c in info.constructors if c.name not in named]
    if others:
        rest = [
            r.copy(list(r.tests))
            for r in rows
            if not any(_same(t, value) and _is_constructor(cx, t, value) for t in r.tests)
        ]
        cases.append((None, (), rest, _shape(others[0])))
    arms: list[tuple[Ranges, Run]] = [({}, partial(_decide, cx, rs, m, [*trail, text])) for _, _, rs, text in cases]

    def build(blocks, results):
        return ir.Match(
            value.atom,
            tuple(ir.Case(name, binders, b) for (name, binders, _, _), b in zip(cases, blocks, strict=True)),
            results,
            span=m.span,
        )

    return branch(cx, m.span, value, arms, build, m.must_return)


def _shape(c: ir.ConstructorInfo) -> str:
    return c.name + (f"({', '.join('_' for _ in c.args)})" if c.args else "")


def _pattern_name(p: ast.Pattern) -> str | None:
    return p.name if isinstance(p, (ast.PConstructor, ast.PName)) else None


def _is_constructor(cx: Context, t: tuple[Value, ast.Pattern], value: Value) -> bool:
    name = _pattern_name(t[1])
    return name is not None and _constructor(cx, name, value) is not None


def _specialise(cx: Context, r: _Row, value: Value, name: str, parts: list[Value]) -> _Row | None:
    tests = []
    for t in r.tests:
        if not (_same(t, value) and _is_constructor(cx, t, value)):
            tests.append(t)
        elif _pattern_name(t[1]) != name:
            return None
        elif isinstance(t[1], ast.PConstructor):
            tests += zip(parts, t[1].args, strict=False)
    return r.copy(tests)
