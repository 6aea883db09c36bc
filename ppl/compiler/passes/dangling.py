"""What is left of a program when some of its variables are taken away: all that reads them goes too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.types import UNIT
from ppl.compiler.ir.walk import binders, defined_inside, definitions, free, statements
from ppl.compiler.passes.live import prune


def without(model: ir.Model, dropped: Callable[[ir.Stmt], bool] = lambda stmt: False) -> ir.Model:
    """The model without the statements that ``dropped`` says, and without values, outputs, carries and results
    computed from what they define, or from what is not in scope. Its lists of random variables and outputs are
    shortened to match.

    Raises AssertionError if something that stays would draw from, or condition on, what is gone: the caller's
    mistake."""
    cutter = _Cutter(defined_inside(model.body), dropped)
    body = prune(cutter.block(model.body, {p.var.id for p in model.params}))
    sites = {s.site for s in statements(body) if isinstance(s, (ir.Draw, ir.ParamStmt))}
    outputs = {s.name for s in statements(body) if isinstance(s, ir.Output)}
    return replace(
        model,
        body=body,
        sites=tuple(s for s in model.sites if s.name in sites),
        outputs=tuple(o for o in model.outputs if o[0] in outputs),
        result=model.result if body.results else UNIT if model.result is not None else None,
    )


class _Cutter:
    """``universe``: all ids that the body defined; any other name (sizes, constants) is always in scope."""

    def __init__(self, universe: frozenset[str], dropped: Callable[[ir.Stmt], bool]):
        self.universe, self.dropped = universe, dropped

    def fine(self, node, scope: set[str]) -> bool:
        return all(name in scope or name not in self.universe for name in free(node))

    def block(self, block: ir.Block, scope: set[str]) -> ir.Block:
        """The rest of the block; adds to ``scope`` what it still defines. Results that are gone are left out."""
        out: list[ir.Stmt] = []
        for stmt in block.statements:
            kept = None if self.dropped(stmt) else self.statement(stmt, scope)
            if kept is not None:
                out.append(kept)
                scope.update(v.id for v in definitions(kept))
        return ir.Block(tuple(out), tuple(r for r in block.results if self.fine(r, scope)))

    def statement(self, stmt: ir.Stmt, scope: set[str]) -> ir.Stmt | None:
        match stmt:
            case ir.Let() | ir.Output():
                return stmt if self.fine(stmt, scope) else None
            case ir.If(condition, then, otherwise, results):
                if not self.fine(condition, scope):
                    return None
                blocks, results = self.arms((then, otherwise), results, scope)
                return replace(stmt, then=blocks[0], otherwise=blocks[1], results=results)
            case ir.Match(subject, cases, results):
                if not self.fine(subject, scope):
                    return None
                more = {b.id for c in cases for b in c.binders}
                blocks, results = self.arms(tuple(c.body for c in cases), results, scope | more)
                return replace(
                    stmt, cases=tuple(replace(c, body=b) for c, b in zip(cases, blocks, strict=True)), results=results
                )
            case ir.SumOut(body=body, results=results):
                (body,), results = self.arms((body,), results, scope)
                return replace(stmt, body=body, results=results)
            case ir.Plate() | ir.For() | ir.Scan() | ir.ForwardSum():
                return self.loop(stmt, scope)
        assert self.fine(stmt, scope), f"{type(stmt).__name__} reads what was taken away: {sorted(free(stmt) - scope)}"
        return stmt

    def arms(self, blocks: tuple[ir.Block, ...], results: tuple[ir.Var, ...], scope: set[str]):
        scopes = [set(scope) for _ in blocks]
        bodies = [self.block(replace(b, results=()), s) for b, s in zip(blocks, scopes, strict=True)]
        stay = [
            k
            for k in range(len(results))
            if all(self.fine(b.results[k], s) for b, s in zip(blocks, scopes, strict=True))
        ]
        done = [replace(new, results=tuple(b.results[k] for k in stay)) for new, b in zip(bodies, blocks, strict=True)]
        return done, tuple(results[k] for k in stay)

    def loop(self, stmt, scope: set[str]):
        """A carry goes if its initial or its next value is gone, and then what reads it, until nothing more goes."""
        if isinstance(stmt, ir.ForwardSum):
            (start,), results = self.arms((stmt.start,), stmt.results, scope)
            stmt = replace(stmt, start=start, results=results)
            scope = scope | {v.id for v in results}
        mapped = tuple(m for m in getattr(stmt, "mapped", ()) if self.fine(m.array, scope))
        carries = tuple(c for c in getattr(stmt, "carries", ()) if self.fine(c.init, scope))
        windows = tuple(
            w for w in getattr(stmt, "windows", ()) if all(self.fine(i, scope) for i in w.init if i is not None)
        )
        gone = {v.id for v in binders(stmt)} - {m.var.id for m in mapped} - {c.var.id for c in carries}
        gone -= {v.id for v in (stmt.index, getattr(stmt, "previous", stmt.index))}
        while True:
            inside = (scope | {v.id for v in binders(stmt)}) - gone
            body = self.block(_without_lags(stmt.body, windows), inside)
            kept = tuple(c for c in carries if self.fine(c.next, inside))
            kept_windows = tuple(w for w in windows if self.fine(w.value, inside))
            if kept == carries and kept_windows == windows:
                break
            gone |= {c.var.id for c in carries if c not in kept}
            carries, windows = kept, kept_windows
        stacked = tuple(s for s in stmt.stacked if self.fine(s.value, inside))
        if not body.statements and not stacked and not carries:
            return None
        changes = {"mapped": mapped, "carries": carries, "windows": windows}
        return replace(stmt, body=body, stacked=stacked, **{n: v for n, v in changes.items() if hasattr(stmt, n)})


def _without_lags(body: ir.Block, windows: tuple[ir.Window, ...]) -> ir.Block:
    sites = {w.site for w in windows}
    kept = (
        s for s in body.statements if not (isinstance(s, ir.Let) and isinstance(s.op, ir.Lag)) or s.op.site in sites
    )
    return replace(body, statements=tuple(kept))
