"""What the passes make of small models, as text; and that running them again changes nothing."""

from textwrap import dedent

import pytest

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Role
from ppl.compiler.ir.printer import print_block, print_program
from ppl.compiler.passes.enumerate_local import enumerate_local
from ppl.compiler.passes.hoist import data_prefix
from ppl.compiler.passes.query import Query, prepare
from ppl.compiler.passes.schedule import PASSES, run_passes
from tests.passes.build import Body, N, array, index, model, param, program, real
from tests.passes.models import (
    CONTINUOUS,
    DISCRETE,
    counter,
    grid_walk,
    hmm,
    mixture,
    nested_submodels,
    random_walk,
    reads,
    two_flips,
)


def body(case, after: str | None = None) -> str:
    passed = run_passes(case.program, case.name, after=after)
    return print_block(passed.program.model(case.name).body)


def text(s: str) -> str:
    return dedent(s).strip("\n")


def test_a_lag_becomes_one_carry():
    assert body(random_walk(), "loops") == text("""
        d1: Dist<real> = Normal(loc=0.0, scale=1.0)
        x_0: real = draw "x"[0] d1
        scan t in 1..T carry (x_1_back: real = x_0; x_t lag "x" 1) {
          e1: Dist<real> = Normal(loc=x_1_back, scale=1.0)
          x_t: real = draw "x"[t] e1
          e2: Dist<real> = Normal(loc=x_t, scale=1.0)
          y_t: real = draw data "y"[t] e2
        } stacked (x_s = x_t)
        x_0_w: real[1] = [x_0]
        x: real[T] = assemble "x" [0..1: x_0_w; 1..T: x_s]
    """)


def test_a_lag_of_two_shifts_a_window():
    assert 'carry (x_1_back: real = x_1; x_t lag "x" 1, x_2_back: real = x_0; x_1_back lag "x" 2)' in body(
        random_walk((2,))
    )


def test_state_that_nobody_reads_or_changes_is_not_carried():
    assert body(counter(), "loops") == text("""
        scan t in 0..T carry (s: real = 0.0; s2; s_final, last: real = 1.0; x_t) {
          e1: Dist<real> = Normal(loc=last, scale=2.0)
          x_t: real = draw "x"[t] e1
          s2: real = s + x_t
        } stacked (x_s = x_t)
        x: real[T] = assemble "x" [0..T: x_s]
        factor s_final
    """)


def test_a_loop_that_reads_no_earlier_iteration_is_a_plate():
    case = CONTINUOUS["free"]
    passed = run_passes(case.program, case.name)
    assert "plate t in 0..T {" in print_program(passed.program, case.name)
    assert [(n.kind, n.text) for n in passed.notes][0] == (
        "plate",
        "`for t` is a plate: no iteration reads an earlier one",
    )


def test_a_row_is_carried_whole_and_mapped_in_the_plate():
    out = body(grid_walk())
    assert 'scan t in 1..T carry (x_1_back: real[N] = x_0s; x_ts lag "x" 1) {' in out
    assert "plate i in 0..N mapped (back = x_1_back[_]) {" in out


def test_reads_become_slices_where_that_is_safe():
    out = body(reads())
    assert "C_row: real[N] = C[0]" in out
    assert "C_T: real[N, K] = transpose(C)" in out
    mapped = "mapped (g_i = g[_], a_i = a[_], a_next = a[_ + 1], C_0i = C_row[_], B_i = B[_], C_T_i = C_T[_])"
    assert f"plate i in 0..N {mapped} {{" in out
    assert "plate j in 0..K mapped (B_ij = B_i[_], C_ji = C_T_i[_]) {" in out
    assert "c_next: real = c[i1] guarded" in out  # the slice would leave the array
    assert "c_g: real = c[g_i]" in out  # not affine


def test_submodels_get_dotted_addresses_and_outer_indices():
    case = nested_submodels()
    passed = run_passes(case.program, case.name, after="inline")
    m = passed.program.model(case.name)
    assert [(s.name, str(s.type), s.role.value) for s in m.sites] == [
        ("mu", "real", "latent"), ("x.scale", "real[N]", "latent"), ("x.low.z", "real[N]", "latent"),
        ("x.w", "real[N, K]", "latent"), ("x.y", "real[N, K]", "data"),
    ]  # fmt: skip
    assert m.calls == frozenset()
    assert m.outputs == ()
    assert 'draw data "x.y"[i, x.k] x.e2' in print_block(m.body)
    assert [n.text for n in passed.notes] == [
        "`x ~ mid(…)`: its random variables are `x.scale`, `x.w`, `x.y`",
        "`x.low ~ leaf(…)`: its random variables are `x.low.z`",
    ]


def test_a_default_is_filled_in_and_a_level_raised():
    case = nested_submodels()
    m = run_passes(case.program, case.name, after="inline").program.model(case.name)
    out = print_program(ir.Program(models=(m,)), levels=True)
    assert "x.low.d1: Dist<real> @continuous = Normal(loc=mu, scale=2.0)" in out


def recursive() -> ir.Program:
    b = Body()
    app = b.let("app", ir.ApplyModel(ir.ModelRef("m", ty.UNIT), ()), ty.Dist(ty.REAL))
    b.draw("x", "x", app)
    return program(model("m", b.block(), (), [("x", ty.REAL, Role.LATENT)], recursive=True, calls=frozenset({"m"})))


def test_a_model_that_always_runs_itself_has_no_path():
    body = run_passes(recursive(), "m", after="inline").program.model("m").body
    assert "require false" in print_block(body)
    assert not any(isinstance(s, ir.Draw) for s in body.statements)


def test_data_only_work_goes_first_and_out_of_loops():
    b = Body()
    x = param("x", array(N))
    mu = b.normal("mu", "mu", real(0), real(1))
    i, inner = index("i"), Body("e")
    total = inner.prim("total", "sum", x.var, level=ir.Level.DATA)
    scaled = inner.prim("scaled", "*", total, real(2), level=ir.Level.DATA)
    inner.normal("y_i", "y", inner.prim("loc", "*", scaled, mu), real(1), i, role=Role.DATA)
    b.plate(i, N, inner)
    m = model("m", b.block(), [x], [("mu", ty.REAL, Role.LATENT), ("y", array(N), Role.DATA)], ["N"])
    done = run_passes(program(m), "m").program.model("m")
    assert [s.var.id for s in data_prefix(done) if isinstance(s, ir.Let)] == ["d1", "total", "scaled"]


def test_nothing_leaves_a_branch_that_guards_it():
    b = Body()
    a, c = param("a", ty.REAL), param("c", ty.BOOL)
    i, inner, arm = index("i"), Body("e"), Body("f")
    value = arm.prim("inverse", "/", real(1), a.var)
    out = ir.Var("out", ty.REAL)
    inner.add(ir.If(c.var, arm.block(value), ir.Block((), (real(0),)), (out,)))
    inner.normal("y_i", "y", out, real(1), i, role=Role.DATA)
    b.plate(i, N, inner)
    m = model("m", b.block(), [a, c], [("y", array(N), Role.DATA)], ["N"])
    done = print_block(run_passes(program(m), "m").program.model("m").body)
    assert done.startswith("out: real = if c {\n  inverse: real = 1.0 / a\n")  # the whole If moves, with its guard


def test_folding():
    b = Body()
    n = b.prim("n", "+", ir.SizeAtom(N), ir.Lit(1, ty.INT), type_=ty.INT)
    three = b.prim("three", "*", ir.Lit(3, ty.INT), ir.Lit(1, ty.INT), type_=ty.INT)
    root = b.prim("root", "sqrt", real(4))
    undefined = b.prim("undefined", "log", real(-1))
    alias = b.let("alias", ir.Prim("copy", (root,)))
    z = b.prim("z", "zeros", n)
    sums = [b.prim(f"s{k}", "+", alias, undefined) for k in range(2)]
    dead = b.prim("dead", "exp", real(1))
    assert dead
    b.normal("x", "x", sums[0], sums[1], three)
    b.add(ir.Factor(b.prim("total", "sum", z)))
    done = run_passes(program(model("m", b.block(), (), [("x", array(N), Role.LATENT)])), "m", after="fold")
    assert print_block(done.program.model("m").body) == text("""
        undefined: real = log(-1.0)
        z: real = zeros((N + 1))
        s0: real = 2.0 + undefined
        d1: Dist<real> = Normal(loc=s0, scale=s0)
        x: real = draw "x"[three] d1
        total: real = sum(z)
        factor total
    """)


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_running_the_schedule_again_changes_nothing(name):
    case = {**CONTINUOUS, **DISCRETE}[name]
    once = run_passes(case.program, case.name).program
    for p in PASSES:
        assert p.run(once, case.name)[0] == once, p.name


def test_printing_is_deterministic_and_every_stage_prints():
    case = hmm(True)
    for p in PASSES:
        passed = run_passes(case.program, case.name, after=p.name).program
        assert print_program(passed) == print_program(passed)


def test_a_mixture_is_summed_out_in_its_plate():
    """Outputs of z, and z as a whole array, read what leaves the sum; they are computed once z has been drawn."""
    case = mixture(continuous=True)
    plan = prepare(case.program, Query(case.name, frozenset(case.data), marginalise=True))
    assert print_block(plan.model.body) == text("""
        e1: Dist<index<2>> = Categorical(p=w)
        plate i in 0..N {
          z_i: index<2>, m: real, x_i: real = sum over z_i_k in 0..2 {
            z_i_k: index<2> = draw "z"[i] e1
            m_k: real = mu[z_i_k]
            e2: Dist<real> = Normal(loc=m_k, scale=1.0)
            x_i_k: real = draw "x"[i] e2
            return z_i_k, m_k, x_i_k
          }
          double: real = x_i * 2.0
          output "twice" = double
          output "mean" = m
          e3: Dist<real> = Normal(loc=double, scale=1.0)
          y_i: real = draw data "y"[i] e3
        } stacked (z_s = z_i, x_s = x_i)
        z: index<2>[N] = assemble "z" [0..N: z_s]
        x: real[N] = assemble "x" [0..N: x_s]
        z_0: index<2> = z[0]
        output "first" = z_0
    """)


def test_independent_variables_of_one_block_nest_only_where_they_meet():
    case = two_flips(dependent=False)
    assert print_block(enumerate_local(case.model, case.data).model.body) == text("""
        d1: Dist<bool> = Bernoulli(p=0.3)
        d2: Dist<bool> = Bernoulli(p=0.6)
        z1: bool, y: real = sum over z2 in 0..2 {
          z2: bool = draw "z2" d2
          a: real = where(z2, 0.0, 1.0)
          z1_k_1: bool, y_k_1: real = sum over z1_k in 0..2 {
            z1_k: bool = draw "z1" d1
            c: real = where(z1_k, -1.0, a)
            d3: Dist<real> = Normal(loc=c, scale=1.0)
            y_k: real = draw data "y" d3
            return z1_k, y_k
          }
          return z1_k_1, y_k_1
        }
        half: real = y * 0.5
        factor half
        return z1
    """)


def test_a_chain_is_a_forward_sum():
    case = hmm()
    plan = prepare(case.program, Query(case.name, frozenset(case.data), marginalise=True))
    out = print_block(plan.model.body)
    assert "forward sum over z_0_k, z_1_back -> z_t in 0..2 {" in out
    assert "} then t in 1..T {" in out
    assert 'output "path" = z' in out
    assert [n.text for n in plan.notes if n.kind == "marginalised"] == [
        "`z` is a Markov chain: summed out by the forward algorithm"
    ]


def test_deferred_draws_do_not_keep_a_variable_from_being_summed_out():
    """z is read by a prediction in another plate: it is deferred, so no density scores it."""
    b, i, k = Body(), index("i"), index("k")
    first, second = Body("e"), Body("f")
    z = first.draw("z_i", "z", first.dist("Bernoulli", ty.BOOL, p=real(0.5)), i)
    first.normal("y_i", "y", first.prim("m", "where", z, real(0), real(1)), real(1), i, role=Role.DATA)
    z_s = b.plate(i, N, first, z_s=z)["z_s"]
    z_k = second.let("z_k", ir.IndexOp(z_s, (k,), checked=True), ty.BOOL)
    second.normal("new_k", "new", second.prim("m2", "where", z_k, real(0), real(1)), real(1), k, role=Role.DATA)
    b.plate(k, N, second)
    sites = [("z", array(N, of=ty.BOOL), Role.LATENT), ("y", array(N), Role.DATA), ("new", array(N), Role.DATA)]
    p = program(model("m", b.block(), (), sites, ["N"]))
    plan = prepare(p, Query("m", frozenset({"y"}), marginalise=True))
    assert (plan.deferred, plan.marginalised, plan.refusals) == (("new",), ("z",), ())
    plan = prepare(p, Query("m", frozenset({"y", "new"}), marginalise=True))
    assert (plan.deferred, plan.marginalised, plan.refusals) == ((), ("z",), ())
    assert [n.text for n in plan.notes if n.kind == "fused"] == ["the loop over `k` joins the one that it reads"]
