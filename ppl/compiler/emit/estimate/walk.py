"""The walk of an estimator over one body: an objective, a guide that it draws from, or a target that it scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import jax.numpy as jnp

from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.emit import operations
from ppl.compiler.emit.code import Code
from ppl.compiler.emit.errors import CompilerDefect, EmissionError
from ppl.compiler.emit.estimate import auxiliary, baselines, branches, chains, linear, loops, measures, ordered, scored
from ppl.compiler.emit.estimate.axes import Axis, Deps, Labelled, NotLocal, lift, merged, named, plain, settled
from ppl.compiler.emit.estimate.choices import Made, Scored
from ppl.compiler.emit.estimate.keys import Keys
from ppl.compiler.emit.estimate.measures import TraceValue
from ppl.compiler.emit.estimate.runs import expectation
from ppl.compiler.emit.estimate.strategies import Drawing, SharedAxes, Strategy
from ppl.compiler.emit.estimate.terms import Terms, along, collapsed, scalar_terms
from ppl.compiler.emit.evaluate import PURE
from ppl.compiler.emit.frame import NOTHING, Frame, Recorded
from ppl.compiler.emit.traverse import Memo, used_variables
from ppl.compiler.ir.nodes import (
    Assemble,
    Atom,
    Block,
    Density,
    Draw,
    ExpectOp,
    Factor,
    ForwardSum,
    GetField,
    If,
    IndexOp,
    Let,
    Lit,
    MakeDist,
    Map,
    Marginal,
    Match,
    Model,
    Observe,
    Output,
    ParamStmt,
    Plate,
    Prim,
    Require,
    Scan,
    SimDraw,
    SizeAtom,
    Stmt,
    SumOut,
    Var,
)
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.walk import walk as nodes_of

_used: Callable[[Any], frozenset[str]] = Memo(used_variables)


def _count(body: Block) -> Counter[str]:
    return Counter(n.id for n in nodes_of(body) if isinstance(n, Var))


_occurrences: Callable[[Block], Counter[str]] = Memo(_count)


_learned: Callable[[Model], frozenset[str]] = Memo(baselines.learned)


@dataclass
class Estimator:
    """What all walks of one estimate share. ``strategy``: the gradient strategy of a draw. ``replicates``: the plate of
    independent repetitions of the whole objective. ``minibatch``: plates of which a random part is used, by the
    name of their axis."""

    keys: Keys
    strategy: Callable[[str, Draw], Strategy]
    shared: SharedAxes = field(default_factory=SharedAxes)
    replicates: Axis | None = None
    leave_one_out: bool = False
    minibatch: Mapping[str, Axis] = field(default_factory=dict)


Value = Any  # Labelled | Terms | TraceValue | a measure


class Walk:
    """``given``: what is known of each draw (by its variable): such draws are scored. The others are made by their
    strategy, and ``made`` tells the expectation. ``plates``: those around; ``parts``: log densities, of what was drawn
    and of what was scored."""

    def __init__(
        self,
        estimator: Estimator,
        code: Code,
        outside: Frame,
        plates: tuple[Axis, ...],
        *,
        params: Mapping[str, Any] | None = None,
        given: dict[str, Labelled] | None = None,
        whole: Mapping[str, Labelled] | None = None,
        made: list[Made] | None = None,
    ):
        self.estimator, self.code, self.outside = estimator, code, outside
        self.around, self.plates = frozenset(plates), plates
        self.params = params or {}
        self.given = given if given is not None else {}
        self.whole = whole or {}
        self.made = made
        self.values: dict[str, Value] = {}
        self.ranges: dict[str, tuple[int, int]] = {}
        self.records: dict[str, Labelled] = {}
        self.parts: list[Labelled] = []
        self.dists: dict[str, Let] = {}
        self.chains: list[chains.Chain] = []  # around what is being walked
        self.series: dict[str, Labelled] = {}  # what ordered loops draw, in step with their times
        self.where: Labelled | None = None
        self.gates: list[tuple[frozenset[str], Labelled]] = []
        self.scoring = given is not None
        self.unscored: frozenset[str] = frozenset()  # auxiliary variables: drawn, and no part of the density
        self.fresh: frozenset[str] = frozenset()  # those that are drawn although the others are scored

    # --- values -------------------------------------------------------------------------------------------------------

    def read(self, atom: Atom) -> Value:
        if not isinstance(atom, Var):
            return plain(self.frame({}).read(atom))
        value = self.lookup(atom.id)
        if value is None:
            raise CompilerDefect(f"the variable {atom.id!r} has no value")
        return value

    def lookup(self, name: str) -> Value:
        value = self.values.get(name)
        if value is None:
            outer = self.outside.lookup(name)
            return None if outer is NOTHING else plain(outer)
        if isinstance(value, Terms):
            value = self._seen_here(value)
        return branches.gated(self, name, value)

    def _seen_here(self, value: Terms) -> Value:
        """A sum from outside of a plate is one value in each of its iterations."""
        if any(p in value.hidden for p in self.plates):
            return collapsed(value, linear=True) if value.exact else self._one(value)
        return replace(value, kept=value.kept | set(self.plates))

    def _one(self, value: Terms) -> Terms:
        """The same estimate as one part."""
        part = collapsed(replace(value, dims=()), linear=True) if not value.dims else None
        if part is None:
            raise EmissionError("an estimated array is used in a loop over what it was estimated from")
        return replace(scalar_terms(part, frozenset(self.plates)), exact=False)

    def array(self, atom: Atom, span: Span = NOWHERE) -> Labelled:
        """The value of an atom as one labelled array."""
        return self.settle_sum(self.read(atom), span)

    def settle_sum(self, value: Value, span: Span = NOWHERE) -> Labelled:
        if isinstance(value, (Labelled, Terms)):
            return collapsed(value, span)
        raise EmissionError("this value is a trace or a model: only sim, density and a field's name take it", span)

    def frame(self, values: Mapping[str, Any]) -> Frame:
        """A frame for ordinary evaluation, of plain values."""
        inner = Frame(self.outside)
        inner.values.update(values)
        inner.ranges.update(self.ranges)
        return inner

    def size(self, size: Size) -> int:
        return self.outside.size(size)

    def lifted(
        self, node: Any, function: Callable[..., Any], span: Span = NOWHERE, more: tuple[Labelled, ...] = ()
    ) -> Labelled:
        """``function`` of a frame that holds the variables that ``node`` uses, and of ``more``, over all their axes."""
        names = [n for n in sorted(_used(node)) if n in self.values]
        args = [self.settle_sum(self.lookup(n), span) for n in names]

        def run(*values: Any) -> Any:
            return function(self.frame(dict(zip(names, values, strict=False))), *values[len(names) :])

        return lift(run, *args, *more, span=span)

    def uses(self, node: Any) -> list[Deps]:
        """What the variables that ``node`` uses depend on."""
        values = (self.values[n] for n in sorted(_used(node)) if n in self.values)
        return [v.deps if isinstance(v, Labelled) else merged(p.deps for p in v.parts) for v in values]

    @property
    def replicates(self) -> Axis | None:
        """The plate whose other members give a baseline, if that was asked for."""
        return self.estimator.replicates if self.estimator.leave_one_out else None

    def inside(
        self,
        code: Code,
        outside: Frame,
        params: Mapping[str, Any],
        given: dict[str, Labelled] | None = None,
        whole: Mapping[str, Labelled] | None = None,
    ) -> Walk:
        """A walk over a guide or target of this one's expectation."""
        inner = Walk(
            self.estimator, code, outside, self.plates, params=params, given=given, whole=whole, made=self.made
        )
        inner.where = self.where
        return inner

    # --- statements ---------------------------------------------------------------------------------------------------

    def block(self, block: Block) -> tuple[Value, ...]:
        for statement in block.statements:
            try:
                self.execute(statement)
            except NotLocal as error:
                span = error.span if error.span != NOWHERE else statement.span
                raise NotLocal(error.choice, span, error.together) from None
        return tuple(self.read(r) for r in block.results)

    def execute(self, statement: Stmt) -> None:
        match statement:
            case Let():
                self.let(statement)
            case Draw():
                self.draw(statement)
            case SimDraw():
                measures.sim(self, statement)
            case Plate():
                loops.plate(self, statement)
            case Scan():
                ordered.scan(self, statement)
            case If() | Match():
                branches.branch(self, statement)
            case Observe() | Factor() | Require() if self.scoring:
                scored.condition(self, statement)
            case SumOut() | ForwardSum() if self.scoring:
                scored.evaluated(self, statement)
            case ParamStmt():
                self.values[statement.var.id] = plain(self.params[statement.site])
            case Output():
                pass
            case _:
                raise EmissionError(f"{type(statement).__name__} has no place in an expectation", statement.span)

    def let(self, statement: Let) -> None:
        op, name = statement.op, statement.var.id
        if self.outside.lookup(name) is not NOTHING:
            return
        if isinstance(op, Assemble) and _occurrences(self.code.model.body)[name] == 1:
            return
        if isinstance(op, MakeDist):
            self.dists[name] = statement
        self.values[name] = self.apply(statement, op)

    def apply(self, statement: Let, op: Any) -> Value:
        match op:
            case Prim():
                return linear.primitive(self, statement, op)
            case GetField(base=base, name=name) if isinstance(self.read(base), TraceValue):
                return self.read(base).site(name)
            case Assemble():
                return loops.assembled(self, statement, op)
            case Density():
                return measures.density(self, statement, op)
            case ExpectOp(body=body):
                return self.expect(body)
            case Marginal():
                return auxiliary.marginal(self, statement, op)
            case IndexOp():
                return loops.index(self, statement, op)
            case Map():
                return loops.comprehension(self, op)
        return self.ordinary(statement)

    def ordinary(self, statement: Let) -> Labelled:
        return self.lifted(statement.op, lambda frame: operations.apply(PURE, frame, statement), statement.span)

    def expect(self, body: Block) -> Terms:
        outer, self.made = self.made, []
        (result,) = self.block(body)
        kept = frozenset(self.plates)
        result, dims = self._by_element(result)
        exact = result.exact and all(m.exact for m in self.made)
        parts = expectation(list(result.parts), self.made, kept | set(dims))
        self.made = outer
        return Terms(tuple(parts), kept, dims, exact)

    def _by_element(self, result: Value) -> tuple[Terms, tuple[Axis, ...]]:
        """The result of an expectation: a sum; of an array, one for each element, along new axes."""
        kept = frozenset(self.plates)
        if isinstance(result, Terms) and not result.dims:
            return result, ()
        exact = getattr(result, "exact", True)
        value = settled(collapsed(result, linear=True))
        dims = tuple(Axis(n) for n in value.value.shape[: value.ndim]) if value.ndim else ()
        for axis in dims:
            value = named(value, axis)
        return replace(scalar_terms(value, kept), exact=exact), dims

    def draw(self, statement: Draw) -> None:
        name = statement.var.id
        if name in self.given:
            scored.given_draw(self, statement)
            return
        if self.scoring and statement.site not in self.fresh:
            self.values[name] = loops.undefined()
            return
        if self.made is None:
            raise EmissionError("a random variable is drawn outside of `expect`", statement.span)
        strategy = self.estimator.strategy(self.code.model.name, statement)
        result = strategy.make(self.drawing(statement))
        value = self.values[name] = result.value
        self.records[name] = Labelled(Recorded(value.value), value.axes, value.deps, value.dims)
        if self.where is not None:
            self._unless_taken(name, result.value, self.where)
        if statement.site not in self.unscored | self.fresh:
            self.add(result.log_density)

    def _unless_taken(self, name: str, value: Labelled, taken: Labelled) -> None:
        """A draw of a branch: what is recorded says whether it was made, and it is scored only if it was."""
        self.records[name] = lift(Recorded, value, taken)
        last = self.made[-1] if self.made else None
        if self.made and isinstance(last, Scored) and last.choice in value.deps:
            self.made[-1] = replace(last, log_density=branches.masked(self, last.log_density))

    def drawing(self, statement: Draw) -> Drawing:
        made = self.dists.get(getattr(statement.dist, "id", ""))
        op = made.op if made is not None and isinstance(made.op, MakeDist) and not made.op.batch else None
        arguments = dict(op.args) if op is not None else {}
        via = dict(statement.strategy.args) if statement.strategy is not None else {}
        assert self.made is not None
        return Drawing(
            draw=statement,
            dist=self.array(statement.dist, statement.span),
            plates=self.plates,
            key=self.estimator.keys.take(self.plates),
            made=self.made,
            sizes=self.code.sizes,
            shared=self.estimator.shared,
            chain=self.chains[-1] if self.chains else None,
            family=op.name if op is not None else "",
            arguments={n: self.array(a) for n, a in arguments.items()},
            fixed=frozenset(n for n, a in arguments.items() if isinstance(a, (Lit, SizeAtom))),
            baseline=self.array(via["baseline"]) if "baseline" in via else None,
            replicates=self.replicates,
            learn=self.learns(statement),
        )

    def learns(self, draw: Draw) -> bool:
        """Whether the baseline of the draw is fitted to its cost."""
        return draw.var.id in _learned(self.code.model)

    def add(self, part: Labelled | None) -> None:
        """A log density, in each iteration of the plates around it."""
        if part is None:
            return
        part = branches.masked(self, part)
        part = replace(part, value=jnp.asarray(part.value, float))
        self.parts.append(along(part, tuple(p for p in self.plates if p not in self.around)))
