"""Models in the form that the checker gives, by hand: a program each, with arguments, data and a trace to evaluate it
at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level, Role
from ppl.compiler.ir.sizes import ONE, ZERO, Size
from tests.passes.build import Body, J, K, N, T, array, index, model, param, program, real

TWO = Size.const(2)
INDEX2 = ty.IndexType(TWO)
ZERO_INDEX = ir.Lit(0, ty.INT)


@dataclass
class Case:
    program: ir.Program
    args: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    trace: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.program.models[0].name

    @property
    def model(self) -> ir.Model:
        return self.program.models[0]


def whole(b: Body, site: str, type_: ty.Type, *pieces: tuple[Size, Size, ir.Var]) -> ir.Var:
    return b.let(site, ir.Assemble(site, tuple(ir.Piece(((lo, hi),), v) for lo, hi, v in pieces)), type_)


def wrapped(b: Body, v: ir.Var) -> ir.Var:
    return b.let(f"{v.id}_w", ir.MakeArray((v,)), array(ONE, of=v.type))


def schools() -> Case:
    b = Body()
    mu = b.normal("mu", "mu", real(0), real(5))
    tau = b.draw("tau", "tau", b.dist("HalfCauchy", scale=real(5)))
    se = param("se", array(J))
    j, inner = index("j"), Body("e")
    theta = inner.normal("theta_j", "theta", mu, tau, j)
    se_j = inner.let("se_j", ir.IndexOp(se.var, (j,), checked=True), level=Level.DATA)
    y = inner.normal("y_j", "y", theta, se_j, j, role=Role.DATA)
    out = b.plate(j, J, inner, theta_s=theta, y_s=y)
    whole(b, "theta", array(J), (ZERO, J, out["theta_s"]))
    whole(b, "y", array(J), (ZERO, J, out["y_s"]))
    sites = [("mu", ty.REAL, Role.LATENT), ("tau", ty.REAL, Role.LATENT), ("theta", array(J), Role.LATENT)]
    m = model("schools", b.block(), [se], [*sites, ("y", array(J), Role.DATA)], ["J"])
    return Case(
        program(m), {"se": [1.0, 2.0, 0.5]}, {"y": [3.0, -1.0, 0.4]}, {"mu": 0.3, "tau": 1.2, "theta": [0.1, 0.2, -0.3]}
    )


def random_walk(lags: tuple[int, ...] = (1,)) -> Case:
    """x[0], … drawn one by one, then x[t] ~ Normal(Σ x[t-k], 1) and y[t] ~ Normal(x[t], 1)."""
    b = Body()
    first = [b.normal(f"x_{k}", "x", real(0), real(1), ir.SizeAtom(Size.const(k))) for k in range(max(lags))]
    t, inner = index("t"), Body("e")
    read = [inner.let(f"x_lag{k}", ir.Lag("x", k, "t")) for k in lags]
    loc = read[0] if len(read) == 1 else inner.prim("loc", "+", read[0], read[1])
    x = inner.normal("x_t", "x", loc, real(1), t)
    y = inner.normal("y_t", "y", x, real(1), t, role=Role.DATA)
    lower = Size.const(max(lags))
    out = b.loop(t, lower, T, inner, windows=[ir.Window("x", x, tuple(reversed(first)))], x_s=x, y_s=y)
    pieces = [(Size.const(k), Size.const(k + 1), wrapped(b, v)) for k, v in enumerate(first)]
    whole(b, "x", array(T), *pieces, (lower, T, out["x_s"]))
    m = model("walk", b.block(), (), [("x", array(T), Role.LATENT), ("y", array(T), Role.DATA)], ["T"])
    missing = [float("nan")] * max(lags)
    return Case(
        program(m),
        {"T": 5},
        {"y": [*missing, *[0.5, -0.2, 0.1, 0.9, 1.0][max(lags) :]]},
        {"x": [0.1, 0.3, -0.4, 0.2, 0.0]},
    )


def counter() -> Case:
    """A loop with state variables: ``s`` counts, ``last`` is the latest draw, ``unread`` is never read, ``fixed``
    never changes."""
    b = Body()
    t, inner = index("t"), Body("e")
    s, last, unread, fixed = (ir.Var(n, ty.REAL) for n in ("s", "last", "unread", "fixed"))
    x = inner.normal("x_t", "x", last, fixed, t)
    s2 = inner.prim("s2", "+", s, x)
    unread2 = inner.prim("unread2", "*", unread, x)
    final = ir.Var("s_final", ty.REAL)
    carries = [
        ir.Carry(s, real(0), s2, final),
        ir.Carry(last, real(1), x),
        ir.Carry(unread, real(1), unread2),
        ir.Carry(fixed, real(2), fixed),
    ]
    out = b.loop(t, ZERO, T, inner, carries=carries, x_s=x)
    whole(b, "x", array(T), (ZERO, T, out["x_s"]))
    b.add(ir.Factor(final))
    m = model("counter", b.block(), (), [("x", array(T), Role.LATENT)], ["T"])
    return Case(program(m), {"T": 3}, {}, {"x": [0.5, -0.25, 2.0]})


def independent_loop() -> Case:
    """A ``for`` that reads no earlier iteration."""
    b = Body()
    t, inner = index("t"), Body("e")
    x = inner.normal("x_t", "x", real(0), real(1), t)
    out = b.loop(t, ZERO, T, inner, x_s=x)
    whole(b, "x", array(T), (ZERO, T, out["x_s"]))
    return Case(
        program(model("free", b.block(), (), [("x", array(T), Role.LATENT)], ["T"])), {"T": 2}, {}, {"x": [0.5, 1.0]}
    )


def grid_walk() -> Case:
    """A row of N walks: x[0, i], then x[t, i] ~ Normal(x[t-1, i], 1): the carry is the whole row."""
    b = Body()
    i0, first = index("i0"), Body("a")
    x0 = first.normal("x_0i", "x", real(0), real(1), ZERO_INDEX, i0)
    row0 = b.plate(i0, N, first, x_0s=x0)["x_0s"]
    t, i = index("t"), index("i")
    outer, inner = Body("e"), Body("f")
    lag = outer.let("x_lag", ir.Lag("x", 1, "t"), array(N))
    back = inner.let("back", ir.IndexOp(lag, (i,), checked=True))
    x = inner.normal("x_ti", "x", back, real(1), t, i)
    row = outer.plate(i, N, inner, x_ts=x)["x_ts"]
    out = b.loop(t, ONE, T, outer, windows=[ir.Window("x", row, (row0,))], x_s=row)
    top = b.let("x_0w", ir.MakeArray((row0,)), array(ONE, N))
    pieces = (ir.Piece(((ZERO, ONE), (ZERO, N)), top), ir.Piece(((ONE, T), (ZERO, N)), out["x_s"]))
    b.let("x", ir.Assemble("x", pieces), array(T, N))
    m = model("grid", b.block(), (), [("x", array(T, N), Role.LATENT)], ["T", "N"])
    return Case(program(m), {"T": 3, "N": 2}, {}, {"x": [[0.1, 0.2], [0.5, -0.5], [1.0, 0.0]]})


def reads() -> Case:
    """Every kind of read in nested plates: a[i], a[i+1], B[i, j], B[j, i], B[k, i], a[g[i]], and a guarded a[i+1]."""
    b = Body()
    a, c = param("a", array(N + 1)), param("c", array(N))
    B, C = param("B", array(N, K)), param("C", array(K, N))
    g = param("g", ty.array(ty.IndexType(N), N))
    i, j = index("i"), index("j")
    outer, inner = Body("e"), Body("f")

    def read(body: Body, name: str, base: ir.Parameter, *subscripts: ir.Atom, checked: bool = True) -> ir.Var:
        element = ty.array(ty.element(base.var.type), *ty.shape(base.var.type)[len(subscripts) :])
        return body.let(name, ir.IndexOp(base.var, subscripts, checked), element, Level.DATA)

    i1 = outer.prim("i1", "+", i, ir.Lit(1, ty.INT), type_=ty.INT, level=Level.CONSTANT)
    g_i = read(outer, "g_i", g, i)
    values = [
        read(outer, "a_i", a, i),
        read(outer, "a_next", a, i1),
        read(outer, "C_0i", C, ZERO_INDEX, i),
        read(outer, "c_g", c, g_i),
    ]
    guarded = Body("h")
    beyond = read(guarded, "c_next", c, i1, checked=False)
    near = outer.prim("near", "<", i1, ir.SizeAtom(N), type_=ty.BOOL, level=Level.CONSTANT)
    safe = ir.Var("safe", ty.REAL)
    outer.add(ir.If(near, guarded.block(beyond), ir.Block((), (real(0),)), (safe,)))
    total = outer.prim(
        "total", "+", outer.prim("s1", "+", values[0], values[1]), outer.prim("s2", "+", values[2], values[3])
    )
    total = outer.prim("total2", "+", total, safe)
    B_ij, C_ji = read(inner, "B_ij", B, i, j), read(inner, "C_ji", C, j, i)
    x = inner.normal("x_ij", "x", inner.prim("loc", "+", total, inner.prim("bc", "*", B_ij, C_ji)), real(1), i, j)
    row = outer.plate(j, K, inner, x_is=x)["x_is"]
    out = b.plate(i, N, outer, x_s=row)
    b.let("x", ir.Assemble("x", (ir.Piece(((ZERO, N), (ZERO, K)), out["x_s"]),)), array(N, K))
    m = model("reads", b.block(), [a, c, B, C, g], [("x", array(N, K), Role.LATENT)], ["N", "K"])
    args = {
        "a": [0.1, 0.2, 0.4, 0.8], "c": [1.0, 2.0, 3.0], "B": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
        "C": [[0.5, 1.5, 2.5], [-1.0, -2.0, -3.0]], "g": [2, 0, 1],
    }  # fmt: skip
    return Case(program(m), args, {}, {"x": [[0.0, 1.0], [2.0, -3.0], [4.0, 5.0]]})


def nested_submodels() -> Case:
    """A plate of submodels, each with a plate and a submodel of its own; a default, a size parameter, a loop's lag."""
    leaf = Body()
    a, b_ = param("a", ty.REAL), param("b", ty.REAL, default=ir.Block((), (real(2),)))
    z = leaf.normal("z", "z", a.var, b_.var)
    leaf_model = model("leaf", leaf.block(z), [a, b_], [("z", ty.REAL, Role.LATENT)])

    mid = Body()
    loc, n = param("loc", ty.REAL), param("n", ty.SizeType(), is_size=True)
    scale = mid.draw("scale", "scale", mid.dist("HalfNormal", scale=real(1)))
    app = mid.let("app", ir.ApplyModel(ir.ModelRef("leaf", ty.UNIT), (("a", loc.var),)), ty.Dist(ty.REAL))
    low = mid.draw("low", "low", app)
    n_size = Size.var("n")
    k, inner = index("k"), Body("e")
    w = inner.normal("w_k", "w", low, scale, k)
    y = inner.normal("y_k", "y", w, real(1), k, role=Role.DATA)
    out = mid.plate(k, n_size, inner, w_s=w, y_s=y)
    ws = whole(mid, "w", array(n_size), (ZERO, n_size, out["w_s"]))
    mid.add(ir.Output("top", w_top := mid.prim("w_top", "sum", ws)))
    mid_sites = [("scale", ty.REAL, Role.LATENT), ("low", ty.REAL, Role.LATENT), ("w", array(n_size), Role.LATENT)]
    mid_model = model(
        "mid", mid.block(w_top), [loc, n], [*mid_sites, ("y", array(n_size), Role.DATA)], calls=frozenset({"leaf"})
    )

    top = Body()
    mu = top.normal("mu", "mu", real(0), real(1))
    i, each = index("i"), Body("f")
    args = (("loc", mu), ("n", ir.SizeAtom(K)))
    app2 = each.let("app2", ir.ApplyModel(ir.ModelRef("mid", ty.UNIT), args), ty.Dist(ty.REAL))
    x = each.draw("x_i", "x", app2, i)
    each.add(ir.Factor(x))
    top.plate(i, N, each)
    sites = [("mu", ty.REAL, Role.LATENT), ("x", array(N), Role.LATENT)]
    m = model("top", top.block(), [], sites, ["N", "K"], calls=frozenset({"mid"}))
    return Case(
        program(m, mid_model, leaf_model), {"N": 2, "K": 2}, {"x.y": [[0.1, 0.2], [0.3, 0.4]]},
        {"mu": 0.5, "x.scale": [1.0, 2.0], "x.low.z": [0.2, -0.2], "x.w": [[0.0, 1.0], [2.0, 3.0]]},
    )  # fmt: skip


def mixture(continuous: bool = False) -> Case:
    """z[i] ~ Categorical(w); x[i] ~ Normal(mu[z[i]], 1), latent or observed; outputs of z, by element and whole."""
    b = Body()
    w, mu = param("w", array(TWO)), param("mu", array(TWO))
    i, inner = index("i"), Body("e")
    z = inner.draw("z_i", "z", inner.dist("Categorical", INDEX2, p=w.var), i, level=Level.DISCRETE)
    m = inner.let("m", ir.IndexOp(mu.var, (z,), checked=True))
    x = inner.normal("x_i", "x", m, real(1), i, role=Role.LATENT if continuous else Role.DATA)
    double = inner.prim("double", "*", x, real(2))
    inner.add(ir.Output("twice", double))
    inner.add(ir.Output("mean", m))
    inner.normal("y_i", "y", double, real(1), i, role=Role.DATA)
    out = b.plate(i, N, inner, z_s=z, x_s=x)
    zs = whole(b, "z", ty.array(INDEX2, N), (ZERO, N, out["z_s"]))
    whole(b, "x", array(N), (ZERO, N, out["x_s"]))
    b.add(ir.Output("first", b.let("z_0", ir.IndexOp(zs, (ZERO_INDEX,), checked=True), INDEX2)))
    sites = [("z", ty.array(INDEX2, N), Role.LATENT), ("x", array(N), x_role(continuous)), ("y", array(N), Role.DATA)]
    m_ = model("mixture", b.block(), [w, mu], sites, ["N"])
    x_values = {"x": [0.2, 2.5, -1.0]}
    data = {"y": [1.0, 4.0, -2.0]} | ({} if continuous else x_values)
    return Case(program(m_), {"w": [0.3, 0.7], "mu": [0.0, 2.0]}, data, x_values if continuous else {})


def x_role(continuous: bool) -> Role:
    return Role.LATENT if continuous else Role.DATA


def two_flips(dependent: bool) -> Case:
    """z1 and z2 ~ Bernoulli; y reads both, or z2 reads z1 and y reads z2."""
    b = Body()
    z1 = b.draw("z1", "z1", b.dist("Bernoulli", ty.BOOL, p=real(0.3)))
    p = b.prim("p", "where", z1, real(0.2), real(0.9)) if dependent else real(0.6)
    z2 = b.draw("z2", "z2", b.dist("Bernoulli", ty.BOOL, p=p))
    a = b.prim("a", "where", z2, real(0), real(1))
    c = b.prim("c", "where", z1, real(-1), a)
    y = b.normal("y", "y", a if dependent else c, real(1), role=Role.DATA)
    b.add(ir.Factor(b.prim("half", "*", y, real(0.5))))
    sites = [("z1", ty.BOOL, Role.LATENT), ("z2", ty.BOOL, Role.LATENT), ("y", ty.REAL, Role.DATA)]
    return Case(program(model("flips", b.block(z1), (), sites)), {}, {"y": 0.4})


def hmm(autoregressive: bool = False) -> Case:
    """z[t] ~ Categorical(P[z[t-1]]), y[t] ~ Normal(mu[z[t]] (+ y[t-1]), 1); outputs of both."""
    b = Body()
    P, mu, p0 = param("P", array(TWO, TWO)), param("mu", array(TWO)), param("p0", array(TWO))
    z0 = b.draw("z_0", "z", b.dist("Categorical", INDEX2, p=p0.var), ZERO_INDEX, level=Level.DISCRETE)
    y0 = b.normal(
        "y_0", "y", b.let("m_0", ir.IndexOp(mu.var, (z0,), checked=True)), real(1), ZERO_INDEX, role=Role.DATA
    )
    t, inner = index("t"), Body("e")
    back = inner.let("z_lag", ir.Lag("z", 1, "t"), INDEX2)
    y_back = inner.let("y_lag", ir.Lag("y", 1, "t"))
    row = inner.let("row", ir.IndexOp(P.var, (back,), checked=True), array(TWO))
    z = inner.draw("z_t", "z", inner.dist("Categorical", INDEX2, p=row), t, level=Level.DISCRETE)
    loc = inner.let("m_t", ir.IndexOp(mu.var, (z,), checked=True))
    loc = inner.prim("loc", "+", loc, y_back) if autoregressive else loc
    y = inner.normal("y_t", "y", loc, real(1), t, role=Role.DATA)
    windows = [ir.Window("y", y, (y0,)), ir.Window("z", z, (z0,))]
    out = b.loop(t, ONE, T, inner, windows=windows, z_s=z, y_s=y)
    zs = whole(b, "z", ty.array(INDEX2, T), (ZERO, ONE, wrapped(b, z0)), (ONE, T, out["z_s"]))
    ys = whole(b, "y", array(T), (ZERO, ONE, wrapped(b, y0)), (ONE, T, out["y_s"]))
    b.add(ir.Output("path", zs))
    b.add(ir.Output("seen", ys))
    sites = [("z", ty.array(INDEX2, T), Role.LATENT), ("y", array(T), Role.DATA)]
    args = {"P": [[0.9, 0.1], [0.2, 0.8]], "mu": [0.0, 2.0], "p0": [0.5, 0.5]}
    return Case(program(model("hmm", b.block(), [P, mu, p0], sites, ["T"])), args, {"y": [0.1, 2.0, 1.0, 3.0]})


CONTINUOUS = {
    "schools": schools(), "walk": random_walk(), "lags 1, 2": random_walk((1, 2)), "lag 2": random_walk((2,)),
    "counter": counter(), "free": independent_loop(), "grid": grid_walk(), "reads": reads(),
    "submodels": nested_submodels(),
}  # fmt: skip
DISCRETE = {
    "mixture": mixture(), "latent mixture": mixture(True), "flips": two_flips(False), "flip of a flip": two_flips(True),
    "hmm": hmm(), "switching regression": hmm(True),
}  # fmt: skip
