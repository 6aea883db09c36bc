"""Method expressions: ``nuts(chains=4, draws=500)`` as text becomes a ``Method``. Nothing is evaluated.

    expression = NAME [ "(" [ argument { "," argument } ] ")" ]
    argument   = [ NAME "=" ] value
    value      = NUMBER | STRING | "[" [ value { "," value } ] "]" | expression

A bare name is a word (``resample=systematic``), except ``true``, ``false`` and ``none``. A parameter of type ``Call``
takes an expression as it stands: ``rmsmc(1000, kernel=hmc(0.1, 10))``, where ``hmc`` is a kernel and no method.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import MISSING
from typing import Any, NoReturn

from ppl.core.errors import UsageError
from ppl.inference.methods.base import Call, Method
from ppl.inference.methods.registry import lookup, names

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
           |(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)
           |(?P<string>"[^"]*"|'[^']*')
           |(?P<mark>[()\[\],=]))""",
    re.VERBOSE,
)
_WORDS = {"true": True, "false": False, "none": None}


def parse(text: str) -> Method:
    """The method that ``text`` names. UsageError (exit code 2) says which part is wrong and gives the signature."""
    value = _Parser(text).whole()
    if isinstance(value, str):
        value = Call(value)
    if isinstance(value, Call):
        return build(value.name, value.args, dict(value.keywords))
    return value


def parse_value(text: str) -> Any:
    """An argument on its own: a name, number, list, or ``Call``."""
    parser = _Parser(text)
    value = parser.value()
    if parser.tokens[parser.at][0] != "end":
        parser.fail("the end")
    return value


def build(name: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> Method:
    """The method ``name`` with these arguments, checked against its parameters."""
    cls = lookup(name)
    known = cls.parameters()
    signature = (f"signature: {cls.signature()}",)
    if len(args) > len(known):
        raise UsageError(
            f"{name} takes at most {len(known)} arguments and got {len(args)} positional ones", notes=signature
        )
    given = dict(zip(known, args, strict=False))
    for key, value in keywords.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise UsageError(
                f"{name} has no parameter `{key}`" + (f"; did you mean `{near[0]}`?" if near else ""), notes=signature
            )
        if key in given:
            raise UsageError(f"`{key}` of {name} is given twice", notes=signature)
        given[key] = value
    missing = [key for key, field in known.items() if field.default is MISSING and key not in given]
    if missing:
        raise UsageError(
            f"{name} needs `{missing[0]}`: {known[missing[0]].metadata.get('doc', '')}",
            notes=signature,
            helps=(f"{name}({', '.join(f'{k}=…' for k in missing)})",),
        )
    return cls(**{k: _read(known[k].type, v) for k, v in given.items()})


def _read(kind: Any, value: Any) -> Any:
    """The value for a parameter of type ``kind``: calls of methods become methods, but where calls are wanted."""
    if str(kind).startswith("Call"):
        return Call(value) if isinstance(value, str) else value
    if isinstance(value, tuple):
        return tuple(_read(kind, v) for v in value)
    if isinstance(value, Call) and value.name in names():
        return build(value.name, value.args, dict(value.keywords))
    return value


class _Parser:
    def __init__(self, text: str):
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                self.tokens.append(("bad", text[position:].strip()[0], position))
                break
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind], match.start(kind)))
            position = match.end()
        self.tokens.append(("end", "", len(text)))
        self.at = 0

    def fail(self, needed: str) -> NoReturn:
        kind, found, position = self.tokens[self.at]
        raise UsageError(
            f"a method expression has {'its end' if kind == 'end' else f'`{found}`'} at column {position + 1}, "
            f"where {needed} was needed",
            notes=(self.text, " " * position + "^"),
            helps=("write for example nuts(chains=4, draws=1000)",),
        )

    def take(self, mark: str) -> bool:
        if self.tokens[self.at][:2] == ("mark", mark):
            self.at += 1
            return True
        return False

    def whole(self) -> Any:
        if self.tokens[self.at][0] != "name":
            self.fail("the name of a method (" + ", ".join(names()) + ")")
        value = self.value(top=True)
        if self.tokens[self.at][0] != "end":
            self.fail("the end")
        return value

    def value(self, top: bool = False) -> Any:
        kind, text, _ = self.tokens[self.at]
        if kind == "number":
            self.at += 1
            digits = text.replace("_", "")
            return float(digits) if any(c in digits for c in ".eE") else int(digits)
        if kind == "string":
            self.at += 1
            return text[1:-1]
        if self.take("["):
            items = []
            while not self.take("]"):
                items.append(self.value())
                if not self.take(",") and self.tokens[self.at][:2] != ("mark", "]"):
                    self.fail("`,` or `]`")
            return tuple(items)
        if kind != "name":
            self.fail("a value")
        self.at += 1
        if self.take("("):
            args, keywords = self.arguments()
            return Call(text, args, tuple(keywords.items()))
        return text if top else _WORDS.get(text, text)

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args: list[Any] = []
        keywords: dict[str, Any] = {}
        while not self.take(")"):
            kind, text, _ = self.tokens[self.at]
            if kind == "name" and self.tokens[self.at + 1][:2] == ("mark", "="):
                if text in keywords:
                    self.fail(f"another parameter (`{text}` is given twice)")
                self.at += 2
                keywords[text] = self.value()
            elif keywords:
                self.fail("`name=value` (positional arguments come first)")
            else:
                args.append(self.value())
            if not self.take(",") and self.tokens[self.at][:2] != ("mark", ")"):
                self.fail("`,` or `)`")
        return tuple(args), keywords
