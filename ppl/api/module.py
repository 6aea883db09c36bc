"""Model files and texts as Python objects."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppl.api.applied import Applied, choose_model, signature
from ppl.compiler.diagnostics.diagnostic import Diagnostics, ModelError
from ppl.compiler.diagnostics.span import Source
from ppl.compiler.ir import nodes as ir
from ppl.core.errors import MethodError, UsageError

if TYPE_CHECKING:
    from ppl.compiler.pipeline import CheckResult


@dataclass(frozen=True, eq=False)
class Module:
    """A checked file. Its models are attributes: ``module.schools(se=…)``. ``diagnostics`` holds the warnings."""

    program: ir.Program
    diagnostics: Diagnostics
    files: Mapping[str, str]
    externs: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """A digest of all the text."""
        import hashlib

        return hashlib.sha256(repr(sorted(self.files.items())).encode()).hexdigest()

    def model(self, name: str | None = None) -> Applied:
        """The model called ``name`` (or the one that no other calls), without data."""
        found = choose_model(self.program, name, next(iter(self.files), "the text"))
        return Applied(self.program, found, self.files, externs=self.externs, identity=self.identity)

    def with_externs(self, **functions: Callable[..., Any]) -> Module:
        """The same with the extern functions of these names given by JAX callables or Equinox modules."""
        declared = {f.name for f in self.program.functions if f.body is None}
        unknown = sorted(functions.keys() - declared)
        if unknown:
            raise TypeError(
                f"no extern function is called {', '.join(unknown)}; declared: {', '.join(sorted(declared)) or 'none'}"
            )
        return Module(self.program, self.diagnostics, self.files, {**self.externs, **functions})

    def __getattr__(self, name: str) -> ModelHandle:
        if name.startswith("_") or not any(m.name == name for m in self.program.models):
            models = ", ".join(m.name for m in self.program.models)
            raise AttributeError(f"the module has no model `{name}`; it has {models or 'none'}")
        return ModelHandle(self, name)

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *(m.name for m in self.program.models)])

    def __repr__(self) -> str:
        lines = [f"  {m.kind} {signature(m)}" for m in self.program.models]
        return "\n".join([f"<module {next(iter(self.files), 'text')}>", *lines])


@dataclass(frozen=True, eq=False)
class ModelHandle:
    """A model not yet applied: call it with its parameters, by position or name."""

    module: Module
    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Applied:
        applied = self.module.model(self.name)
        names = [p.name for p in applied.model.params]
        if len(args) > len(names):
            raise TypeError(f"{signature(applied.model)} takes {len(names)} arguments and got {len(args)}")
        values = {**dict(zip(names, args, strict=False)), **kwargs}
        unknown = [n for n in values if n not in {*names, *applied.model.sizes}]
        if unknown:
            raise TypeError(f"{signature(applied.model)} has no parameter `{unknown[0]}`")
        if not values:
            return applied
        from ppl.runtime.data import load

        return applied.with_raws(load([values]))

    def __repr__(self) -> str:
        return f"<{signature(self.module.program.model(self.name))}>"


def load(path: str | PathLike[str]) -> Module:
    """The checked module of a file. ModelError with every finding if it is not accepted, UsageError if it cannot be
    read."""
    return _module(check(fspath(path)))


def parse(text: str, name: str = "<text>") -> Module:
    """The checked module of a text."""
    from ppl.compiler.pipeline import check_text

    return _module(check_text(text, name))


def check(path: str) -> CheckResult:
    """The findings of a file; UsageError (exit code 2) with the system's reason where it cannot be read."""
    from ppl.compiler.pipeline import check_file

    try:
        return check_file(path)
    except RecursionError:
        raise MethodError(
            f"an expression in {path} is too long or nested too deeply to be checked",
            helps=("split it: name parts of it with `let`, or use sum([… for i in N])",),
        ) from None
    except UnicodeDecodeError as e:
        raise UsageError(f"{path} is not UTF-8 text (byte {e.start})", helps=("save the file in UTF-8",)) from None
    except OSError as e:
        reason = f"{e.strerror} (errno {e.errno})" if e.strerror else str(e)
        raise UsageError(f"the model file {path} cannot be read: {reason}") from None


def from_files(files: Mapping[str, str]) -> Module:
    """The module of a saved run: the first text is the model's, the others are its imports, by relative paths."""
    name, text = next(iter(files.items()))
    if len(files) == 1:
        return parse(text, name)
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").touch()  # imports may not leave the folder that has one
        for other, content in files.items():
            place = Path(folder, other)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content, encoding="utf-8")
        return _module(check(str(Path(folder, name))))


def _module(checked: CheckResult) -> Module:
    if checked.program is None:
        raise ModelError(checked.diagnostics)
    return Module(checked.program, checked.diagnostics, _relative(checked.source.name, checked.diagnostics.sources))


def _relative(main: str, sources: Mapping[str, Source]) -> dict[str, str]:
    """The texts by names relative to the folder that holds them all, the model's own first."""
    ordered = [sources[main], *(s for n, s in sources.items() if n != main)]
    if len(ordered) == 1:
        return {Path(main).name: ordered[0].text}
    places = [Path(s.name).resolve() for s in ordered]
    root = Path(os.path.commonpath([p.parent for p in places]))
    return {p.relative_to(root).as_posix(): s.text for p, s in zip(places, ordered, strict=True)}
