"""A JSON Schema (draft 2020-12) for the data of a model: what a data file may hold."""

from __future__ import annotations

from math import isfinite
from typing import Any

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import supports as S
from ppl.compiler.ir import types as T
from ppl.compiler.ir.sizes import Size

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def data_schema(model: ir.Model) -> dict[str, Any]:
    """Parameters without a default are required; sizes that depend on the data are said in the descriptions."""
    properties: dict[str, Any] = {}
    for p in model.params:
        if p.is_size:
            properties[p.name] = {"type": "integer", "minimum": 0}
        elif not isinstance(T.element(p.var.type), T.Function | T.Dist | T.Target | T.Guide | T.Trace):
            properties[p.name] = _described(_schema(p.var.type, p.var.support, p.missing), p.var.type, p.doc)
    for s in model.sites:
        if s.role is ir.Role.DATA:
            properties.setdefault(s.name, _described(_schema(s.type, s.support, s.missing), s.type, s.doc))
    for name in model.sizes:
        properties.setdefault(name, {"type": "integer", "minimum": 0, "description": "a size, found from the arrays"})
    required = [p.name for p in model.params if p.default is None and p.name in properties]
    return {"$schema": DIALECT, "type": "object", "properties": properties, "required": required}


def _described(schema: dict[str, Any], t: T.Type, doc: str | None) -> dict[str, Any]:
    return {**schema, "description": f"{t}" + (f": {doc}" if doc else "")}


def _schema(t: T.Type, support: S.Support, missing: bool) -> dict[str, Any]:
    inner = _element(T.element(t), support)
    if missing:
        inner = {"anyOf": [inner, {"type": "null"}]}
    for size in reversed(T.shape(t)):
        fixed = {} if size.value is None else {"minItems": size.value, "maxItems": size.value}
        inner = {"type": "array", "items": inner, **fixed}
    return inner


def _element(t: T.Type, support: S.Support) -> dict[str, Any]:
    match t:
        case T.Record(fields):
            parts = {n: _schema(f, S.ANYTHING, False) for n, f in fields}
            return {"type": "object", "properties": parts, "required": list(parts)}
        case T.Tuple(elements):
            items = [_schema(e, S.ANYTHING, False) for e in elements]
            return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
        case T.Sum():
            tagged = {"type": "object", "properties": {"tag": {"type": "string"}, "args": {"type": "array"}}}
            return {"anyOf": [{"type": "string"}, tagged]}
        case T.Scalar("bool"):
            return {"anyOf": [{"type": "boolean"}, {"enum": [0, 1]}]}
        case T.IndexType(size):
            return {"type": "integer", "minimum": 0, **({} if size.value is None else {"exclusiveMaximum": size.value})}
        case T.Scalar("int"):
            return {"type": "integer", **_range(support)}
        case _:
            return {"type": "number", **_range(support)}


def _range(support: S.Support) -> dict[str, Any]:
    """Bounds that are known numbers."""
    bounds: dict[str, Any] = {}
    match support:
        case S.Interval():
            if isfinite(support.lower):
                bounds["exclusiveMinimum" if support.lower_open else "minimum"] = support.lower
            if isfinite(support.upper):
                bounds["exclusiveMaximum" if support.upper_open else "maximum"] = support.upper
        case S.Integers():
            lower, upper = _number(support.lower), _number(support.upper)
            bounds = {k: v for k, v in (("minimum", lower), ("maximum", upper)) if v is not None}
        case S.Finite():
            bounds["enum"] = list(support.values)
    return bounds


def _number(bound: int | Size | None) -> int | None:
    return bound.value if isinstance(bound, Size) else bound
