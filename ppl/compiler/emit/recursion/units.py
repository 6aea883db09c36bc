"""The functions of one recursive group, each with the sizes with which it is applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.recursion import applies

_INSTANCES = 32


@dataclass(frozen=True)
class Unit:
    """One function. ``sizes``: the values of the size variables that its body reads. Equal by name and sizes."""

    name: str
    key: tuple[tuple[str, int], ...]
    params: tuple[ir.Parameter, ...] = field(compare=False)
    body: ir.Block = field(compare=False, repr=False)
    recursive: Callable[[ir.Stmt], bool] = field(compare=False, repr=False)

    @property
    def sizes(self) -> dict[str, int]:
        return dict(self.key)


class Units:
    """How the group is told apart in calls: ``functions`` by name, or the closure that ``own`` stands for."""

    def __init__(self, functions: Mapping[str, ir.Function], own: ir.Closure | None = None):
        self.functions, self.own = functions, own
        self.names = frozenset(functions)
        self.mark = own.recursive.id if own is not None and own.recursive is not None else None
        self.made = 0

    def is_recursive(self, s: ir.Stmt) -> bool:
        return applies(s, self.names, self.mark)

    def function(self, function: ir.Function, sizes: Mapping[str, int]) -> Unit:
        if function.body is None:
            raise EmissionError(f"the extern function {function.name} cannot be recursive", function.span)
        return Unit(
            function.name, tuple(sorted(sizes.items())), function.params, function.body, memo(self.is_recursive)
        )

    def closure(self, sizes: Mapping[str, int]) -> Unit:
        assert self.own is not None
        name = self.own.recursive.id if self.own.recursive is not None else "fn"
        params = tuple(ir.Parameter(v.id, v) for v in self.own.params)
        return Unit(name, tuple(sorted(sizes.items())), params, self.own.body, memo(self.is_recursive))

    def callee(self, caller: Unit, call: ir.Call) -> Unit:
        """The unit that ``call`` in the body of ``caller`` applies. EmissionError where sizes go on changing."""
        if not isinstance(call.function, ir.FunctionRef):
            return caller
        declared = self.functions[call.function.name]
        sizes = {name: size.evaluate(caller.sizes) for name, size in call.sizes}
        for p, atom in zip(declared.params, call.args, strict=False):
            if p.is_size:
                sizes[p.var.id] = _static(atom, caller.sizes, declared)
        found = self.function(declared, sizes)
        self.made += 1
        if found != caller and self.made > _INSTANCES:
            raise EmissionError(
                f"the sizes in `{declared.name}` change from one application to the next, too often to compile each",
                declared.span,
                helps=("pass the whole array and an index: `f(x, i + 1)`",),
            )
        return found


def _static(atom: ir.Atom, sizes: Mapping[str, int], declared: ir.Function) -> int:
    if isinstance(atom, ir.SizeAtom):
        return atom.size.evaluate(sizes)
    if isinstance(atom, ir.Lit) and isinstance(atom.value, int):
        return atom.value
    raise EmissionError(
        f"a size parameter of the recursive function `{declared.name}` is not known while compiling",
        declared.span,
        helps=("declare it as an `int`",),
    )


def memo(function: Callable[[ir.Stmt], bool]) -> Callable[[ir.Stmt], bool]:
    """The answers by node object: statements are asked again and again while a body is cut."""
    known: dict[int, tuple[ir.Stmt, bool]] = {}

    def asked(s: ir.Stmt) -> bool:
        found = known.get(id(s))
        if found is None or found[0] is not s:
            found = known[id(s)] = (s, function(s))
        return found[1]

    return asked
