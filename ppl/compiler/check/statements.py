"""Statements, and bodies that return."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check import observations, patterns
from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.arguments import support_fits
from ppl.compiler.check.branches import branch
from ppl.compiler.check.closures import closure
from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.draws import define, draw
from ppl.compiler.check.expressions import check, condition, conform
from ppl.compiler.check.forecast import drawn, targets
from ppl.compiler.check.indexing import subscripts_of
from ppl.compiler.check.loops import for_loop, plate
from ppl.compiler.check.refinements import refinements
from ppl.compiler.check.typeexprs import Declared, declared
from ppl.compiler.check.unify import describe
from ppl.compiler.check.values import UNKNOWN, Value, joined_level, unknown
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level
from ppl.compiler.ir.supports import ANYTHING
from ppl.compiler.ir.types import INT, REAL, Type, array, element, shape
from ppl.compiler.syntax import ast

Statements = tuple[ast.Stmt, ...]


def body(cx: Context, block: ast.Block, wanted: Type | None) -> Value | None:
    """A whole body, into the current block; what it returns, if anything."""
    cx.upcoming = dict(reversed(list(drawn(block))))
    return sequence(cx, block.statements, wanted)


def returning_body(cx: Context, block: ast.Block, wanted: Type | None) -> Value:
    """A body that must return."""
    cx.upcoming = dict(reversed(list(drawn(block))))
    before = len(cx.sink.errors)
    value = sequence(cx, block.statements, wanted)
    if value is None:
        if len(cx.sink.errors) == before:
            cx.error(
                "E211", "the body returns nothing", block.span, "no `return`", helps=(Help("end it with `return e`"),)
            )
        return unknown(block.span)
    return value


def sequence(cx: Context, statements: Statements, wanted: Type | None) -> Value | None:
    """Statements in order. What stands behind a branch that may return belongs to the paths that do not."""
    for n, stmt in enumerate(statements):
        rest = statements[n + 1 :]
        if isinstance(stmt, ast.Return):
            if rest:
                cx.error(
                    "E211", "this is never reached", rest[0].span, "behind a `return`", ((stmt.span, "returns here"),)
                )
            return _returned(cx, stmt, wanted)
        if isinstance(stmt, (ast.If, ast.Match)) and _returns(stmt):
            return _branch(cx, stmt, rest, wanted, True)
        statement(cx, stmt, wanted)
    return None


def _returned(cx: Context, stmt: ast.Return, wanted: Type | None) -> Value:
    value = check(cx, stmt.value, wanted)
    if wanted is not None:
        value = conform(cx, value, wanted, "the result")
        if not value.unknown and cx.result_support != ANYTHING:
            support_fits(cx, value, cx.result_support, "the result", "E403")
    return value


def _returns(stmt: ast.Stmt) -> bool:
    """Whether a path through the statement may return."""
    match stmt:
        case ast.Return():
            return True
        case ast.If(_, then, otherwise):
            return any(map(_returns, then.statements)) or (
                otherwise is not None and any(map(_returns, otherwise.statements))
            )
        case ast.Match(_, arms):
            return any(_returns(s) for a in arms for s in a.body.statements)
    return False


def _always(statements: Statements) -> bool:
    for stmt in statements:
        match stmt:
            case ast.Return():
                return True
            case ast.If(_, then, otherwise) if (
                otherwise is not None and _always(then.statements) and _always(otherwise.statements)
            ):
                return True
            case ast.Match(_, arms) if arms and all(_always(a.body.statements) for a in arms):
                return True
    return False


def _branch(
    cx: Context, stmt: ast.If | ast.Match, rest: Statements, wanted: Type | None, returns: bool
) -> Value | None:
    def arm(block: ast.Block | None) -> Value | None:
        own = block.statements if block is not None else ()
        return sequence(cx, own if _always(own) else own + rest, wanted)

    if isinstance(stmt, ast.Match):
        return patterns.match(
            cx, stmt.subject, [(a.pattern, a.span, lambda a=a: arm(a.body)) for a in stmt.arms], stmt.span, returns
        )
    c = condition(cx, stmt.condition, "the condition")
    then_ranges, else_ranges = refinements(cx, stmt.condition)
    arms = [(then_ranges, lambda: arm(stmt.then)), (else_ranges, lambda: arm(stmt.otherwise))]
    return branch(
        cx,
        stmt.span,
        c,
        arms,
        lambda blocks, results: ir.If(c.atom, blocks[0], blocks[1], results, span=stmt.span),
        returns,
    )


def statement(cx: Context, stmt: ast.Stmt, wanted: Type | None) -> None:
    match stmt:
        case ast.Let():
            _let(cx, stmt)
        case ast.VarStmt():
            _var(cx, stmt)
        case ast.Assign():
            _assign(cx, stmt)
        case ast.Draw():
            draw(cx, stmt)
        case ast.Observe():
            observations.observe(cx, stmt)
        case ast.Factor():
            observations.factor(cx, stmt)
        case ast.Require():
            observations.require(cx, stmt)
        case ast.Output():
            _output(cx, stmt)
        case ast.ParamStmt():
            _param(cx, stmt)
        case ast.Plate():
            plate(cx, stmt, lambda: _loop_body(cx, stmt.body, wanted))
        case ast.For():
            for_loop(cx, stmt, lambda: _loop_body(cx, stmt.body, wanted))
        case ast.If() | ast.Match():
            _branch(cx, stmt, (), wanted, False)


def _loop_body(cx: Context, block: ast.Block, wanted: Type | None) -> None:
    for stmt in block.statements:
        if _returns(stmt):
            span = stmt.span
            cx.error(
                "E211",
                "a loop can't return",
                span,
                "inside a loop",
                helps=(Help("keep the value in a `var`, and return it behind the loop"),),
            )
        else:
            statement(cx, stmt, wanted)


# --- names -----------------------------------------------------------------------------------------------------------


def _let(cx: Context, stmt: ast.Let) -> None:
    given = declared(cx, stmt.type) if stmt.type is not None else None
    name = stmt.target.id if isinstance(stmt.target, ast.Name) else None
    if isinstance(stmt.value, ast.Lambda):
        value = closure(cx, stmt.value, given.type if given else None, name=name)
    else:
        value = check(cx, stmt.value, given.type if given else None)
    if given is not None:
        value = _as_declared(cx, value, given, "the value")
    if isinstance(stmt.target, ast.TupleLit):
        _destructure(cx, stmt.target, value, stmt)
        return
    if name is not None and isinstance(value.atom, ir.Var) and not value.unknown and _fresh(cx, value.atom):
        value = _renamed(cx, value, name)
    define(cx, stmt.target, value, "let", stmt.span, stmt.doc)


def _fresh(cx: Context, var: ir.Var) -> bool:
    """Made by the last statement, under a name of the checker's own."""
    last = cx.blocks[-1][-1] if cx.blocks[-1] else None
    return isinstance(last, ir.Let) and last.var is var


def _renamed(cx: Context, value: Value, name: str) -> Value:
    last = cx.blocks[-1][-1]
    assert isinstance(last, ir.Let)
    var = replace(last.var, id=cx.ids.fresh(name))
    cx.depth[var.id] = cx.depth[last.var.id]
    cx.blocks[-1][-1] = replace(last, var=var)
    return replace(value, atom=var)


def _as_declared(cx: Context, value: Value, given: Declared, what: str, code: str = "E201") -> Value:
    if given.type == UNKNOWN:
        return value
    value = conform(cx, value, given.type, what, code)
    if value.unknown:
        return value
    support_fits(cx, value, given.support, what, "E403")
    wider = rules.included(value.support, given.support) is not True
    support = given.support if wider and given.support != ANYTHING else value.support
    type_ = given.type if element(value.type) == INT and isinstance(element(given.type), ty.IndexType) else value.type
    return replace(value, support=support, type=type_)


def _destructure(cx: Context, target: ast.TupleLit, value: Value, stmt: ast.Stmt) -> None:
    if not value.unknown and (not isinstance(value.type, ty.Tuple) or len(value.type.elements) != len(target.elements)):
        cx.error(
            "E201",
            f"{len(target.elements)} names for {describe(value.type)}",
            target.span,
            "",
            ((value.span, f"this is {describe(value.type)}"),),
        )
        value = unknown(value.span)
    parts = [unknown(t.span) for t in target.elements] if value.unknown else patterns.components(cx, value)
    for t, part in zip(target.elements, parts, strict=True):
        if isinstance(t, ast.TupleLit):
            _destructure(cx, t, part, stmt)
        else:
            define(cx, t, part, "let", stmt.span, None)


def _var(cx: Context, stmt: ast.VarStmt) -> None:
    given = declared(cx, stmt.type) if stmt.type is not None else None
    value = check(cx, stmt.value, given.type if given else None)
    if given is not None:
        value = _as_declared(cx, value, given, "the value")
        value = replace(value, type=given.type if given.type != UNKNOWN else value.type)
    value = replace(value, type=INT if isinstance(value.type, ty.SizeType) else value.type, const=None, affine=None)
    span = stmt.name_span
    cx.bind(stmt.name, value, span, "var", mutable=True)
    cx.scopes[-1][stmt.name].declared = given.support if given is not None else None


def _assign(cx: Context, stmt: ast.Assign) -> None:
    base = stmt.target.base if isinstance(stmt.target, ast.Index) else stmt.target
    if not isinstance(base, ast.Name):
        check(cx, stmt.value)
        edit = (Edit(stmt.span, f"let {cx.text(stmt.span)}"),)
        cx.error(
            "E210",
            "one variable is assigned at a time",
            stmt.target.span,
            "not a name",
            helps=(Help("new names are introduced by `let`", edit),),
        )
        for name, _, span in targets(stmt.target):
            cx.bind(name, unknown(span), span, shadow=True)
        return
    local = cx.peek(base.id)
    value = check(cx, stmt.value, local.value.type if local is not None and local.mutable else None)
    if local is None or not local.mutable:
        _not_assignable(cx, stmt, base, local)
        return
    for f in cx.frames[local.depth :]:
        if f.kind in ("plate", "body", "map"):
            text = "the iterations of a plate are independent" if f.kind == "plate" else "a function keeps no state"
            cx.error(
                "E210",
                f"`{base.id}` can't be changed from here",
                stmt.span,
                text,
                ((local.span, "declared outside"),),
                helps=(Help("use `for`, whose iterations are ordered"),) if f.kind == "plate" else (),
            )
            return
    if isinstance(stmt.target, ast.Index):
        value = _update(cx, local.value, stmt.target, value)
    elif not value.unknown and not local.value.unknown:
        value = _assigned(cx, value, local, stmt)
    local.value = replace(value.at(stmt.value.span), const=None, affine=None)


def _assigned(cx: Context, value: Value, local, stmt: ast.Assign) -> Value:
    have = local.value.type
    if element(have) == INT and element(value.type) == REAL and shape(have) == shape(value.type):
        name = cx.text(local.span)
        cx.error(
            "E210",
            f"`{name}` is an int and can't become a real",
            value.span,
            "this is a real",
            ((local.span, "declared with an int"),),
            helps=(suggestion(f"declare it `var {name}: real`", local.span, f"{name}: real"),),
        )
        return unknown(value.span)
    value = conform(cx, value, have, "the new value", "E210", ((local.span, f"declared as {describe(have)}"),))
    if local.declared is not None and not value.unknown:
        support_fits(cx, value, local.declared, "the new value", "E403", ((local.span, "declared here"),))
        if rules.included(value.support, local.declared) is not True:
            value = replace(value, support=local.declared)
    if isinstance(value.atom, ir.Var) and _fresh(cx, value.atom):
        value = _renamed(cx, value, cx.text(local.span) or "s")
    return value


def _update(cx: Context, base: Value, target: ast.Index, value: Value) -> Value:
    """``a[i] = e`` of a state variable: a new array."""
    from ppl.compiler.check.indexing import atom_of
    from ppl.compiler.check.indexing import element as element_at

    subscripts = subscripts_of(cx, target.subscripts)
    if subscripts is None or base.unknown or value.unknown:
        return base
    if any(s.slice is not None for s in subscripts):
        cx.error("E204", "a slice can't be assigned to", target.span, "one element at a time")
        return base
    old = element_at(cx, base, subscripts, target.span)
    value = conform(cx, value, old.type, "the new element", "E210")
    if old.unknown or value.unknown:
        return base
    atoms = tuple(s.value.atom if s.value is not None else atom_of(cx, s.point, target.span) for s in subscripts)
    level = joined_level(base, value)
    support = rules.join(rules.scaled(base.support), rules.scaled(value.support))
    var = cx.let(
        ir.Prim("set", (base.atom, value.atom, *atoms)),
        base.type,
        support,
        level,
        target.span,
        cx.text(target.base.span) or "s",
    )
    return Value(var, base.type, support, level, target.span)


def _not_assignable(cx: Context, stmt: ast.Assign, base: ast.Name, local) -> None:
    name = base.id
    if local is None and cx.site(name) is None and name not in cx.generics.sizes and isinstance(stmt.target, ast.Name):
        helps = (
            Help(
                "a new name is introduced by `let`, or by `var` if it changes",
                (Edit(stmt.span, f"let {cx.text(stmt.span)}"),),
            ),
        )
        cx.error("E210", f"there is no state variable `{name}`", stmt.target.span, "not declared", helps=helps)
        cx.bind(name, unknown(stmt.span), stmt.target.span)
        return
    if local is None and isinstance(stmt.target, ast.Index):
        helps = (
            Help(
                "an array is built by `let x[i] = …`, a random variable drawn by `~`",
                (Edit(stmt.span, f"let {cx.text(stmt.span)}"),),
            ),
        )
        cx.error("E210", f"there is no state variable `{name}`", stmt.target.span, "not declared", helps=helps)
        return
    earlier = local.span if local is not None else (cx.site(name).span if cx.site(name) is not None else None)
    kinds = {
        "index": "a loop index",
        "parameter": "a parameter",
        "let": "named by `let`",
        "pattern": "bound by a pattern",
    }
    what = kinds.get(local.kind, "not a state variable") if local is not None else "a random variable"
    cx.error(
        "E210",
        f"`{name}` can't be assigned to: it is {what}",
        stmt.target.span,
        "never changes",
        ((earlier, "defined here"),) if earlier else (),
        helps=(Help("state that changes is declared by `var`"),),
    )


# --- outputs and parameters
# --------------------------------------------------------------------------------------------


def _output(cx: Context, stmt: ast.Output) -> None:
    given = declared(cx, stmt.type) if stmt.type is not None else None
    value = check(cx, stmt.value, given.type if given else None)
    if given is not None:
        value = _as_declared(cx, value, given, "the output")
    if cx.kind != "model":
        cx.error("E312", f"`output` stands in models only, not in a {cx.kind}", stmt.span, "not allowed here")
        return
    if any(f.kind == "branch" for f in cx.own_frames):
        cx.error(
            "E312",
            "an output is defined on every path",
            stmt.span,
            "inside a branch",
            helps=(Help("write `output t = if c then a else b`"),),
        )
        return
    earlier = cx.outputs.get(stmt.name)
    if earlier is not None:
        cx.error(
            "E102",
            f"the output `{stmt.name}` is already defined",
            stmt.name_span,
            "again here",
            ((earlier[2], "first here"),),
        )
        return
    site = cx.sites.get(stmt.name)
    if site is not None:
        cx.error(
            "E102",
            f"`{stmt.name}` is a random variable: it is in the results anyway",
            stmt.name_span,
            "already there",
            ((site.span, "drawn here"),),
            helps=(Help("drop the output, or give it another name"),),
        )
        return
    if value.unknown:
        return
    if isinstance(element(value.type), (ty.Function, ty.Dist)):
        cx.error(
            "E201",
            f"an output is data, not {describe(value.type)}",
            value.span,
            f"this is {describe(value.type)}",
            helps=(Help("output its values at chosen points: `[f(x[i]) for i in N]`"),),
        )
        return
    atom, type_ = value.atom, INT if isinstance(value.type, ty.SizeType) else value.type
    loops = [f for f in cx.own_frames if f.is_loop]
    full = array(type_, *(f.upper - f.lower for f in loops))
    cx.outputs[stmt.name] = (full, (), stmt.name_span)
    cx.emit(ir.Output(stmt.name, atom, span=stmt.span))
    if cx.peek(stmt.name) is None and not loops:
        cx.bind(stmt.name, value, stmt.name_span, "output")


def _param(cx: Context, stmt: ast.ParamStmt) -> None:
    given = declared(cx, stmt.type) if stmt.type is not None else None
    value = check(cx, stmt.value, given.type if given else None)
    if given is not None:
        value = _as_declared(cx, value, given, "the initial value")
    if cx.kind not in ("model", "guide"):
        cx.error("E312", f"`param` stands in models and guides only, not in a {cx.kind}", stmt.span, "not allowed here")
    elif any(f.kind != "root" for f in cx.own_frames):
        cx.error(
            "E312",
            "a learnable parameter is declared at the top of its body",
            stmt.span,
            "inside a loop or branch",
            helps=(Help("declare an array outside: `param w: real[N] = zeros(N)`"),),
        )
    if given is None and not value.unknown and element(value.type) == INT:
        from ppl.compiler.check.unify import promote

        value = replace(
            value, atom=promote(cx, value, array(REAL, *shape(value.type))), type=array(REAL, *shape(value.type))
        )
    if not value.unknown and element(value.type) != REAL:
        cx.error(
            "E201",
            f"a learnable parameter is real, not {describe(value.type)}",
            stmt.value.span,
            f"this is {describe(value.type)}",
        )
        value = unknown(stmt.span)
    support = given.support if given is not None and given.support != ANYTHING else rules.REALS
    var = cx.var(stmt.name, value.type, support, Level.CONTINUOUS, stmt.name_span)
    if not value.unknown:
        cx.emit(ir.ParamStmt(var, stmt.name, value.atom, span=stmt.span))
    bound = (
        Value(var, value.type, support, Level.CONTINUOUS, stmt.name_span) if not value.unknown else unknown(stmt.span)
    )
    cx.bind(stmt.name, bound, stmt.name_span, "param")
