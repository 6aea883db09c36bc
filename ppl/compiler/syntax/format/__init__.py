"""The canonical layout of a file: two spaces, 100 columns, comments kept."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Diagnostics, Label, ModelError
from ppl.compiler.diagnostics.span import Source, Span
from ppl.compiler.syntax import ast
from ppl.compiler.syntax.format.comments import Comments
from ppl.compiler.syntax.format.declarations import Formatter
from ppl.compiler.syntax.format.doc import render
from ppl.compiler.syntax.parser import parse

WIDTH = 100


def format_source(source: Source) -> str:
    """The text in canonical layout.

    What is about to be returned is parsed again: its syntax tree must equal that of ``source`` and its comments must
    be the same, otherwise nothing is returned. Raises ``ModelError`` for syntax errors, and for that (``E099``).
    """
    module, findings = parse(source)
    if module is None or findings:
        raise ModelError(Diagnostics({source.name: source}, list(findings)))
    text = render(Formatter(Comments(source.text, module.comments)).module(module), WIDTH)
    again, broken = parse(Source(source.name, text))
    if broken or again is None or not same(module, again):
        place = Label(Span(source.name, 0, 0), "nothing was changed")
        raise ModelError(
            Diagnostics(
                {source.name: source}, [Diagnostic("E099", "the formatter would have changed the program", place)]
            )
        )
    return text


def same(one: ast.Module, other: ast.Module) -> bool:
    """Equal syntax trees and the same comments, in whatever order."""
    bare = replace(one, comments=()) == replace(other, comments=())
    return bare and sorted(c.text for c in one.comments) == sorted(c.text for c in other.comments)
