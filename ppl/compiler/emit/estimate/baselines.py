"""Learned baselines: parameters that stand in `reinforce(baseline = e)` and nowhere else.

They change no distribution, so they can be fitted to the cost that they stand for: beside the score term a draw gets
the term −½ (stop(f) − b)², centred to have the value zero. Its gradient moves b to the mean cost downstream (with
constant steps a gradient method makes that an exponential moving average), and reaches no other parameter."""

from __future__ import annotations

from ppl.compiler.emit.traverse import used_variables
from ppl.compiler.ir.nodes import Atom, Block, Draw, If, Let, Match, Model, ParamStmt, Plate, Scan, Stmt, Var
from ppl.compiler.ir.walk import child_blocks, definitions


def learned(model: Model) -> frozenset[str]:
    """The draws (by variable) whose baseline is made of such parameters, constants and data alone."""
    params = {s.var.id for s in model.body.statements if isinstance(s, ParamStmt)}
    sources = _Sources({p: frozenset({p}) for p in params})
    sources.block(model.body)
    return frozenset(
        var for var, found in sources.baselines.items() if found and found & params and not found & sources.used
    )


class _Sources:
    """For each variable the parameters and draws that it depends on; ``used``: those that something other than a
    baseline depends on."""

    def __init__(self, of: dict[str, frozenset[str]]):
        self.of = of
        self.used: set[str] = set()
        self.baselines: dict[str, frozenset[str]] = {}

    def behind(self, node: object) -> frozenset[str]:
        return frozenset().union(*(self.of.get(v, frozenset()) for v in used_variables(node)))

    def block(self, block: Block) -> None:
        for s in block.statements:
            self.statement(s)

    def statement(self, s: Stmt) -> None:
        match s:
            case Let(var=var, op=op):
                self.of[var.id] = self.behind(op)
            case Draw(var=var):
                self.used |= self.behind(s.dist) | self.behind(s.indices)
                self.of[var.id] = frozenset({var.id})
                self.used.add(var.id)
                args = s.strategy.args if s.strategy is not None else ()
                atoms: list[Atom] = [a for name, a in args if name == "baseline"]
                if atoms and isinstance(atoms[0], Var):
                    self.baselines[var.id] = self.behind(atoms[0])
            case ParamStmt():
                pass
            case Plate() | Scan():
                for m in s.mapped:
                    self.of[m.var.id] = self.behind(m.array)
                carries = s.carries if isinstance(s, Scan) else ()
                self.of |= {c.var.id: self.behind(c.init) for c in carries}
                for _ in range(2):  # a second time for what earlier iterations hand on
                    self.block(s.body)
                    self.of |= {c.var.id: self.of[c.var.id] | self.behind(c.next) for c in carries}
                self.of |= {v.id: self.behind(s) for v in definitions(s)}
            case _:
                if isinstance(s, (If, Match)):
                    self.used |= self.behind(s.condition if isinstance(s, If) else s.subject)
                for inner in child_blocks(s):
                    self.block(inner)
                self.of |= {v.id: self.behind(s) for v in definitions(s)}
