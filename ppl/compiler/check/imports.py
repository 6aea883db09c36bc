"""Imported files: found beside the importing file, never outside the project."""

from __future__ import annotations

import os
from pathlib import Path

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Diagnostics, Help, Label
from ppl.compiler.diagnostics.span import NOWHERE, Source
from ppl.compiler.syntax import ast
from ppl.compiler.syntax.parser import parse

LIMIT = 10_000_000  # bytes of one source file


def project_root(path: Path) -> Path:
    """The nearest folder above the file that holds ``.git`` or ``pyproject.toml``; else the file's own."""
    folder = path.resolve().parent
    for p in (folder, *folder.parents):
        if (p / ".git").exists() or (p / "pyproject.toml").exists():
            return p
    return folder


def load(path: Path) -> Source:
    """The text of a file; ``OSError`` or ``UnicodeDecodeError`` if it can't be read as one."""
    if not path.is_file():
        path.stat()  # says what is missing
        raise IsADirectoryError(f"{path} is not a file")
    if path.stat().st_size > LIMIT:
        raise OSError(f"{path} is larger than {LIMIT // 1_000_000} MB")
    return Source.of(str(path), path.read_text(encoding="utf-8-sig"))


class Imports:
    """The files of a program. ``root`` is the folder that imports may not leave; None forbids them."""

    def __init__(self, root: Path | None, sink: Diagnostics):
        self.root, self.sink = root, sink
        self.modules: dict[Path, ast.Module | None] = {}

    def resolve(
        self, decl: ast.Import, importing: Path | None, stack: tuple[Path, ...]
    ) -> tuple[Path, ast.Module] | None:
        """The file that an import names, parsed; None after an error."""
        if self.root is None or importing is None:
            self._error(
                "E105",
                "a text without a file can't import",
                decl,
                "no folder to look in",
                Help("save the program as a file"),
            )
            return None
        path = Path(os.path.normpath(importing.parent / decl.path))
        real = path.resolve()
        if not real.is_relative_to(self.root.resolve()):
            self._error(
                "E105",
                f'the import leaves the project: "{decl.path}"',
                decl,
                "outside the project",
                Help(f"copy the file into the project folder `{self.root.name}`"),
            )
            return None
        if real in stack:
            self._error(
                "E107",
                f'files import each other: "{decl.path}"',
                decl,
                "closes the circle",
                Help("move what both need into a third file"),
            )
            return None
        if real not in self.modules:
            try:
                source = load(real)
            except (OSError, UnicodeDecodeError) as problem:
                reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
                self._error(
                    "E106", f'the file "{decl.path}" can\'t be read: {reason}', decl, "imported here", self._near(path)
                )
                return None
            self.sink.sources[source.name] = source
            module, findings = parse(source)
            self.sink.extend(findings)
            self.modules[real] = module
        module = self.modules[real]
        return None if module is None else (real, module)

    def _near(self, path: Path) -> Help | None:
        from ppl.compiler.check.suggest import nearest

        try:
            names = [p.name for p in path.parent.iterdir() if p.suffix == ".ppl"]
        except OSError:
            return None
        near = nearest(path.name, names)
        return Help(f'did you mean "{near}"?') if near else None

    def _error(self, code: str, message: str, decl: ast.Import, label: str, help_: Help | None) -> None:
        span = decl.span if decl.span != NOWHERE else decl.name_span
        self.sink.add(Diagnostic(code, message, Label(span, label), helps=(help_,) if help_ else ()))
