"""A tiny builder of IR for tests of the passes."""

from __future__ import annotations

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level, Role, Var
from ppl.compiler.ir.sizes import ZERO, Size
from ppl.compiler.ir.supports import ANYTHING

N, T, K, J = (Size.var(n) for n in "NTKJ")


def real(x: float) -> ir.Lit:
    return ir.Lit(float(x), ty.REAL)


def array(*shape: Size, of: ty.Type = ty.REAL) -> ty.Type:
    return ty.array(of, *shape)


def param(name: str, type_: ty.Type, **more) -> ir.Parameter:
    return ir.Parameter(name, Var(name, type_, ANYTHING, Level.DATA), **more)


def size_param(name: str) -> ir.Parameter:
    return param(name, ty.SizeType(), is_size=True)


def index(name: str) -> Var:
    return Var(name, ty.INT)


class Body:
    """Statements in the order of the calls; ``names`` of distributions are made up (``d1``, ``d2``, …) per builder."""

    def __init__(self, prefix: str = "d"):
        self.statements: list[ir.Stmt] = []
        self.prefix, self.count = prefix, 0

    def add(self, stmt: ir.Stmt) -> None:
        self.statements.append(stmt)

    def let(
        self, name: str, op: ir.Op, type_: ty.Type = ty.REAL, level: Level = Level.CONTINUOUS, support=ANYTHING
    ) -> Var:
        var = Var(name, type_, support, level)
        self.add(ir.Let(var, op))
        return var

    def prim(
        self, name: str, op: str, *args: ir.Atom, type_: ty.Type = ty.REAL, level: Level = Level.CONTINUOUS
    ) -> Var:
        return self.let(name, ir.Prim(op, args), type_, level)

    def dist(self, dist: str, type_: ty.Type = ty.REAL, **args: ir.Atom) -> Var:
        self.count += 1
        op = ir.MakeDist(dist, tuple(args.items()))
        return self.let(f"{self.prefix}{self.count}", op, ty.Dist(type_))

    def draw(
        self,
        var: str,
        site: str,
        dist: Var,
        *indices: ir.Atom,
        role: Role = Role.LATENT,
        level=Level.CONTINUOUS,
        **more,
    ):
        out = Var(var, dist.type.value, ANYTHING, level)
        affine = tuple(_affine(i) for i in indices)
        self.add(ir.Draw(out, site, dist, role, indices, more.pop("affine", affine), **more))
        return out

    def normal(self, var: str, site: str, loc: ir.Atom, scale: ir.Atom, *indices: ir.Atom, **more) -> Var:
        return self.draw(var, site, self.dist("Normal", loc=loc, scale=scale), *indices, **more)

    def plate(self, i: Var, upper: Size, body: Body, lower: Size = ZERO, **stacked: Var) -> dict[str, Var]:
        return self._loop(ir.Plate, i, lower, upper, body, stacked)

    def loop(
        self, i: Var, lower: Size, upper: Size, body: Body, carries=(), windows=(), **stacked: Var
    ) -> dict[str, Var]:
        return self._loop(ir.For, i, lower, upper, body, stacked, carries=tuple(carries), windows=tuple(windows))

    def _loop(self, kind, i, lower, upper, body, stacked, **more) -> dict[str, Var]:
        out = {n: Var(n, ty.array(v.type, upper - lower), v.support, v.level) for n, v in stacked.items()}
        pairs = tuple(ir.Stacked(out[n], v) for n, v in stacked.items())
        self.add(kind(i, lower, upper, body.block(), stacked=pairs, **more))
        return out

    def block(self, *results: ir.Atom) -> ir.Block:
        return ir.Block(tuple(self.statements), results)


def _affine(atom: ir.Atom) -> Size:
    match atom:
        case ir.SizeAtom(size):
            return size
        case ir.Lit(value):
            return Size.const(value)
        case ir.Var(id=name):
            return Size.var(name)
    raise TypeError(atom)


def model(name: str, body: ir.Block, params=(), sites=(), sizes=(), **more) -> ir.Model:
    """``sites``: name, type and role of each; those whose elements are ints or bools are discrete."""
    infos = tuple(
        ir.SiteInfo(n, t, ANYTHING, role, discrete=ty.element(t) != ty.REAL, axes=("",) * len(ty.shape(t)))
        for n, t, role in sites
    )
    return ir.Model(name, "model", tuple(sizes), tuple(params), None, body, infos, **more)


def program(*models: ir.Model, functions=()) -> ir.Program:
    return ir.Program(models=models, functions=tuple(functions))
