"""The IR as text: one statement a line, deterministic, for people and for golden tests."""

from __future__ import annotations

from collections.abc import Iterator

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.operations import atom, operation
from ppl.compiler.ir.types import UNIT

_INDENT = "  "


def print_program(program: ir.Program, model: str | None = None, *, levels: bool = False) -> str:
    """All declarations, or only the model called ``model``. ``levels`` adds each value's level: ``mu: real
    @continuous``."""
    p = _Printer(levels)
    if model is not None:
        return "\n".join(p.model(program.model(model))) + "\n"
    parts = [[p.sum_type(s)] for s in program.sums]
    parts += [p.body(f"const {p.typed(var)}", block) for var, block in program.constants]
    parts += [p.function(f) for f in program.functions]
    parts += [p.dist(d) for d in program.dists]
    parts += [p.model(m) for m in program.models]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def print_block(block: ir.Block, indent: int = 0, *, levels: bool = False) -> str:
    """The statements of a block and its results, without braces."""
    return "\n".join(_INDENT * indent + line for line in _Printer(levels).block(block))


def print_statement(stmt: ir.Stmt) -> str:
    return "\n".join(_Printer(False).statement(stmt))


class _Printer:
    def __init__(self, levels: bool):
        self.levels = levels

    # declarations

    def sum_type(self, s: ir.SumInfo) -> str:
        cases = [c.name + (f"({', '.join(map(str, c.args))})" if c.args else "") for c in s.constructors]
        return f"type {s.name} = {' | '.join(cases)}"

    def model(self, m: ir.Model) -> list[str]:
        head = f"{m.kind} {m.name}{_sizes(m.sizes)}({self.params(m.params)})"
        head += f" for {m.guide_for}" if m.guide_for else ""
        head += f" -> {m.result}" if m.result not in (None, UNIT) else ""
        lines = [f"# {s.role} {s.name}: {s.type}{f' over {list(s.axes)}' if any(s.axes) else ''}" for s in m.sites]
        lines += [f"# require {c.left} {c.relation} {c.right}: {c.reason}" for c in m.size_checks]
        return lines + self.body(head, m.body)

    def function(self, f: ir.Function) -> list[str]:
        head = f"fn {f.name}{_sizes(f.sizes)}({self.params(f.params)}) -> {f.result}"
        return self.body(head, f.body) if f.body is not None else [f"extern {head} from {f.source!r}"]

    def dist(self, d: ir.UserDist) -> list[str]:
        lines = [f"dist {d.name}{_sizes(d.sizes)}({self.params(d.params)}) over {d.event} {{"]
        if d.logpdf is not None and d.value is not None:
            lines += [_INDENT + line for line in self.body(f"logpdf({self.typed(d.value)})", d.logpdf)]
        if d.sample is not None:
            lines += [_INDENT + line for line in self.body("sample", d.sample)]
        return [*lines, "}"]

    def params(self, params: tuple[ir.Parameter, ...]) -> str:
        return ", ".join(self.param(p) for p in params)

    def param(self, p: ir.Parameter) -> str:
        text = f"{p.var.id}: {'size' if p.is_size else p.var.type}{'?' if p.missing else ''}"
        return text + (f" = {{ {'; '.join(self.block(p.default))} }}" if p.default is not None else "")

    def body(self, head: str, block: ir.Block) -> list[str]:
        return [head + " {", *(_INDENT + line for line in self.block(block)), "}"]

    # blocks and statements

    def block(self, block: ir.Block) -> list[str]:
        lines = [line for stmt in block.statements for line in self.statement(stmt)]
        return lines + ([f"return {', '.join(map(atom, block.results))}"] if block.results else [])

    def typed(self, var: ir.Var) -> str:
        return f"{var.id}: {var.type}" + (f" @{var.level.name.lower()}" if self.levels else "")

    def typed_list(self, variables: tuple[ir.Var, ...]) -> str:
        return ", ".join(map(self.typed, variables))

    def statement(self, stmt: ir.Stmt) -> list[str]:
        match stmt:
            case ir.Let(var, op):
                return self.let(var, op)
            case ir.Draw():
                role = "absent " if stmt.absent else "" if stmt.role is ir.Role.LATENT else f"{stmt.role} "
                via = f" via {stmt.strategy.name}" if stmt.strategy else ""
                missing = " missing" if stmt.missing else ""
                return [f"{self.typed(stmt.var)} = draw {role}{_address(stmt)} {atom(stmt.dist)}{via}{missing}"]
            case ir.SimDraw(trace, log_density, guide):
                return [f"{self.typed(trace)}, {self.typed(log_density)} = sim {atom(guide)}"]
            case ir.Observe(value, dist):
                return [f"observe {atom(value)} {atom(dist)}"]
            case ir.Factor(value):
                return [f"factor {atom(value)}"]
            case ir.Require(condition):
                return [f"require {atom(condition)}"]
            case ir.Output(name, value):
                return [f'output "{name}" = {atom(value)}']
            case ir.ParamStmt(var, site, init):
                return [f'{self.typed(var)} = param "{site}" {atom(init)}']
            case ir.If(condition, then, otherwise, results):
                lines = self.body(self.results(results) + f"if {atom(condition)}", then)
                return lines if otherwise == ir.Block(()) else [*lines[:-1], *self.body("} else", otherwise)]
            case ir.Match(subject, cases, results):
                lines = [self.results(results) + f"match {atom(subject)} {{"]
                for case in cases:
                    lines += [_INDENT + line for line in self.body(self.case(case), case.body)]
                return [*lines, "}"]
            case ir.Plate() | ir.For() | ir.Scan():
                return self.loop(stmt)
            case ir.SumOut(var, values, body, results):
                return self.body(self.results(results) + f"sum over {var.id} in {_values(values)}", body)
            case ir.ForwardSum():
                return self.forward_sum(stmt)
        raise TypeError(f"not a statement: {stmt!r}")

    def let(self, var: ir.Var, op: ir.Op) -> list[str]:
        head = f"{self.typed(var)} = "
        match op:
            case ir.Map():
                return self.body(f"{head}map {_range(op)}{_mapped(op.mapped)}", op.body)
            case ir.Closure(params, body, recursive):
                name = f" {recursive.id}" if recursive else ""
                return self.body(f"{head}fn{name}({self.typed_list(params)})", body)
            case ir.InferOp(body, method, seed) | ir.LogEvidence(body, method, seed):
                word = "infer" if isinstance(op, ir.InferOp) else "log evidence"
                lines = self.body(f"{head}{word}", body)
                by = f" by {operation(method)}" if method else ""
                return [*lines[:-1], "}" + by + (f" seed {atom(seed)}" if seed else "")]
            case ir.ExpectOp(body):
                return self.body(f"{head}expect", body)
        return [head + operation(op)]

    def results(self, results: tuple[ir.Var, ...]) -> str:
        return f"{self.typed_list(results)} = " if results else ""

    def case(self, case: ir.Case) -> str:
        if case.constructor is None:
            return "_ =>"
        return case.constructor + (f"({self.typed_list(case.binders)})" if case.binders else "") + " =>"

    def loop(self, stmt: ir.Plate | ir.For | ir.Scan) -> list[str]:
        word = type(stmt).__name__.lower()
        axis = f" axis {stmt.axis}" if stmt.axis and stmt.axis != stmt.index.id else ""
        lines = self.body(f"{word} {_range(stmt)}{axis}{_mapped(getattr(stmt, 'mapped', ()))}", stmt.body)
        for w in stmt.windows if isinstance(stmt, ir.For) else ():
            init = ", ".join("any" if i is None else atom(i) for i in w.init)
            lines[0] = f'{lines[0][:-2]} window "{w.site}" ({init}; {atom(w.value)}) {{'
        return self.with_carries(lines, getattr(stmt, "carries", ()), stmt.stacked)

    def with_carries(
        self, lines: list[str], carries: tuple[ir.Carry, ...], stacked: tuple[ir.Stacked, ...]
    ) -> list[str]:
        if carries:
            lines[0] = lines[0][:-2] + f" carry ({', '.join(self.carry(c) for c in carries)}) {{"
        if stacked:
            lines[-1] += f" stacked ({', '.join(f'{s.var.id} = {atom(s.value)}' for s in stacked)})"
        return lines

    def carry(self, c: ir.Carry) -> str:
        lag = f' lag "{c.lag[0]}" {c.lag[1]}' if c.lag else ""
        return f"{self.typed(c.var)} = {atom(c.init)}; {atom(c.next)}{f'; {c.final.id}' if c.final else ''}{lag}"

    def forward_sum(self, s: ir.ForwardSum) -> list[str]:
        head = f"forward sum over {s.first.id}, {s.previous.id} -> {s.var.id} in {_values(s.values)}"
        start = self.body(self.results(s.results) + head, s.start)
        step = self.body(f"}} then {_range(s)}{_mapped(s.mapped)}", s.body)
        return start[:-1] + self.with_carries(step, s.carries, s.stacked)


def _sizes(sizes: tuple[str, ...]) -> str:
    return f"[{', '.join(sizes)}]" if sizes else ""


def _address(stmt: ir.Draw) -> str:
    if not stmt.indices:
        return f'"{stmt.site}"'
    shown = stmt.affine if len(stmt.affine) == len(stmt.indices) else map(atom, stmt.indices)
    return f'"{stmt.site}"[{", ".join(map(str, shown))}]'


def _range(loop) -> str:
    return f"{loop.index.id} in {loop.lower}..{loop.upper}"


def _mapped(mapped: tuple[ir.MappedRead, ...]) -> str:
    return f" mapped ({', '.join(_reads(mapped))})" if mapped else ""


def _reads(mapped: tuple[ir.MappedRead, ...]) -> Iterator[str]:
    for m in mapped:
        offset = str(m.offset)
        shift = "" if offset == "0" else f" - {offset[1:]}" if offset.startswith("-") else f" + {offset}"
        yield f"{m.var.id} = {atom(m.array)}[_{shift}]"


def _values(values: ir.FiniteValues) -> str:
    if values.table is not None:
        return atom(values.table)
    return f"{values.first}..{values.first + values.count}"
