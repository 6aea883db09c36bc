"""The parts of the documentation made from tables of the program: ``python -m tests.docs.generated`` writes them.

A page holds ``<!-- generated: NAME -->`` before such a part and ``<!-- end -->`` behind it."""

from __future__ import annotations

import re
from dataclasses import MISSING

from ppl.compiler.diagnostics.codes import CODES
from ppl.compiler.ir.builtins import BUILTINS, Builtin
from ppl.compiler.ir.distributions import DISTRIBUTIONS, DistSignature
from ppl.compiler.ir.supports import REALS
from ppl.inference.methods.base import Method
from ppl.inference.methods.registry import lookup, names
from tests.docs.blocks import DOCS

_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.S)

FAMILIES = {
    "E0": "Syntax",
    "E1": "Names, declarations and imports",
    "E2": "Types, sizes and calls",
    "E3": "Random variables",
    "E4": "Supports",
    "E5": "Guides and gradient strategies",
    "E6": "Accepted, but not executable yet",
    "E7": "Data",
    "E8": "The command line",
    "E9": "Numerical trouble",
    "W1": "Warnings about models",
    "W7": "Warnings about data",
}


def diagnostics() -> str:
    """Every code with its title and text, by family."""
    lines: list[str] = []
    for family in dict.fromkeys(code[:2] for code in CODES):
        lines += [f"## {family}: {FAMILIES[family]}", "", "| code | meaning | |", "|---|---|---|"]
        lines += [f"| {c} | **{_cell(x.title)}** | {_cell(x.text)} |" for c, x in CODES.items() if c.startswith(family)]
        lines.append("")
    return "\n".join(lines)


def distributions() -> str:
    """Every distribution with what it draws and the condition on its parameters."""
    return _distribution_table(d for d in DISTRIBUTIONS.values() if not d.combinator)


def combinators() -> str:
    return _distribution_table(d for d in DISTRIBUTIONS.values() if d.combinator)


def methods() -> str:
    """Every inference method with what it is and what it claims."""
    rows = [f"| `{m.name}` | {_cell(m.summary)} | {_needs(m)} | {m.claim.title} |" for m in _methods()]
    return "\n".join(["| method | what it is | needs | claims |", "|---|---|---|---|", *rows, ""])


def signatures() -> str:
    """Every inference method with its parameters."""
    lines = []
    for method in _methods():
        if method.parameters():
            lines += [f"**`{method.name}`**", "", "| parameter | default | |", "|---|---|---|"]
            for name, field in method.parameters().items():
                default = "" if field.default is MISSING else f"`{str(field.default).lower()}`"
                lines.append(f"| `{name}` | {default} | {_cell(field.metadata.get('doc', ''))}{_choices(field)} |")
            lines.append("")
    return "\n".join(lines)


def _methods() -> list[type[Method]]:
    """Each once, whatever names it has."""
    return list(dict.fromkeys(lookup(name) for name in names()))


def _choices(field) -> str:
    choices = field.metadata.get("choices")
    return f": {', '.join(f'`{c}`' for c in choices)}" if choices else ""


def _needs(method) -> str:
    words = {
        "continuous": "continuous variables",
        "finite": "finitely many values",
        "sequential": "observations in order",
    }
    return ", ".join(text for need, text in words.items() if getattr(method.needs, need)) or "any"


def functions() -> str:
    """Every function with its type."""
    operators = ("and", "or", "not")
    named = [b for b in BUILTINS.values() if b.name.isidentifier() and not b.internal and b.name not in operators]
    rows = [f"| `{_call(b)}` | `{_cell(b.scheme)}` |" for b in named]
    return "\n".join(["| function | type |", "|---|---|", *rows, ""])


def _call(b: Builtin) -> str:
    return f"{b.name}({', '.join(b.params)})"


def _distribution_table(entries) -> str:
    rows = [f"| `{d}` | {_drawn(d)} | {_support(d)} | {_conditions(d)} |" for d in entries]
    return "\n".join(["| distribution | a draw is | its values | parameters |", "|---|---|---|---|", *rows, ""])


def _drawn(d: DistSignature) -> str:
    axes = f"[{', '.join(_size(d, e) for e in d.event)}]" if d.event else ""
    if d.value.startswith("as "):
        of = d.param(d.value.removeprefix("as "))
        if of is not None and of.kind == "real":
            return f"like `{of.name}`"
        return f"like a draw of `D`{', an array `' + axes + '`' if axes else ''}"
    if d.value.startswith("index"):
        vector = next(p.name for p in d.params if p.axes == 1)
        return f"`index<K>`, K = length({vector}){' + 1' if d.value.endswith('+1') else ''}"
    return f"`{d.value}{axes}`"


def _size(d: DistSignature, name: str) -> str:
    param = d.param(name)
    return name if param is not None and param.kind == "size" else f"length({name})"


def _support(d: DistSignature) -> str:
    match d.support_rule:
        case "between":
            return f"from `{d.params[0].name}` to `{d.params[1].name}`"
        case "above":
            return f"from `{d.params[0].name}` up"
        case "upto":
            return "0 to `n`"
        case "index":
            return "0 to K − 1"
        case "values":
            return f"those in `{d.params[0].name}`"
        case "argument":
            return "those of `D`"
        case "truncated":
            return "those of `D` within the bounds"
        case "image":
            return "`f` of those of `D`"
        case "zero":
            return "0 and those of `D`"
        case _:
            return str(d.support)


_KINDS = {
    "dist": "a distribution",
    "dists": "a distribution with one axis, or an array of distributions",
    "function": "an invertible function",
}


def _conditions(d: DistSignature) -> str:
    said = []
    for p in d.params:
        if p.kind in ("dist", "dists", "function"):
            said.append(f"`{p.name}`: {_KINDS[p.kind]}")
        elif p.kind == "size":
            said.append(f"`{p.name}`: a size")
        elif p.kind == "int":
            said.append(f"`{p.name}`: {p.support}")
        elif p.axes or p.support != REALS:
            shape = {0: "", 1: "a vector", 2: "a matrix"}[p.axes]
            support = "" if p.support == REALS else str(p.support)
            said.append(f"`{p.name}`: {', '.join(words for words in (shape, support) if words)}")
    return "; ".join(said)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


MADE = {f.__name__: f for f in (diagnostics, distributions, combinators, functions, methods, signatures)}


def filled(text: str) -> str:
    """A page with its generated parts as they ought to be."""
    return _PART.sub(lambda m: f"{m[1]}\n{MADE[m[2]]()}\n{m[3]}", text)


def main() -> None:
    for page in DOCS.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        if filled(text) != text:
            page.write_text(filled(text), encoding="utf-8")


if __name__ == "__main__":
    main()
