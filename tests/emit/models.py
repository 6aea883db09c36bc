"""Small models as IR, for tests of the emitter."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit.bind import bind
from ppl.compiler.emit.target import EmittedTarget
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level, Role, Var
from ppl.compiler.ir.sizes import ONE, ZERO, Size
from ppl.compiler.ir.supports import ANYTHING, BOOLEANS, POSITIVE, REALS, Integers
from ppl.compiler.passes.schedule import run_passes
from tests.passes.build import Body, array, index, param, real

J, N, T, K = (Size.var(n) for n in "JNTK")
TWO = Size.const(2)


def site(name: str, type_: ty.Type = ty.REAL, support=REALS, role: Role = Role.LATENT, **more) -> ir.SiteInfo:
    discrete = support == BOOLEANS or isinstance(support, Integers)
    return ir.SiteInfo(name, type_, support, role, discrete, more.pop("axes", ()), **more)


def data(name: str, type_: ty.Type = ty.REAL, support=REALS, **more) -> ir.SiteInfo:
    return site(name, type_, support, Role.DATA, **more)


def program(name: str, body: Body, sites, params=(), sizes=(), result: ir.Atom | None = None, **more) -> ir.Program:
    results = () if result is None else (result,)
    model = ir.Model(
        name, "model", tuple(sizes), tuple(params), result and result.type, body.block(*results), tuple(sites)
    )
    return run_passes(ir.Program(models=(model,), **more), name).program


def draw(
    body: Body, name: str, dist: str, support=REALS, type_: ty.Type = ty.REAL, at=(), site: str = "", **args
) -> Var:
    """``name`` ~ dist(args): numbers are literals. ``at``: subscripts, pairs of an atom and its affine form."""
    atoms = {k: real(v) if isinstance(v, (int, float)) else v for k, v in args.items() if k not in ("role", "missing")}
    d = body.dist(dist, type_, **atoms)
    var = Var(name, type_, support, Level.CONTINUOUS)
    more = {k: args[k] for k in ("role", "missing") if k in args}
    body.add(ir.Draw(var, site or name, d, indices=tuple(a for a, _ in at), affine=tuple(f for _, f in at), **more))
    return var


def plate(body: Body, i: str, upper: Size, inner: Body, axis: str = "", mapped=(), **stacked: Var) -> dict[str, Var]:
    out = {n: Var(n, ty.array(v.type, upper), v.support, v.level) for n, v in stacked.items()}
    body.add(
        ir.Plate(
            index(i),
            ZERO,
            upper,
            inner.block(),
            tuple(ir.Stacked(out[n], v) for n, v in stacked.items()),
            tuple(ir.MappedRead(Var(n, ty.REAL), a, ZERO) for n, a in mapped),
            axis,
        )
    )
    return out


def assemble(body: Body, name: str, upper: Size, value: ir.Atom, type_: ty.Type | None = None) -> Var:
    return body.let(name, ir.Assemble(name, (ir.Piece(((ZERO, upper),), value),)), type_ or array(upper))


def at(i: str):
    return ((index(i), Size.var(i)),)


SCHOOLS_Y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
SCHOOLS_SE = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def schools() -> ir.Program:
    """mu ~ Normal(0, 5); tau ~ HalfCauchy(5); theta[j] ~ Normal(mu, tau); y[j] ~ Normal(theta[j], se[j])."""
    b, inner = Body(), Body("e")
    mu = draw(b, "mu", "Normal", loc=0, scale=5)
    tau = draw(b, "tau", "HalfCauchy", POSITIVE, scale=5)
    theta = draw(inner, "theta_j", "Normal", site="theta", at=at("j"), loc=mu, scale=tau)
    y = draw(inner, "y_j", "Normal", site="y", at=at("j"), loc=theta, scale=Var("se_j", ty.REAL), role=Role.DATA)
    out = plate(b, "j", J, inner, "J", (("se_j", Var("se", array(J))),), theta_s=theta, y_s=y)
    whole = assemble(b, "theta", J, out["theta_s"])
    b.add(ir.Output("average", b.prim("m", "mean", whole)))
    sites = (
        site("mu"),
        site("tau", support=POSITIVE),
        site("theta", array(J), axes=("J",)),
        data("y", array(J), axes=("J",)),
    )
    return program("schools", b, sites, (param("se", array(J)),), ("J",))


def bound_schools(y: np.ndarray | None = SCHOOLS_Y) -> EmittedTarget:
    return bind(schools(), "schools", {"se": SCHOOLS_SE}, {"J": 8}, {} if y is None else {"y": y})


SCHOOLS_TRACE = {"mu": jnp.asarray(1.0), "tau": jnp.asarray(2.0), "theta": jnp.arange(8.0)}


def autoregression(support=REALS) -> ir.Program:
    """phi ~ Normal(0, 1); x[t] ~ Normal(phi x[t-1] + x[t-2], 0.5) from x[0], x[1] ~ Normal(0, 1); y[t-2] ~ Normal(x[t],
    0.3)."""
    b, inner = Body(), Body("e")
    phi = draw(b, "phi", "Normal", loc=0, scale=1)
    x0 = draw(b, "x0", "Normal", site="x", at=((ir.SizeAtom(ZERO), ZERO),), loc=0, scale=1)
    x1 = draw(b, "x1", "Normal", site="x", at=((ir.SizeAtom(ONE), ONE),), loc=0, scale=1)
    back1 = inner.let("back1", ir.Lag("x", 1, "t"))
    back2 = inner.let("back2", ir.Lag("x", 2, "t"))
    loc = inner.prim("loc", "+", inner.prim("pull", "*", phi, back1), back2)
    xt = draw(inner, "x_t", "Normal", support, site="x", at=at("t"), loc=loc, scale=0.5)
    shift = inner.let("shift", ir.Prim("-", (index("t"), ir.Lit(2, ty.INT))), ty.INT)
    yt = draw(inner, "y_t", "Normal", site="y", at=((shift, Size.var("t") - 2),), loc=xt, scale=0.3, role=Role.DATA)
    out = b.loop(index("t"), TWO, T, inner, windows=[ir.Window("x", xt, (x1, x0))], x_s=xt, y_s=yt)
    first = b.let("first", ir.MakeArray((x0, x1)), array(TWO))
    pieces = (ir.Piece(((ZERO, TWO),), first), ir.Piece(((TWO, T),), out["x_s"]))
    x = b.let("x", ir.Assemble("x", pieces), array(T))
    b.add(ir.Output("total", b.prim("sum_x", "sum", x)))
    return program("ar", b, (site("phi"), site("x", array(T), axes=("T",)), data("y", array(T - 2))), sizes=("T",))


def branching() -> ir.Program:
    """z ~ Normal(0, 1); if z > 0 { x ~ Normal(sqrt(z), 1) } else { x ~ Normal(0, sqrt(-z)) }; y ~ Normal(x, 1)."""
    b, then, otherwise = Body(), Body("a"), Body("b")
    z = draw(b, "z", "Normal", loc=0, scale=1)
    c = b.prim("c", ">", z, real(0), type_=ty.BOOL)
    x1 = draw(then, "x_then", "Normal", site="x", loc=then.prim("root", "sqrt", z), scale=1)
    minus = otherwise.prim("minus", "neg", z)
    x2 = draw(otherwise, "x_else", "Normal", site="x", loc=0, scale=otherwise.prim("root2", "sqrt", minus))
    x = Var("x", ty.REAL, REALS, Level.CONTINUOUS)
    b.add(ir.If(c, then.block(x1), otherwise.block(x2), (x,)))
    draw(b, "y", "Normal", loc=x, scale=1, role=Role.DATA)
    return program("branching", b, (site("z"), site("x"), data("y")))


def random_lines() -> ir.Program:
    """a[k], b[k] ~ Normal(0, 1), f[k] = fn(x) => a[k] x + b[k]; k[i] = group of i; y[i] ~ Normal(f[group[i]](x[i]),
    0.5); f[0] returned."""
    b, inner, fit = Body(), Body("e"), Body("g")
    line = ty.Function((ty.REAL,), ty.REAL)
    a = draw(inner, "a_k", "Normal", site="a", at=at("k"), loc=0, scale=1)
    c = draw(inner, "b_k", "Normal", site="b", at=at("k"), loc=0, scale=1)
    x, code = Var("x_arg", ty.REAL), Body("h")
    value = code.prim("line", "+", code.prim("slope", "*", a, x), c)
    f = inner.let("f_k", ir.Closure((x,), code.block(value)), line)
    out = plate(b, "k", K, inner, "K", f_s=f)
    fs = b.let("f", ir.Assemble("f", (ir.Piece(((ZERO, K),), out["f_s"]),)), ty.array(line, K))
    group, xs = Var("group", array(N, of=ty.INT), ANYTHING, Level.DATA), Var("xs", array(N), ANYTHING, Level.DATA)
    g_i = fit.let("g_i", ir.IndexOp(group, (index("i"),), True), ty.INT)
    f_i = fit.let("f_i", ir.IndexOp(fs, (g_i,), True), line)
    x_i = fit.let("x_i", ir.IndexOp(xs, (index("i"),), True))
    loc = fit.let("loc", ir.Call(f_i, (x_i,)))
    draw(fit, "y_i", "Normal", site="y", at=at("i"), loc=loc, scale=0.5, role=Role.DATA)
    plate(b, "i", N, fit, "N")
    first = b.let("f0", ir.IndexOp(fs, (ir.Lit(0, ty.INT),), True), line)
    sites = (site("a", array(K)), site("b", array(K)), data("y", array(N)))
    params = (param("group", array(N, of=ty.INT)), param("xs", array(N)))
    return program("lines", b, sites, params, ("N", "K"), first)


def mixture(summed: bool = True) -> ir.Program:
    """mu ~ Normal(0, 2); plate i: z[i] ~ Bernoulli(0.3), y[i] ~ Normal(if z[i] { mu } else { -1 }, 1)."""
    b, inner, body = Body(), Body("e"), Body("s")
    mu = draw(b, "mu", "Normal", loc=0, scale=2)
    z = draw(body, "z_i", "Bernoulli", BOOLEANS, ty.BOOL, site="z", at=at("i"), p=0.3)
    loc = body.prim("loc", "where", z, mu, real(-1))
    draw(body, "y_i", "Normal", site="y", at=at("i"), loc=loc, scale=1, role=Role.DATA)
    if summed:
        inner.add(ir.SumOut(z, ir.FiniteValues(TWO), body.block()))
    else:
        inner.statements = body.statements
    plate(b, "i", N, inner, "N")
    return program(
        "mixture", b, (site("mu"), site("z", array(N, of=ty.BOOL), BOOLEANS), data("y", array(N))), sizes=("N",)
    )
