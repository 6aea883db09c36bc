"""The front door of the syntax layer: text in, syntax tree and findings out."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Help, Label
from ppl.compiler.diagnostics.span import Source, Span
from ppl.compiler.syntax import ast
from ppl.compiler.syntax.builder.declarations import Builder
from ppl.compiler.syntax.parse import engine
from ppl.compiler.syntax.parse.lexer import lex
from ppl.compiler.syntax.parse.newlines import significant
from ppl.compiler.syntax.parse.table import table
from ppl.compiler.syntax.parse.token import Token
from ppl.compiler.syntax.recover.brackets import balance


def parse(source: Source) -> tuple[ast.Module | None, list[Diagnostic]]:
    """The module, and all syntax errors of the file, in the order of the text.

    With errors the module holds what could be read: statements that no small repair puts right are left out, so the
    checker can go on with the rest. None only where nothing could be.
    """
    rules = table()
    lexed = lex(source, rules)
    findings = lexed.diagnostics
    balanced, unclosed = balance(lexed.tokens, source)
    tokens = significant(balanced)
    builder = Builder(source.name, lexed.docs)
    result = engine.run(rules, tokens, builder, source.name)
    if isinstance(result, engine.Failure) and not result.deep:
        from ppl.compiler.syntax.recover.repair import Repair

        repair = Repair(rules, tokens, source, unclosed)
        repair.run()
        # A character that could not be read leaves a hole, and what the hole breaks is not a second mistake.
        holes = {source.position(d.primary.span.start)[0] for d in findings if d.code == "E001"}
        findings += [d for d in repair.findings if source.position(d.primary.span.start)[0] not in holes]
        builder = Builder(source.name, lexed.docs)
        result = engine.run(rules, repair.tokens, builder, source.name)
    findings += [bracket.finding(source.name) for bracket in unclosed]
    lines = {source.position(d.primary.span.start)[0] for d in findings}
    findings += [d for d in builder.diagnostics if source.position(d.primary.span.start)[0] not in lines]
    findings.sort(key=lambda d: d.primary.span.start)
    if isinstance(result, engine.Failure):
        if result.deep:
            findings.append(_too_deep(source, tokens[min(result.position, len(tokens) - 1)]))
        return None, findings
    return replace(result, comments=tuple(lexed.comments), span=Span(source.name, 0, len(source.text))), findings


def _too_deep(source: Source, token: Token) -> Diagnostic:
    place = Label(Span(source.name, token.start, token.end), "too many open brackets, operators or blocks")
    help = Help("name a part of it with `let`, or move it into a function of its own")
    return Diagnostic("E023", "this is nested too deeply", place, helps=(help,))
