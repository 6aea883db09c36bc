"""Liveness: pure work that nothing reads is dropped, and so are loop carries, results and stacked values.

Draws, observations, factors, requirements, outputs and parameters are never dropped: they are the measure. ``Assemble``
stays too, since it names the whole value of a random variable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import definitions, free, is_pure, lag_reads


def prune(block: ir.Block, keep: Iterable[str] = ()) -> ir.Block:
    """The block without pure statements whose values nobody needs: neither its results, nor ``keep``, nor an effect."""
    live = set(keep) | free(block.results)
    out: list[ir.Stmt] = []
    for stmt in reversed(block.statements):
        kept = _statement(stmt, live)
        if kept is not None:
            out.append(kept)
            live |= free(kept)
    return ir.Block(tuple(reversed(out)), block.results)


def _statement(stmt: ir.Stmt, live: set[str]) -> ir.Stmt | None:
    wanted = any(v.id in live for v in definitions(stmt))
    match stmt:
        case ir.Let(op=ir.Assemble()):
            return stmt
        case ir.Let(op=ir.Map() as op) if wanted:
            body = prune(op.body)
            return replace(stmt, op=replace(op, body=body, mapped=_used_reads(op.mapped, body)))
        case ir.Let(op=ir.InferOp() | ir.LogEvidence() as op) if wanted:
            return replace(stmt, op=replace(op, body=prune(op.body)))
        case ir.Let():
            return stmt if wanted else None
        case _ if not wanted and is_pure(stmt):
            return None
        case ir.If(results=results):
            stay = [k for k, v in enumerate(results) if v.id in live]
            return replace(
                stmt,
                then=prune(_select(stmt.then, stay)),
                otherwise=prune(_select(stmt.otherwise, stay)),
                results=tuple(results[k] for k in stay),
            )
        case ir.Match(results=results):
            stay = [k for k, v in enumerate(results) if v.id in live]
            cases = tuple(replace(c, body=prune(_select(c.body, stay))) for c in stmt.cases)
            return replace(stmt, cases=cases, results=tuple(results[k] for k in stay))
        case ir.SumOut(results=results):
            stay = [k for k, v in enumerate(results) if v.id in live]
            return replace(stmt, body=prune(_select(stmt.body, stay)), results=tuple(results[k] for k in stay))
        case ir.Plate() | ir.For() | ir.Scan():
            return _loop(stmt, live)
        case ir.ForwardSum(results=results):
            stay = [k for k, v in enumerate(results) if v.id in live]
            start = prune(_select(stmt.start, stay))
            return _loop(replace(stmt, start=start, results=tuple(results[k] for k in stay)), live)
    return stmt


def _select(block: ir.Block, stay: list[int]) -> ir.Block:
    return ir.Block(block.statements, tuple(block.results[k] for k in stay))


def _used_reads(
    mapped: tuple[ir.MappedRead, ...], body: ir.Block, more: Iterable[str] = ()
) -> tuple[ir.MappedRead, ...]:
    used = free(body) | set(more)
    return tuple(m for m in mapped if m.var.id in used)


def _loop(stmt, live: set[str]):
    """A carry is live if its final value is, or if the body (pruned to what is live) reads it; a window, if it is
    lagged."""
    stacked = tuple(s for s in stmt.stacked if s.var.id in live)
    carries = getattr(stmt, "carries", ())
    needed = [c for c in carries if c.final is not None and c.final.id in live]
    windows: list[ir.Window] = []
    while True:
        leaving = free((*(s.value for s in stacked), *(c.next for c in needed), *(w.value for w in windows)))
        body = prune(stmt.body, leaving)
        read = free(body) | leaving
        now = [c for c in carries if c in needed or c.var.id in read]
        lagged = {lag.site for _, lag in lag_reads(body)}
        now_windows = [w for w in getattr(stmt, "windows", ()) if w.site in lagged]
        if now == needed and now_windows == windows:
            break
        needed, windows = now, now_windows
    changes = {"body": body, "stacked": stacked}
    if carries:
        changes["carries"] = tuple(c if c.final and c.final.id in live else replace(c, final=None) for c in needed)
    if getattr(stmt, "windows", ()):
        changes["windows"] = tuple(windows)
    if getattr(stmt, "mapped", ()):
        changes["mapped"] = _used_reads(stmt.mapped, body, leaving)
    return replace(stmt, **changes)
