"""Whether a discrete variable can be summed out where it is drawn, and if not, what is in the way."""

from __future__ import annotations

from dataclasses import dataclass

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.supports import Interval
from ppl.compiler.ir.walk import binders, defined_inside, statements, walk
from ppl.compiler.passes.finite import finite_values, operations
from ppl.compiler.passes.taint import Taint


@dataclass(frozen=True)
class Refusal:
    """Why a discrete variable could not be summed out, with the statement in the way: material for a diagnostic."""

    site: str
    reason: str
    span: Span


class Locality:
    """``given``: sites with a known value; ``deferred``: those drawn after inference, which nothing scored reads."""

    def __init__(self, model: ir.Model, given: frozenset[str], deferred: frozenset[str]):
        self.model, self.given, self.deferred = model, given, deferred
        self.ops = operations(model.body)
        self.homes: dict[str, list[tuple[ir.Draw, ir.Block]]] = {}
        for block in (n for n in walk(model.body) if isinstance(n, ir.Block)):
            for stmt in block.statements:
                if isinstance(stmt, ir.Draw):
                    self.homes.setdefault(stmt.site, []).append((stmt, block))

    def plan(self, site: str) -> dict[str, ir.FiniteValues] | Refusal:
        """The values of each variable that draws the site, by id."""
        out: dict[str, ir.FiniteValues] = {}
        for draw, home in self.homes.get(site, []):
            if draw.missing:
                return Refusal(site, f"`{site}` is discrete and only partly observed", draw.span)
            values = finite_values(draw, self.ops)
            if isinstance(values, str):
                return Refusal(site, f"`{site}` {values}", draw.span)
            obstacle = self.obstacle(site, draw, home)
            if obstacle is not None:
                return obstacle
            out[draw.var.id] = values
        return out

    def obstacle(self, site: str, draw: ir.Draw, home: ir.Block) -> Refusal | None:
        """A statement outside the block ``home`` of the draw, or in its next iteration, that depends on the variable;
        or one inside that cannot stand under a sum."""
        flow = Taint({draw.var.id}, self.model.body, deferred=self.deferred)
        escaped = flow.tainted - defined_inside(home)
        outside = Taint(escaped, self.model.body, deferred=self.deferred).readers if escaped else []
        if outside:
            reader = outside[0]
            what = (
                "an iteration reads the one before"
                if self.crosses(escaped)
                else "it is read outside the iteration that draws it"
            )
            return Refusal(site, f"`{site}` cannot be summed out locally: {what}, by {_describe(reader)}", reader.span)
        for branch in (s for s in statements(home) if isinstance(s, ir.If) and flow.reads(s.condition)):
            if self.latents(branch.then) != self.latents(branch.otherwise):
                text = f"`{site}` cannot be summed out: it decides which variables are drawn"
                return Refusal(site, text, branch.span)
        for reader in flow.readers:
            if isinstance(reader, ir.Draw) and moving_bounds(reader):
                text = f"`{site}` cannot be summed out: the bounds of `{reader.site}` depend on it"
                return Refusal(site, text, reader.span)
        return None

    def latents(self, block: ir.Block) -> frozenset[tuple]:
        draws = (s for s in statements(block) if isinstance(s, ir.Draw))
        return frozenset((d.site, d.affine) for d in draws if d.site not in self.given | self.deferred)

    def crosses(self, escaped: set[str]) -> bool:
        loops = (s for s in statements(self.model.body) if isinstance(s, (ir.For, ir.Scan)))
        return any(v.id in escaped for loop in loops for v in binders(loop))


def moving_bounds(draw: ir.Draw) -> bool:
    """A continuous latent whose support depends on values has a change of variables that would depend on z."""
    return draw.role is not ir.Role.DATA and isinstance(draw.var.support, Interval) and draw.var.support.dynamic


def _describe(stmt: ir.Stmt) -> str:
    match stmt:
        case ir.Draw(site=site):
            return f"the distribution of `{site}`"
        case ir.Observe():
            return "an `observe`"
        case ir.Factor():
            return "a `factor`"
        case ir.Require():
            return "a `require`"
    return "a later statement"
