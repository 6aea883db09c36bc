"""The graph of a model: edges through deterministic values, plates as boxes that hold their nodes and no others."""

from xml.etree import ElementTree

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as T
from ppl.compiler.ir.sizes import ZERO, Size
from ppl.graph import Edge, build, to_dot, to_svg
from ppl.graph.layout import layout

J = Size.var("J")


def var(name, type_=T.REAL):
    return ir.Var(name, type_)


def normal(name, loc, scale):
    return ir.Let(var(name, T.Dist(T.REAL)), ir.MakeDist("Normal", (("loc", loc), ("scale", scale))))


def schools():
    """Eight schools, with theta and y in a plate."""
    one = ir.Lit(1.0, T.REAL)
    body = ir.Block((
        normal("d1", one, one), ir.Draw(var("mu"), "mu", var("d1")),
        ir.Let(var("mu2"), ir.Prim("*", (var("mu"), one))),
        ir.Plate(var("j", T.INT), ZERO, J, ir.Block((
            normal("d2", var("mu2"), one), ir.Draw(var("theta_j"), "theta", var("d2")),
            ir.Let(var("se_j"), ir.IndexOp(var("se"), (var("j", T.INT),))),
            normal("d3", var("theta_j"), var("se_j")), ir.Draw(var("y_j"), "y", var("d3"), role=ir.Role.DATA),
        )), stacked=(ir.Stacked(var("theta_s"), var("theta_j")),)),
        ir.Let(var("theta"), ir.Assemble("theta", (ir.Piece(((ZERO, J),), var("theta_s")),))),
        ir.Output("spread", var("theta")),
    ))  # fmt: skip
    se = ir.Parameter("se", var("se", T.array(T.REAL, J)))
    return ir.Model("schools", "model", ("J",), (se,), None, body)


def test_edges_go_through_deterministic_values():
    g = build(schools())
    assert set(g.edges) == {Edge("mu", "theta"), Edge("theta", "y"), Edge("se", "y"), Edge("theta", "spread")}
    assert {n.name: n.kind for n in g.nodes} == {
        "se": "parameter", "mu": "latent", "theta": "latent", "y": "data", "spread": "output"
    }  # fmt: skip
    assert {n.name: n.label for n in g.nodes}["theta"] == "Normal"


def test_boxes_hold_their_nodes_and_no_others():
    g = build(schools())
    at = layout(g)
    for k, box in at.boxes.items():
        for n in g.nodes:
            x, y = at.centres[n.name]
            assert (box.left < x < box.right and box.top < y < box.bottom) == (k in n.plates)
            assert 0 < x < at.width and 0 < y < at.height


def test_children_stand_below_their_parents():
    g = build(schools())
    at = layout(g)
    assert all(at.centres[e.source][1] < at.centres[e.target][1] for e in g.edges)


def test_svg_is_well_formed_and_dot_has_every_node():
    g = build(schools())
    root = ElementTree.fromstring(to_svg(g))
    assert "theta" in {t.text for t in root.iter("{http://www.w3.org/2000/svg}text")}
    dot = to_dot(g)
    assert all(f'"{n.name}"' in dot for n in g.nodes) and 'label="j in 0..J"' in dot


def test_a_loop_carried_value_is_an_edge_to_itself():
    x, c = var("x_t"), var("c")
    loop = ir.Scan(var("t", T.INT), ZERO, J, ir.Block((normal("d", c, ir.Lit(1.0, T.REAL)), ir.Draw(x, "x", var("d")))),
                   carries=(ir.Carry(c, ir.Lit(0.0, T.REAL), x),))  # fmt: skip
    g = build(ir.Model("walk", "model", ("J",), (), None, ir.Block((loop,))))
    assert set(g.edges) == {Edge("x", "x")} and g.plates[0].ordered and len(g.plates) == 1
    ElementTree.fromstring(to_svg(g))
