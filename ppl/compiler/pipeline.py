"""The compiler, as it runs: parse, resolve the imports, check, lower to the typed IR."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ppl.compiler.check.imports import load, project_root
from ppl.compiler.check.program import check_program, no_model
from ppl.compiler.check.suppress import suppressed
from ppl.compiler.diagnostics.diagnostic import Diagnostics
from ppl.compiler.diagnostics.span import Source, Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.syntax import ast
from ppl.compiler.syntax.parser import parse


@dataclass(frozen=True)
class CheckResult:
    """What is known of a program text. ``program`` is None if the text has errors; ``partial`` is what could be built
    all the same (for editors). ``diagnostics`` also holds the sources of all files."""

    source: Source
    module: ast.Module | None
    program: ir.Program | None
    partial: ir.Program | None
    diagnostics: Diagnostics

    @property
    def ok(self) -> bool:
        return not self.diagnostics.errors


def check_text(text: str, name: str = "<text>", root: Path | None = None) -> CheckResult:
    """Check a program text. Imports are resolved against the folder of ``name`` inside ``root``; without one they
    are errors."""
    return _check(Source.of(name, text), Path(name) if root is not None else None, root)


def check_file(path: str | Path) -> CheckResult:
    """Check a file; ``OSError`` or ``UnicodeDecodeError`` if it can't be read."""
    path = Path(path)
    return _check(load(path), path, project_root(path))


def _check(source: Source, path: Path | None, root: Path | None) -> CheckResult:
    sink = Diagnostics({source.name: source})
    module, findings = parse(source)
    sink.extend(findings)
    program = None
    if module is not None:
        empty = no_model(module, Span(source.name, 0, 0)) if not findings else None
        if empty is not None:
            sink.add(empty)
        program, _ = check_program(module, sink, path, root)
        sink.items = [d for d in sink.items if not suppressed(d, sink.sources)]
    return CheckResult(source, module, None if sink.errors else program, program, sink)
