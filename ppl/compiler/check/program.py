"""A whole program: the main file with everything it imports, checked into one typed IR."""

from __future__ import annotations

from pathlib import Path

from ppl.compiler.check.declarations import finish_recursion
from ppl.compiler.check.imports import Imports
from ppl.compiler.check.module import ModuleScope, ProgramParts
from ppl.compiler.diagnostics.diagnostic import Diagnostic, Diagnostics, Label
from ppl.compiler.ir import nodes as ir
from ppl.compiler.syntax import ast


def check_program(
    module: ast.Module, sink: Diagnostics, path: Path | None, root: Path | None
) -> tuple[ir.Program, ModuleScope]:
    """The program of a file; its findings go to ``sink``. With errors the program holds what could be built."""
    parts = ProgramParts()
    scope = _module(module, "", parts, sink, Imports(root, sink), path, (path.resolve(),) if path is not None else ())
    finish_recursion(scope)
    from ppl.compiler.check.warnings import warn

    program = parts.program()
    if parts.strategies and not sink.errors:
        from ppl.compiler.check.smoothness import check_strategies

        sink.extend(check_strategies(program, sink.sources))
    warn(program, parts, sink)
    return program, scope


def _module(
    module: ast.Module,
    prefix: str,
    parts: ProgramParts,
    sink: Diagnostics,
    imports: Imports,
    path: Path | None,
    stack: tuple[Path, ...],
) -> ModuleScope:
    inner: dict[str, ModuleScope] = {}
    for decl in module.declarations:
        if isinstance(decl, ast.Import):
            found = imports.resolve(decl, path, stack)
            if found is not None:
                inner[decl.name] = _module(
                    found[1], f"{prefix}{decl.name}.", parts, sink, imports, found[0], (*stack, found[0])
                )
            else:
                inner.pop(decl.name, None)
    scope = ModuleScope(module, prefix, parts, sink, inner)
    scope.check_all()
    return scope


def no_model(module: ast.Module | None, span) -> Diagnostic | None:
    """A file that declares nothing has nothing to run."""
    if module is not None and not module.declarations:
        return Diagnostic("E108", "no model defined", Label(span, "the file declares nothing"))
    return None
