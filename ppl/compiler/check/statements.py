"""Statements, and bodies that return."""

from __future__ import annotations

from functools import partial

from ppl.compiler.check import observations, patterns
from ppl.compiler.check.arguments import support_fits
from ppl.compiler.check.branches import branch
from ppl.compiler.check.context import Context
from ppl.compiler.check.draws import draw
from ppl.compiler.check.expressions import check, condition, conform
from ppl.compiler.check.forecast import drawn
from ppl.compiler.check.lets import let
from ppl.compiler.check.loops import for_loop, plate
from ppl.compiler.check.outputs import output, param
from ppl.compiler.check.refinements import refinements
from ppl.compiler.check.state import assign, var
from ppl.compiler.check.values import Value, unknown
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.supports import ANYTHING
from ppl.compiler.ir.types import Type
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
            cx, stmt.subject, [(a.pattern, a.span, partial(arm, a.body)) for a in stmt.arms], stmt.span, returns
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
            let(cx, stmt)
        case ast.VarStmt():
            var(cx, stmt)
        case ast.Assign():
            assign(cx, stmt)
        case ast.Draw():
            draw(cx, stmt)
        case ast.Observe():
            observations.observe(cx, stmt)
        case ast.Factor():
            observations.factor(cx, stmt)
        case ast.Require():
            observations.require(cx, stmt)
        case ast.Output():
            output(cx, stmt)
        case ast.ParamStmt():
            param(cx, stmt)
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
