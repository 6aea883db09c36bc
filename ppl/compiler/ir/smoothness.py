"""Where a value stops following a draw smoothly, and which supports move: what gradient strategies need to know.

A forward flow over the typed IR. A value *follows* the draw if it changes with it smoothly; it is *broken* where a
comparison, rounding, index or branch stands between: its pathwise derivative misses the jumps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.builtins import BUILTINS
from ppl.compiler.ir.types import INT, REAL, element
from ppl.compiler.ir.walk import statements, walk

MEASURE_VALUED = (
    "Normal",
    "Bernoulli",
    "BernoulliLogit",
    "Poisson",
    "Exponential",
    "Gamma",
    "Weibull",
    "Geometric",
    "Binomial",
    "Uniform",
)
#: Distributions whose sampler is differentiable by the parameters (Gamma and its kin, von Mises, mixtures: implicitly).
PATHWISE = frozenset(
    "Normal StudentT Cauchy Laplace Logistic Gumbel LogNormal HalfNormal HalfCauchy HalfStudentT Exponential Gamma "
    "InverseGamma ChiSquared Weibull Pareto Beta BetaMean Uniform Dirichlet MultiNormal MultiNormalChol "
    "MultiNormalPrec MultiStudentT LKJCholesky GaussianRandomWalk Delta iid transformed truncated ordered "
    "mixture VonMises".split()
)

NO_PATH = ("ZeroInflated", "Flat", "infer")

Break = tuple[Span, str]  # where and by what
_SUPPORT_ARGS = {
    "Uniform": ("low", "high"),
    "Pareto": ("scale",),
    "truncated": ("lower", "upper"),
    "DiscreteUniform": ("low", "high"),
}
_CONDITIONS = (ir.Draw, ir.Observe, ir.Factor, ir.Require)


def discontinuity(program: ir.Program, model: ir.Model, partner: ir.Model | None, draw: ir.Draw) -> str | None:
    """What the draw reaches that a pathwise derivative does not see: in its own body, then in the model of its guide.
    None where it reaches nothing of the kind."""
    found = reaches(program, model.body, {draw.var.id})
    if found is None and partner is not None:
        same = {s.var.id for s in statements(partner.body) if isinstance(s, ir.Draw) and s.site == draw.site}
        found = reaches(program, partner.body, same)
    return found[1] if found is not None else None


@dataclass
class _Flow:
    program: ir.Program
    follows: set[str] = field(default_factory=set)
    broken: dict[str, Break] = field(default_factory=dict)
    closures: dict[str, ir.Closure] = field(default_factory=dict)
    windows: dict[str, str] = field(default_factory=dict)  # lagged variable by site
    active: set[str] = field(default_factory=set)
    through_draws: bool = False  # whether every continuous draw follows its distribution
    found: Break | None = None

    def touched(self, node) -> bool:
        return any(v.id in self.follows or v.id in self.broken for v in walk(node) if isinstance(v, ir.Var))

    def break_in(self, node) -> Break | None:
        return next((self.broken[v.id] for v in walk(node) if isinstance(v, ir.Var) and v.id in self.broken), None)

    def copy_to(self, target: ir.Var, source) -> None:
        b = self.break_in(source)
        if b is not None:
            self.broken.setdefault(target.id, b)
        if self.touched(source):
            self.follows.add(target.id)

    def hit(self, b: Break | None) -> None:
        self.found = self.found or b

    def block(self, block: ir.Block) -> None:
        for stmt in block.statements:
            self.statement(stmt)

    def statement(self, stmt: ir.Stmt) -> None:
        match stmt:
            case ir.Let():
                self.let(stmt)
            case ir.Draw():
                self.hit(self.break_in(stmt.dist))
                self.hit(self.break_in(stmt.indices))
                pathwise = stmt.strategy is not None and stmt.strategy.name == "reparam"
                pathwise = pathwise or (self.through_draws and element(stmt.var.type) == REAL)
                if pathwise:
                    self.copy_to(stmt.var, stmt.dist)
            case ir.Observe() | ir.Factor() | ir.Require():
                self.hit(
                    self.break_in(
                        (stmt.condition,)
                        if isinstance(stmt, ir.Require)
                        else (stmt.value, *([stmt.dist] if isinstance(stmt, ir.Observe) else []))
                    )
                )
            case ir.If():
                self.branch(stmt, stmt.condition, (stmt.then, stmt.otherwise))
            case ir.Match():
                for c in stmt.cases:
                    for b in c.binders:
                        self.copy_to(b, stmt.subject)
                self.branch(stmt, stmt.subject, tuple(c.body for c in stmt.cases))
            case ir.Plate() | ir.For() | ir.Scan():
                self.loop(stmt)

    def branch(self, stmt: ir.If | ir.Match, header: ir.Atom, blocks: tuple[ir.Block, ...]) -> None:
        jump: Break | None = None
        if self.touched(header):
            jump = self.break_in(header) or (stmt.span, "a branch")
            if any(isinstance(s, _CONDITIONS) for b in blocks for s in statements(b)):
                self.hit(jump)
        for b in blocks:
            self.block(b)
        for n, var in enumerate(stmt.results):
            for b in blocks:
                if n < len(b.results):
                    self.copy_to(var, b.results[n])
            if jump is not None:
                self.broken.setdefault(var.id, jump)

    def loop(self, stmt: ir.Plate | ir.For | ir.Scan) -> None:
        for m in getattr(stmt, "mapped", ()):
            self.copy_to(m.var, m.array)
        carries = getattr(stmt, "carries", ())
        for c in carries:
            self.copy_to(c.var, c.init)
        for w in getattr(stmt, "windows", ()):
            for init in w.init:
                if init is not None and self.touched(init):
                    self.follows.add(f"window {w.site}")
        for _ in range(2):  # a second time for what earlier iterations hand on
            self.block(stmt.body)
            for c in carries:
                self.copy_to(c.var, c.next)
            for w in getattr(stmt, "windows", ()):
                if self.touched(w.value):
                    self.follows.add(f"window {w.site}")
        for c in carries:
            if c.final is not None:
                self.copy_to(c.final, (c.next, c.init))
        for s in stmt.stacked:
            self.copy_to(s.var, s.value)

    def let(self, stmt: ir.Let) -> None:
        op, var = stmt.op, stmt.var
        match op:
            case ir.Prim(name, args):
                self.copy_to(var, args)
                builtin = BUILTINS.get(name)
                if (
                    builtin is not None
                    and not builtin.smooth
                    and name not in ("real", "copy")
                    and self.touched(args)
                    and var.id not in self.broken
                ):
                    if any(element(a.type) != INT for a in args if isinstance(a, ir.Var)):
                        self.broken[var.id] = (stmt.span, _what(name))
            case ir.IndexOp(base, subscripts):
                self.copy_to(var, base)
                if any(self.touched(s) for s in subscripts if isinstance(s, ir.Var)):
                    self.broken.setdefault(
                        var.id,
                        self.break_in(tuple(s for s in subscripts if isinstance(s, ir.Var))) or (stmt.span, "an index"),
                    )
            case ir.Lag(site):
                if f"window {site}" in self.follows:
                    self.follows.add(var.id)
            case ir.Closure():
                self.closures[var.id] = op
                self.copy_to(var, op.body)
            case ir.Call(function, args):
                self.call(stmt, function, args)
            case ir.Map():
                for m in op.mapped:
                    self.copy_to(m.var, m.array)
                self.block(op.body)
                self.copy_to(var, op.body.results)
            case ir.InferOp() | ir.ExpectOp():
                self.block(op.body)
                self.copy_to(var, op.body)
                if isinstance(op, ir.ExpectOp):
                    self.hit(self.break_in(op.body.results))
            case _:
                self.copy_to(var, op)

    def call(self, stmt: ir.Let, function: ir.Atom, args: tuple[ir.Atom, ...]) -> None:
        self.copy_to(stmt.var, args)
        body: ir.Block | None = None
        params: tuple[ir.Var, ...] = ()
        if isinstance(function, ir.FunctionRef):
            declared = next((f for f in self.program.functions if f.name == function.name), None)
            if declared is not None and declared.body is not None:
                body, params = declared.body, tuple(p.var for p in declared.params)
        elif isinstance(function, ir.Var):
            self.copy_to(stmt.var, function)
            closure = self.closures.get(function.id)
            if closure is not None:
                body, params = closure.body, closure.params
        name = getattr(function, "name", getattr(function, "id", ""))
        if body is None or name in self.active or not self.touched((*args, function)):
            return
        inner = _Flow(
            self.program,
            set(self.follows),
            dict(self.broken),
            dict(self.closures),
            dict(self.windows),
            self.active | {name},
            self.through_draws,
        )
        for p, a in zip(params, args, strict=False):
            inner.copy_to(p, a)
        inner.block(body)
        b = inner.break_in(body.results)
        if b is not None:
            self.broken.setdefault(stmt.var.id, b)


def _what(name: str) -> str:
    return "a comparison" if name in ("<", "<=", ">", ">=", "==", "!=") else f"`{name}`"


def reaches(program: ir.Program, body: ir.Block, starts: set[str]) -> Break | None:
    """The discontinuity that the draws reach before a density, if there is one."""
    if not starts:
        return None
    flow = _Flow(program, set(starts))
    flow.block(body)
    return flow.found


def moving_support(program: ir.Program, model: ir.Model, draw: ir.Draw) -> Break | None:
    """The argument of the draw's distribution that sets its support and depends on a learnable parameter, be it through
    continuous draws: the arguments of an objective count as such, for a derivative may be asked by them. None also
    where the strategy of the draw takes account of it (``mvd`` of a uniform variable)."""
    found = {s.var.id for s in statements(model.body) if isinstance(s, ir.ParamStmt)}
    if model.kind == "objective":
        found |= {p.var.id for p in model.params if element(p.var.type) == REAL}
    flow = _Flow(program, found, through_draws=True)
    flow.block(model.body)
    lets = {s.var.id: s for s in statements(model.body) if isinstance(s, ir.Let)}
    let = lets.get(draw.dist.id) if isinstance(draw.dist, ir.Var) else None
    while let is not None and isinstance(let.op, ir.MakeDist):
        args = dict(let.op.args)
        if let.op.name == "Uniform" and draw.strategy is not None and draw.strategy.name == "mvd":
            return None
        for name in _SUPPORT_ARGS.get(let.op.name, ()):
            if name in args and flow.touched(args[name]):
                return (let.span if let.span != NOWHERE else draw.span, f"`{name}`")
        inner = args.get("D")
        let = lets.get(inner.id) if isinstance(inner, ir.Var) else None
    return None
