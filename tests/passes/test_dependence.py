"""The dependence graph, and what it says about which variables inference needs."""

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Role
from ppl.compiler.ir.printer import print_block
from ppl.compiler.passes.dead_draws import split
from ppl.compiler.passes.dependence import dependence_graph
from ppl.compiler.passes.schedule import run_passes
from tests.passes.build import Body, model, param, real
from tests.passes.models import counter, hmm, nested_submodels, random_walk, schools


def edges(m: ir.Model) -> dict[str, list[str]]:
    return {name: sorted(parents) for name, parents in dependence_graph(m).parents.items()}


def test_eight_schools():
    g = dependence_graph(schools().model)
    assert edges(schools().model) == {"se": [], "mu": [], "tau": [], "theta": ["mu", "tau"], "y": ["se", "theta"]}
    assert g.nodes["theta"].plates == ("j",) and g.nodes["mu"].plates == ()
    assert g.nodes["y"].kind == "data" and g.nodes["se"].kind == "input"
    assert g.descendants("mu") == {"theta", "y"} and g.ancestors("y") == {"se", "theta", "mu", "tau"}
    assert g.children["theta"] == {"y"}
    assert g.reaches_data("mu") and not g.reaches_data("mu", observed=())


def test_an_element_that_reads_an_earlier_one_is_its_own_parent():
    for m in (random_walk().model, run_passes(random_walk().program, "walk").program.model("walk")):
        assert edges(m) == {"x": ["x"], "y": ["x"]}


def test_state_variables_pass_dependence_on():
    assert edges(counter().model) == {"x": ["x"], "factor 1": ["x"]}


def test_the_graph_is_the_same_before_and_after_the_passes():
    for case in (schools(), hmm(), hmm(True)):
        assert edges(run_passes(case.program, case.name).program.model(case.name)) == edges(case.model)


def test_submodels_after_inlining():
    case = nested_submodels()
    m = run_passes(case.program, case.name).program.model(case.name)
    assert edges(m) == {
        "mu": [], "x.scale": [], "x.low.z": ["mu"], "x.w": ["x.low.z", "x.scale"], "x.y": ["x.w"],
        "x.top": ["x.w"], "factor 1": ["x.w"],
    }  # fmt: skip


def branching() -> ir.Model:
    """A factor in a branch depends on the condition; an output reads a variable that nothing else needs."""
    b, arm = Body(), Body("f")
    a = param("a", ty.REAL)
    z = b.draw("z", "z", b.dist("Bernoulli", ty.BOOL, p=real(0.5)))
    x = b.normal("x", "x", a.var, real(1))
    free = b.normal("free", "free", x, real(1))
    predicted = b.normal("predicted", "predicted", free, real(1), role=Role.DATA)
    arm.add(ir.Factor(x))
    b.add(ir.If(z, arm.block(), ir.Block(())))
    b.add(ir.Output("both", b.prim("both", "+", x, free)))
    b.add(ir.Output("needed", x))
    sites = [
        ("z", ty.BOOL, Role.LATENT),
        *((n, ty.REAL, Role.LATENT) for n in ("x", "free")),
        ("predicted", ty.REAL, Role.DATA),
    ]
    return model("branching", b.block(predicted), [a], sites)


def test_a_branch_depends_on_its_condition():
    g = dependence_graph(branching())
    assert g.parents["factor 1"] == {"x", "z"}
    assert g.parents["return"] == {"predicted"}
    assert not g.reaches_data("free", observed=()) and g.reaches_data("z", observed=())


def test_what_reaches_no_data_is_deferred():
    parts = split(branching(), observed=())
    assert parts.deferred == ("free", "predicted")
    assert parts.outputs == ("both",)
    assert [s.name for s in parts.inference.sites] == ["z", "x"]
    assert print_block(parts.inference.body).splitlines() == [
        "d1: Dist<bool> = Bernoulli(p=0.5)",
        'z: bool = draw "z" d1',
        "d2: Dist<real> = Normal(loc=a, scale=1.0)",
        'x: real = draw "x" d2',
        "if z {",
        "  factor x",
        "}",
        'output "needed" = x',
    ]


def test_ancestors_of_data_stay():
    assert split(branching(), observed={"predicted"}).deferred == ()


def test_what_is_kept_is_not_deferred():
    parts = split(branching(), observed=(), keep={"free"})
    assert parts.deferred == ("predicted",) and parts.outputs == ()
