"""The front door of the syntax layer: text in, syntax tree and findings out."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Label
from ppl.compiler.diagnostics.span import Source, Span
from ppl.compiler.syntax import ast
from ppl.compiler.syntax.builder.declarations import Builder
from ppl.compiler.syntax.parse import engine
from ppl.compiler.syntax.parse.lexer import lex
from ppl.compiler.syntax.parse.newlines import significant
from ppl.compiler.syntax.parse.table import table


def parse(source: Source) -> tuple[ast.Module | None, list[Diagnostic]]:
    """The module and all syntax errors of the file."""
    rules = table()
    lexed = lex(source, rules)
    tokens = significant(lexed.tokens)
    builder = Builder(source.name, lexed.docs)
    result = engine.run(rules, tokens, builder, source.name)
    if isinstance(result, engine.Failure):
        token = tokens[result.position]
        found = {"END": "end of file", "NL": "end of line"}.get(token.type, f"`{token.text}`")
        span = Span(source.name, token.start, token.end)
        lexed.diagnostics.append(Diagnostic("E003", f"unexpected {found}", Label(span, "not expected here")))
        return None, lexed.diagnostics
    module = replace(result, comments=tuple(lexed.comments), span=Span(source.name, 0, len(source.text)))
    return module, lexed.diagnostics + builder.diagnostics
