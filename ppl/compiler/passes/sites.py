"""Which variable holds the value of a random variable at the end of a block."""

from __future__ import annotations

from ppl.compiler.ir import nodes as ir


def site_values(block: ir.Block) -> dict[str, ir.Atom]:
    """By site: the element that the block draws, or the array over the loops in it, as far as one variable holds it."""
    values: dict[str, ir.Atom] = {}
    for stmt in block.statements:
        match stmt:
            case ir.Draw() | ir.ParamStmt():
                values[stmt.site] = stmt.var
            case ir.Let(var, ir.Assemble(site)):
                values[site] = var
            case ir.Plate() | ir.For() | ir.Scan():
                inside = site_values(stmt.body)
                values |= {site: s.var for site, v in inside.items() for s in stmt.stacked if s.value == v}
            case ir.If(_, then, otherwise, results):
                values |= _merged([then, otherwise], results)
            case ir.Match(_, cases, results):
                values |= _merged([c.body for c in cases], results)
    return values


def _merged(arms: list[ir.Block], results: tuple[ir.Var, ...]) -> dict[str, ir.Atom]:
    """What all branches draw, where one result receives it from each of them."""
    found = [site_values(arm) for arm in arms]
    return {
        site: var
        for k, var in enumerate(results)
        for site, value in found[0].items()
        if all(f.get(site) == arm.results[k] for f, arm in zip(found, arms, strict=True))
        and value == arms[0].results[k]
    }
