"""Constants folded, copies followed, equal pure operations computed once, dead pure work dropped.

Only *operations* are merged, never statements: two draws from one distribution are two random variables, two equal
factors count twice. Nested inference (``infer``, ``expect``, ``marginal``, a density that may be an estimate) is
never merged either: each evaluation has its own randomness. Law: the density is unchanged, and folding twice is
folding once."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import substitute
from ppl.compiler.ir.supports import ANYTHING
from ppl.compiler.ir.walk import map_blocks
from ppl.compiler.passes.base import Note, Pass, Report, on_blocks
from ppl.compiler.passes.constants import evaluate
from ppl.compiler.passes.live import prune

MERGEABLE = (
    ir.Prim, ir.Call, ir.MakeDist, ir.ApplyModel, ir.MakeTuple, ir.GetItem, ir.MakeRecord, ir.GetField, ir.MakeArray,
    ir.MakeSum, ir.IndexOp, ir.Assemble,
)  # fmt: skip


def _rewrite(block: ir.Block, given: tuple[ir.Var, ...]) -> tuple[ir.Block, Report]:
    folder = _Folder()
    out = prune(folder.block(block, {}))
    counts = [
        (folder.folded, "constants folded"),
        (folder.copies, "copies followed"),
        (folder.merged, "operations shared"),
    ]
    text = ", ".join(f"{n} {what}" for n, what in counts if n)
    return out, (Note("folded", text),) if text else ()


class _Folder:
    """``atoms`` says by what the uses of a variable are replaced, in the whole body (ids are unique)."""

    def __init__(self) -> None:
        self.atoms: dict[str, ir.Atom] = {}
        self.folded = self.copies = self.merged = 0

    def block(self, block: ir.Block, computed: dict[ir.Op, ir.Var]) -> ir.Block:
        """``computed``: the operations of the blocks around whose results are in scope."""
        computed = dict(computed)
        out: list[ir.Stmt] = []
        for stmt in block.statements:
            stmt = self.uses(stmt, computed)
            if isinstance(stmt, ir.Let) and self.replaced(stmt, computed):
                continue
            out.append(stmt)
        return ir.Block(tuple(out), substitute(block.results, self.atoms))

    def uses(self, stmt: ir.Stmt, computed: dict[ir.Op, ir.Var]) -> ir.Stmt:
        """The statement with its uses replaced, and its blocks folded. Blocks go first: what leaves them is replaced
        after."""
        return substitute(map_blocks(stmt, lambda b: self.block(b, computed)), self.atoms)

    def replaced(self, let: ir.Let, computed: dict[ir.Op, ir.Var]) -> bool:
        """Whether the statement is not needed, since its variable stands for an atom now."""
        op = let.op
        if isinstance(op, ir.Prim):
            if op.name == "copy" and _same_kind(let.var, op.args[0]):
                self.atoms[let.var.id] = op.args[0]
                self.copies += 1
                return True
            constant = evaluate(op, let.var.type)
            if constant is not None:
                self.atoms[let.var.id] = constant
                self.folded += 1
                return True
        if not isinstance(op, MERGEABLE):
            return False
        key = replace(op, checked=False) if isinstance(op, ir.IndexOp) else op
        before = computed.get(key)
        if before is not None and before.type == let.var.type and before.support == let.var.support:
            self.atoms[let.var.id] = before
            self.merged += 1
            return True
        computed.setdefault(key, let.var)
        return False


def _same_kind(var: ir.Var, atom: ir.Atom) -> bool:
    """Whether the atom can stand for the variable without a loss: same type, and nothing more known of the variable."""
    if isinstance(atom, ir.Var):
        return var.type == atom.type and var.support in (atom.support, ANYTHING)
    if isinstance(atom, ir.Lit):
        return var.type == atom.type
    return isinstance(atom, ir.SizeAtom) and var.type != ty.REAL


FOLD = Pass(
    "fold", on_blocks(_rewrite), "constants folded, copies followed, equal pure operations shared, dead ones dropped"
)
