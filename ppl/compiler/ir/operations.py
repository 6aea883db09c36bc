"""Atoms and operations as text. Blocks inside operations (``Map``, closures, ``infer``) are the printer's."""

from __future__ import annotations

from ppl.compiler.ir import nodes as ir

_INFIX = frozenset("+ - * / % ^ @ < <= > >= == != and or".split())


def atom(a: ir.Atom) -> str:
    match a:
        case ir.Var(id=name):
            return name
        case ir.Lit(bool() as value):
            return "true" if value else "false"
        case ir.Lit(value):
            return repr(value)
        case ir.SizeAtom(size):
            return str(size) if len(size.terms) <= 1 else f"({size})"
        case ir.FunctionRef(name) | ir.ModelRef(name):
            return name
    raise TypeError(f"not an atom: {a!r}")


def _list(atoms) -> str:
    return ", ".join(map(atom, atoms))


def _named(pairs, separator: str = "=") -> str:
    return ", ".join(f"{name}{separator}{atom(a)}" for name, a in pairs)


def _sizes(sizes) -> str:
    return f"[{', '.join(f'{n}={s}' for n, s in sizes)}]" if sizes else ""


def operation(op: ir.Op | ir.Method) -> str:
    match op:
        case ir.Prim("copy", (a,)):
            return atom(a)
        case ir.Prim("neg", (a,)):
            return f"-{atom(a)}"
        case ir.Prim(name, (a, b)) if name in _INFIX:
            return f"{atom(a)} {name} {atom(b)}"
        case ir.Prim(name, args):
            return f"{name}({_list(args)})"
        case ir.Call(function, args, sizes):
            return f"call {atom(function)}{_sizes(sizes)}({_list(args)})"
        case ir.MakeDist(name, args, batch, sizes):
            copies = f" batch [{', '.join(map(str, batch))}]" if batch else ""
            return f"{name}{_sizes(sizes)}({_named(args)}){copies}"
        case ir.ApplyModel(model, args, sizes):
            return f"{atom(model)}{_sizes(sizes)}({_named(args)})"
        case ir.GivenOp(target=target, fields=fields):
            return f"{atom(target)} given {{{_named(fields, ' = ')}}}"
        case ir.Marginal(target, keep, method):
            by = f", by = {operation(method)}" if method else ""
            return f"marginal({atom(target)}, keep = ({', '.join(keep)}){by})"
        case ir.DeriveSeed(seed, path):
            return f"seed {_list((seed, *path))}"
        case ir.Particles(dist, part, index):
            return f"particle {part} of {atom(dist)}" + ("" if index is None else f" at {atom(index)}")
        case ir.Method(name, args, kwargs):
            return f"{name}({', '.join(filter(None, (_list(args), _named(kwargs))))})"
        case ir.Density(target, trace):
            return f"density({atom(target)}, {atom(trace)})"
        case ir.LogProb(dist, value, kind):
            return f"{kind}({atom(dist)}, {atom(value)})"
        case ir.MakeTuple(elements):
            return f"({_list(elements)}{',' if len(elements) == 1 else ''})"
        case ir.GetItem(base, position):
            return f"{atom(base)}.{position}"
        case ir.MakeRecord(fields):
            return f"{{{_named(fields, ' = ')}}}"
        case ir.GetField(base, name):
            return f"{atom(base)}.{name}"
        case ir.MakeArray(elements):
            return f"[{_list(elements)}]"
        case ir.MakeSum(constructor, args):
            return constructor + (f"({_list(args)})" if args else "")
        case ir.IndexOp(base, subscripts, checked):
            return f"{atom(base)}[{', '.join(map(_subscript, subscripts))}]" + ("" if checked else " guarded")
        case ir.Lag(site, distance, loop):
            return f'lag "{site}" {distance} of {loop}'
        case ir.Assemble(site, pieces):
            return f'assemble "{site}" [{"; ".join(map(_piece, pieces))}]'
    raise TypeError(f"not an operation without blocks: {op!r}")


def _subscript(s: ir.Atom | ir.SliceAtom) -> str:
    if isinstance(s, ir.SliceAtom):
        return ":" if s.lower is None and s.upper is None else f"{s.lower or 0}..{'' if s.upper is None else s.upper}"
    return atom(s)


def _piece(p: ir.Piece) -> str:
    return f"{', '.join(f'{lo}..{hi}' for lo, hi in p.ranges)}: {atom(p.value)}"
