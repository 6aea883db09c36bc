"""Reads ``a[i + c]`` by a loop's own index become mapped reads: the array is sliced once, outside the loop, and the
loop runs along the slice. No gather, whose gradient would be a scatter.

In a nest the outermost loop is served first: ``a[i, j]`` is a row ``a_i`` of loop i, then an element of that row in
loop j. ``a[j, i]`` and ``a[:, i]`` of a matrix are read from its transpose; ``a[k, i]`` with k fixed, from the row
``a[k]``.

A read is left as it is where the slice could leave the array (a read guarded by a condition, an index not proved in
range). Law: the values read are unchanged."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.affine import Affine
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, Structured
from ppl.compiler.ir.walk import defined_inside, map_blocks
from ppl.compiler.passes.base import Note, Pass, Report, on_blocks


def _rewrite(block: ir.Block, given: tuple[ir.Var, ...]) -> tuple[ir.Block, Report]:
    mapper = _Mapper(Affine.of(block), Names.of(block, given))
    return mapper.block(block), tuple(mapper.notes)


_LOOPS = (ir.Plate, ir.Scan, ir.ForwardSum, ir.Map)


class _Mapper:
    def __init__(self, affine: Affine, names: Names):
        self.affine, self.names = affine, names
        self.notes: list[Note] = []

    def block(self, block: ir.Block) -> ir.Block:
        out: list[ir.Stmt] = []
        for stmt in block.statements:
            if isinstance(stmt, _LOOPS):
                stmt, setup = self.loop(stmt, stmt.span)
                out += setup
            elif isinstance(stmt, ir.Let) and isinstance(stmt.op, ir.Map):
                op, setup = self.loop(stmt.op, stmt.span)
                out += setup
                stmt = replace(stmt, op=op)
            out.append(map_blocks(stmt, self.block))
        return ir.Block(tuple(out), block.results)

    def loop(self, loop, span) -> tuple:
        """The loop with the reads of its whole body mapped, and the statements that it needs before it."""
        reads = _Reads(loop, self.affine, self.names)
        body = reads.block(loop.body, guarded=False)
        new = [m for m in reads.mapped if m not in loop.mapped]
        if not new:
            return loop, []
        arrays = ", ".join(dict.fromkeys(f"`{m.array.id}`" for m in new if isinstance(m.array, ir.Var)))
        self.notes.append(Note("mapped", f"the loop over `{loop.index.id}` runs along {arrays}", span))
        return replace(loop, body=body, mapped=tuple(reads.mapped)), reads.setup


class _Reads:
    """Rewrites the reads of one loop's body. ``mapped`` starts with what the loop maps already, ``setup`` goes before
    it."""

    def __init__(self, loop, affine: Affine, names: Names):
        self.loop, self.affine, self.names = loop, affine, names
        self.inside = defined_inside(loop)
        self.mapped: list[ir.MappedRead] = list(loop.mapped)
        self.setup: list[ir.Let] = []

    def block(self, block: ir.Block, guarded: bool) -> ir.Block:
        kept = (self.statement(s, guarded) for s in block.statements)
        return ir.Block(tuple(s for s in kept if s is not None), block.results)

    def statement(self, stmt: ir.Stmt, guarded: bool) -> ir.Stmt | None:
        """None where a mapped read defines the variable now."""
        if isinstance(stmt, ir.Let) and isinstance(stmt.op, ir.IndexOp):
            op = self.read(stmt.var, stmt.op, guarded)
            if op is None:
                return stmt
            return None if op == ir.Prim("copy", (stmt.var,)) else replace(stmt, op=op)
        if isinstance(stmt, ir.Let) and not isinstance(stmt.op, ir.Map):
            return stmt  # closures may run elsewhere; infer and expect are programs of their own
        inner = guarded or isinstance(stmt, (ir.If, ir.Match))
        return map_blocks(stmt, lambda b: self.block(b, inner))

    def read(self, result: ir.Var, op: ir.IndexOp, guarded: bool) -> ir.Op | None:
        """The operation that reads from a slice instead, or None where the read stays."""
        if not isinstance(op.base, ir.Var) or op.base.id in self.inside:
            return None
        found = self.leading(op.base, op)
        if found is None:
            return None
        preparation, offset, rest = found
        axis = 1 if preparation else 0
        length = ty.shape(op.base.type)[axis]
        proved = (self.loop.lower + offset).provably_nonnegative()
        proved = proved and (length - self.loop.upper - offset).provably_nonnegative()
        if not proved and (guarded or not op.checked):
            return None
        array = self.prepare(op.base, preparation) if preparation else op.base
        var = self.slice(array, offset, None if rest else result)
        return ir.IndexOp(var, rest, op.checked) if rest else ir.Prim("copy", (var,))

    def leading(self, base: ir.Var, op: ir.IndexOp) -> tuple[ir.Op | None, Size, tuple] | None:
        """What to compute before the loop so that the first axis is read at index + offset (None: nothing), the
        offset, and the subscripts left."""
        first, *rest = op.subscripts
        offset = self.offset(first)
        if offset is not None:
            return None, offset, tuple(rest)
        if len(rest) != 1 or (offset := self.offset(rest[0])) is None:
            return None
        if self.invariant(first) and op.checked:
            return ir.IndexOp(base, (first,), checked=True), offset, ()
        if len(ty.shape(base.type)) == 2 and not isinstance(base.support, Structured):
            whole = isinstance(first, ir.SliceAtom) and first.lower is None and first.upper is None
            return ir.Prim("transpose", (base,)), offset, () if whole else (first,)
        return None

    def offset(self, subscript) -> Size | None:
        if isinstance(subscript, ir.SliceAtom) or ty.shape(getattr(subscript, "type", ty.INT)):
            return None
        return self.affine.offset(subscript, self.loop.index.id)

    def invariant(self, subscript) -> bool:
        if isinstance(subscript, ir.Var):
            return subscript.id not in self.inside and not ty.shape(subscript.type)
        return isinstance(subscript, (ir.Lit, ir.SizeAtom))

    def prepare(self, base: ir.Var, op: ir.Op) -> ir.Var:
        """The value of ``op``, a row or the transpose of ``base``, computed before the loop."""
        for let in self.setup:
            if let.op == op:
                return let.var
        shape = ty.shape(base.type)
        if isinstance(op, ir.IndexOp):
            wish, shape = f"{base.id}_row", shape[1:]
            level = max([base.level, *(s.level for s in op.subscripts if isinstance(s, ir.Var))])
        else:
            wish, shape, level = f"{base.id}_T", (shape[1], shape[0]), base.level
        name, type_ = self.names.fresh(wish), ty.array(ty.element(base.type), *shape)
        self.setup.append(ir.Let(replace(base, id=name, type=type_, level=level), op))
        return self.setup[-1].var

    def slice(self, array: ir.Var, offset: Size, element: ir.Var | None) -> ir.Var:
        """The variable of the mapped read: ``element`` itself, where it is a whole element that is read."""
        for m in self.mapped:
            if m.array == array and m.offset == offset:
                return m.var
        var = element
        if var is None:
            type_ = ty.array(ty.element(array.type), *ty.shape(array.type)[1:])
            support = ANYTHING if isinstance(array.support, Structured) else array.support
            name = self.names.fresh(f"{array.id}_{self.loop.index.id}")
            var = replace(array, id=name, type=type_, support=support)
        self.mapped.append(ir.MappedRead(var, array, offset))
        return var


MAPPED_READS = Pass(
    "mapped_reads", on_blocks(_rewrite), "reads by a loop's own index become slices that the loop runs along"
)
