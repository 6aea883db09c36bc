"""What a program declares, as JSON data: ``ppl info``."""

from __future__ import annotations

from typing import Any

from ppl.api.schema import data_schema
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as T
from ppl.compiler.ir.supports import Support


def describe(program: ir.Program) -> dict[str, Any]:
    """Models (guides and objectives with their kind), functions, distributions and sum types."""
    return {
        "models": [_model(m) for m in program.models],
        "functions": [
            {
                "name": f.name,
                "sizes": list(f.sizes),
                "parameters": [_parameter(p) for p in f.params],
                "result": str(f.result),
                "extern": f.body is None,
            }
            for f in program.functions
        ],
        "distributions": [
            {
                "name": d.name,
                "parameters": [_parameter(p) for p in d.params],
                "event": str(d.event),
                "support": str(d.support),
            }
            for d in program.dists
        ],
        "types": [
            {
                "name": s.name,
                "recursive": s.recursive,
                "constructors": [{"name": c.name, "arguments": [str(a) for a in c.args]} for c in s.constructors],
            }
            for s in program.sums
        ],
    }


def _model(m: ir.Model) -> dict[str, Any]:
    return {
        "name": m.name,
        "kind": m.kind,
        "doc": m.doc,
        "sizes": list(m.sizes),
        "parameters": [_parameter(p) for p in m.params],
        "data": [_site(s) for s in m.sites if s.role is ir.Role.DATA],
        "random_variables": [_site(s) for s in m.sites if s.role is not ir.Role.DATA],
        "outputs": [{"name": n, **_type(t)} for n, t in m.outputs],
        "returns": None if m.result is None or m.result == T.UNIT else str(m.result),
        "calls": sorted(m.calls),
        "guide_for": m.guide_for,
        "recursive": m.recursive,
        **({"data_schema": data_schema(m)} if m.kind == "model" else {}),
    }


def _parameter(p: ir.Parameter) -> dict[str, Any]:
    shown = {"type": "size", "element": "size", "shape": []} if p.is_size else _type(p.var.type)
    return {
        "name": p.name,
        **shown,
        "support": _support(p.var.support),
        "required": p.default is None,
        "missing_allowed": p.missing,
        "doc": p.doc,
    }


def _site(s: ir.SiteInfo) -> dict[str, Any]:
    return {
        "name": s.name,
        **_type(s.type),
        "support": _support(s.support),
        "discrete": s.discrete,
        "axes": list(s.axes),
        "missing_allowed": s.missing,
        "role": str(s.role),
        "doc": s.doc,
    }


def _type(t: T.Type) -> dict[str, Any]:
    return {"type": str(t), "element": str(T.element(t)), "shape": [str(n) for n in T.shape(t)]}


def _support(s: Support) -> str:
    return str(s)
