"""Expressions to values: literals, names, structure. Calls, operators, indexing and closures have files of their
own."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context
from ppl.compiler.check.names import module_member, read_name
from ppl.compiler.check.prune import prune
from ppl.compiler.check.suggest import nearest
from ppl.compiler.check.unify import Instance, common_type, describe, fits, match, promote
from ppl.compiler.check.values import UNKNOWN, DistFacts, Value, joined_level, unknown
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, BOOLEANS, Product, Structured, Support
from ppl.compiler.ir.types import BOOL, INT, REAL, STRING, Type, array, element, shape
from ppl.compiler.syntax import ast


def check(cx: Context, e: ast.Expr, expected: Type | None = None) -> Value:
    """The value of an expression; its statements are emitted into the current block. ``expected`` guides literals and
    lambdas and is not enforced (``check_as`` does)."""
    from ppl.compiler.check import calls, closures, indexing, inference, operators, patterns

    match e:
        case ast.Name(id):
            return read_name(cx, id, e.span, expected)
        case ast.FloatLit(value):
            return Value(ir.Lit(value, REAL, span=e.span), REAL, rules.constant(value), span=e.span, const=value)
        case ast.IntLit(value):
            if value > operators.LARGEST_INT:
                help_ = Help("write it as a real, with a point", (Edit(e.span.after(), ".0"),))
                cx.error("E401", "the integer does not fit 64 bits", e.span, "too large", helps=(help_,))
                return unknown(e.span)
            return cx.size_value(Size.const(value), e.span)
        case ast.BoolLit(value):
            return Value(ir.Lit(value, BOOL, span=e.span), BOOL, BOOLEANS, span=e.span, const=value)
        case ast.StringLit(value):
            return Value(ir.Lit(value, STRING, span=e.span), STRING, span=e.span)
        case ast.Binary():
            return operators.binary(cx, e)
        case ast.Unary():
            return operators.unary(cx, e)
        case ast.Index():
            return indexing.index(cx, e)
        case ast.Call():
            return calls.call(cx, e, expected)
        case ast.Attribute():
            return _attribute(cx, e)
        case ast.IfExpr():
            return _if(cx, e, expected)
        case ast.ArrayLit(elements):
            return _array(cx, e, elements, expected)
        case ast.TupleLit(elements):
            return _tuple(cx, e, elements, expected)
        case ast.RecordLit():
            return _record(cx, e, expected)
        case ast.Lambda():
            return closures.closure(cx, e, expected)
        case ast.Comprehension():
            return closures.comprehension(cx, e, expected)
        case ast.MatchExpr():
            return patterns.match_expression(cx, e, expected)
        case ast.Infer():
            return inference.infer(cx, e)
        case ast.Expect():
            return inference.expect(cx, e)
        case ast.Given():
            return inference.given(cx, e)
        case ast.Range():
            cx.error(
                "E204",
                "a range is not a value",
                e.span,
                "ranges stand behind `in` and in subscripts",
                helps=(Help("for an array of ints write `arange(n)` or a comprehension"),),
            )
            return unknown(e.span)
    raise TypeError(f"not an expression: {e!r}")


def check_as(cx: Context, e: ast.Expr, expected: Type, what: str, code: str = "E201", because=()) -> Value:
    """The value as the type ``expected``: promoted, or an error that says ``what`` needs it."""
    value = check(cx, e, expected)
    return conform(cx, value, expected, what, code, because)


def conform(cx: Context, value: Value, expected: Type, what: str, code: str = "E201", because=()) -> Value:
    ok, broken = fits(cx, expected, value.type, value.span, what)
    if not ok:
        mismatch(cx, value, expected, what, code, because, broken)
        return replace(unknown(value.span), level=value.level)
    if value.unknown or expected == UNKNOWN:
        return value
    atom = promote(cx, value, expected)
    return replace(value, atom=atom, type=_promoted(value.type, expected))


def _promoted(have: Type, want: Type) -> Type:
    return array(REAL, *shape(have)) if element(want) == REAL and element(have) != REAL else have


def mismatch(cx: Context, value: Value, expected: Type, what: str, code: str, because, broken=None) -> None:
    notes: tuple[str, ...] = ()
    helps: tuple[Help, ...] = ()
    if broken is not None:
        notes = (f"sizes differ: {broken[0]} against {broken[1]}",)
    if element(expected) == INT and element(value.type) == REAL:
        helps = (Help("`round`, `floor` and `ceil` make an int of a real"),)
    elif element(expected) in (REAL, INT) and element(value.type) == BOOL:
        text = cx.text(value.span)
        edit = (Edit(value.span, f"where({text}, 1, 0)"),) if text and not isinstance(expected, ty.Array) else ()
        helps = (Help("a bool is not a number: write `where(…, 1, 0)`", edit),)
    elif isinstance(value.type, ty.Dist) and not isinstance(expected, ty.Dist):
        notes = ("a distribution is not one of its draws: draw from it with `~`",)
    elif expected == BOOL and isinstance(value.type, ty.Array):
        notes = ("array comparisons are elementwise",)
    cx.error(
        code,
        f"{what} must be {describe(expected)}, not {describe(value.type)}",
        value.span,
        f"this is {describe(value.type)}",
        tuple(because),
        notes,
        helps,
    )


def in_block(cx: Context, statements: list[ir.Stmt], value: Value, target: Type) -> ir.Atom:
    """``promote`` with the statements going to a block that has been closed."""
    cx.blocks.append(statements)
    try:
        return promote(cx, value, target)
    finally:
        cx.blocks.pop()


def _attribute(cx: Context, e: ast.Attribute) -> Value:
    member = module_member(cx, e)
    if member is not None:
        return member
    if isinstance(e.base, ast.Index | ast.Name | ast.Attribute):
        from ppl.compiler.check.submodels import submodel_field

        found = submodel_field(cx, e)
        if found is not None:
            return found
    base = check(cx, e.base)
    if base.unknown:
        return unknown(e.span)
    if e.name == "T":
        return _transpose(cx, e, base)
    if isinstance(base.type, ty.Record):
        fields = dict(base.type.fields)
        if e.name in fields:
            position = list(fields).index(e.name)
            support = base.support.components[position] if isinstance(base.support, Product) else ANYTHING
            type_ = fields[e.name]
            return Value(
                cx.let(ir.GetField(base.atom, e.name), type_, support, base.level, e.span, e.name),
                type_,
                support,
                base.level,
                e.span,
            )
        near = nearest(e.name, fields)
        helps = (Help(f"did you mean `{near}`?", (Edit(e.name_span, near),)),) if near else ()
        cx.error(
            "E104",
            f"the record has no field `{e.name}`",
            e.name_span,
            "no such field",
            notes=(f"its fields are {', '.join(f'`{f}`' for f in fields)}",),
            helps=helps,
        )
        return unknown(e.span)
    if isinstance(base.type, ty.Trace):
        return _trace_field(cx, e, base)
    cx.error("E104", f"{describe(base.type)} has no field `{e.name}`", e.name_span, "no such field")
    return unknown(e.span)


def _trace_field(cx: Context, e: ast.Attribute, base: Value) -> Value:
    """``z.mu`` of a trace: known where the trace is that of a model at hand."""
    assert isinstance(base.type, ty.Trace)
    site = cx.module.site_of(base.type.name, e.name)
    type_ = site.type if site is not None else UNKNOWN
    support = site.support if site is not None else ANYTHING
    return Value(
        cx.let(ir.GetField(base.atom, e.name), type_, support, base.level, e.span, e.name),
        type_,
        support,
        base.level,
        e.span,
    )


def _transpose(cx: Context, e: ast.Attribute, base: Value) -> Value:
    if not isinstance(base.type, ty.Array) or len(base.type.shape) != 2:
        cx.error("E204", f"only a matrix has a transpose, not {describe(base.type)}", e.span, "`.T` needs two axes")
        return unknown(e.span)
    type_ = array(base.type.element, *reversed(base.type.shape))
    support = rules.apply("transpose", [base.support])
    return Value(
        cx.let(ir.Prim("transpose", (base.atom,)), type_, support, base.level, e.span),
        type_,
        support,
        base.level,
        e.span,
    )


def condition(cx: Context, e: ast.Expr, what: str) -> Value:
    """A scalar bool."""
    value = check(cx, e)
    if value.unknown or value.type == BOOL:
        return value
    if isinstance(value.type, ty.Array) and value.type.element == BOOL:
        cx.error(
            "E201",
            f"{what} must be one bool, not an array of them",
            e.span,
            f"this is {value.type}",
            helps=(Help("`where(c, a, b)` chooses element by element"),),
        )
    else:
        helps: tuple[Help, ...] = ()
        if isinstance(value.type, ty.Scalar) and value.type == INT:
            helps = (Help("compare it", (Edit(e.span.after(), " != 0"),)),)
        cx.error(
            "E201",
            f"{what} must be a bool, not {describe(value.type)}",
            e.span,
            f"this is {describe(value.type)}",
            helps=helps,
        )
    return unknown(e.span)


def _if(cx: Context, e: ast.IfExpr, expected: Type | None) -> Value:
    from ppl.compiler.check.refinements import refined, refinements

    c = condition(cx, e.condition, "the condition")
    then_ranges, else_ranges = refinements(cx, e.condition)
    with refined(cx, then_ranges), cx.block() as then_block:
        a = check(cx, e.then, expected)
    with refined(cx, else_ranges), cx.block() as else_block:
        b = check(cx, e.otherwise, expected)
    return choose(cx, e, c, ((a, then_block), (b, else_block)))


def choose(cx: Context, e: ast.Expr, c: Value, sides: tuple[tuple[Value, list[ir.Stmt]], ...]) -> Value:
    (a, then_block), (b, else_block) = sides
    common = common_type(cx, a.type, b.type, e.span, "the branches")
    if common is None:
        cx.error(
            "E208",
            "the branches have different types",
            e.span,
            "",
            ((a.span, f"this is {describe(a.type)}"), (b.span, f"this is {describe(b.type)}")),
        )
        return unknown(e.span)
    x, y = in_block(cx, then_block, a, common), in_block(cx, else_block, b, common)
    support = rules.join(a.support, b.support)
    level = joined_level(c, a, b)
    facts = join_facts(a.dist, b.dist) if isinstance(common, ty.Dist) else None
    cheap = (
        not prune(ir.Block(tuple(then_block), (x,))).statements
        and not prune(ir.Block(tuple(else_block), (y,))).statements
    )
    if cheap and isinstance(common, (ty.Scalar, ty.Array)) and not isinstance(element(common), (ty.Dist, ty.Function)):
        var = cx.let(ir.Prim("select", (c.atom, x, y)), common, support, level, e.span)
    else:
        var = cx.var("", common, support, level, e.span)
        cx.emit(
            ir.If(c.atom, ir.Block(tuple(then_block), (x,)), ir.Block(tuple(else_block), (y,)), (var,), span=e.span)
        )
    return Value(var, common, support, level, e.span, dist=facts)


def join_facts(a: DistFacts | None, b: DistFacts | None) -> DistFacts | None:
    """Of a distribution that is one of two."""
    if a is None or b is None:
        return None
    return DistFacts(
        "",
        a.event if a.event == b.event else None,
        a.discrete if a.discrete == b.discrete else None,
        a.atom or b.atom,
        a.density or b.density,
        a.improper or b.improper,
        True,
    )


def _array(cx: Context, e: ast.ArrayLit, elements: tuple[ast.Expr, ...], expected: Type | None) -> Value:
    inner = array(expected.element, *expected.shape[1:]) if isinstance(expected, ty.Array) else None
    if not elements:
        type_ = array(inner if inner is not None else REAL, Size())
        return Value(cx.let(ir.MakeArray(()), type_, ANYTHING, ir.Level.CONSTANT, e.span), type_, span=e.span)
    values = [check(cx, x, inner) for x in elements]
    common = values[0].type
    for v in values[1:]:
        merged = common_type(cx, common, v.type, v.span, "the elements of an array")
        if merged is None:
            cx.error(
                "E201",
                f"the elements of an array have one type: {describe(v.type)} does not agree with {describe(common)}",
                v.span,
                f"this is {describe(v.type)}",
                ((values[0].span, f"this is {describe(values[0].type)}"),),
            )
            return unknown(e.span)
        common = merged
    if common == UNKNOWN:
        return unknown(e.span)
    if isinstance(common, ty.SizeType):
        common = INT
    atoms = tuple(promote(cx, v, common) for v in values)
    support = array_support(values)
    level = joined_level(*values)
    type_ = array(common, Size.const(len(values)))
    facts = values[0].dist
    for v in values[1:]:
        facts = join_facts(facts, v.dist)
    return Value(cx.let(ir.MakeArray(atoms), type_, support, level, e.span), type_, support, level, e.span, dist=facts)


def array_support(values: list[Value]) -> Support:
    """Of an array literal; recognises constant simplexes, ordered vectors and covariance matrices."""
    constants = [v.const for v in values if isinstance(v.const, (int, float)) and not isinstance(v.const, bool)]
    if len(constants) == len(values) > 1:
        if min(constants) >= 0 and abs(sum(constants) - 1) < 1e-9:
            return Structured("simplex")
    return rules.join(*(rules.scaled(v.support) for v in values))


def _tuple(cx: Context, e: ast.TupleLit, elements: tuple[ast.Expr, ...], expected: Type | None) -> Value:
    hints = (
        expected.elements
        if isinstance(expected, ty.Tuple) and len(expected.elements) == len(elements)
        else (None,) * len(elements)
    )
    values = [_hinted(cx, x, h) for x, h in zip(elements, hints, strict=True)]
    type_ = ty.Tuple(tuple(v.type for v in values))
    support, level = Product(tuple(v.support for v in values)), joined_level(*values)
    var = cx.let(ir.MakeTuple(tuple(v.atom for v in values)), type_, support, level, e.span)
    return Value(var, type_, support, level, e.span)


def _hinted(cx: Context, e: ast.Expr, hint: Type | None) -> Value:
    """A component of a tuple or record: numbers are promoted where the context asks for reals."""
    value = check(cx, e, hint)
    if hint is not None and element(hint) == REAL and match(cx, hint, value.type, Instance()):
        return replace(value, atom=promote(cx, value, hint), type=_promoted(value.type, hint))
    return value


def _record(cx: Context, e: ast.RecordLit, expected: Type | None) -> Value:
    hints = dict(expected.fields) if isinstance(expected, ty.Record) else {}
    fields: dict[str, Value] = {}
    for f in e.fields:
        if f.name in fields:
            cx.error("E102", f"the field `{f.name}` is given twice", f.span, "again")
        fields[f.name] = _hinted(
            cx, f.value if f.value is not None else ast.Name(f.name, span=f.span), hints.get(f.name)
        )
    if set(hints) == set(fields):
        fields = {n: fields[n] for n in hints}
    type_ = ty.Record(tuple((n, v.type) for n, v in fields.items()))
    support, level = Product(tuple(v.support for v in fields.values())), joined_level(*fields.values())
    var = cx.let(ir.MakeRecord(tuple((n, v.atom) for n, v in fields.items())), type_, support, level, e.span)
    return Value(var, type_, support, level, e.span)
