"""A model applied to arguments and data. Its data are checked when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as T
from ppl.core.errors import UsageError

if TYPE_CHECKING:
    from ppl.runtime.data import Bound, Raw
    from ppl.runtime.results.record import Record


@dataclass(frozen=True)
class Applied:
    """What inference works on: a model of ``program`` with raw data. ``files`` are the program's texts, for the record.

    ``externs`` are functions given from Python; ``identity`` is a digest of the program, or "" where it cannot be known
    (functions given from Python), which switches the cache of compiled programs off."""

    program: ir.Program
    model: ir.Model
    files: Mapping[str, str]
    raws: Mapping[str, Raw] = field(default_factory=dict)
    externs: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    identity: str = ""

    def given(self, data: Mapping[str, Any] | None = None, /, **more: Any) -> Applied:
        """The same with values for data variables (and parameters); raises ``InvalidData`` where they do not fit."""
        from ppl.runtime.data import load

        applied = self.with_raws(load([{**(data or {}), **more}]))
        applied.bound  # noqa: B018 - checks the data now
        return applied

    def with_raws(self, raws: Mapping[str, Raw]) -> Applied:
        return replace(self, raws={**self.raws, **raws})

    @cached_property
    def inlined(self) -> ir.Model:
        """The model with the random variables of the models that it runs, ``left.y``: data are matched with these."""
        if not self.model.calls:
            return self.model
        from ppl.compiler.passes.schedule import run_passes

        return run_passes(self.program, self.model.name, after="inline").program.model(self.model.name)

    @cached_property
    def bound(self) -> Bound:
        """Checked arrays, or ``InvalidData`` with all problems."""
        from ppl.runtime.data import bind_data

        return bind_data(self.inlined, self.raws, self.program.sums)

    def at_precision(self, bits: int) -> Applied:
        """The same for reals of so many bits; only models traced from Python depend on it."""
        return self

    def record(self) -> Record:
        """What a result keeps of this target."""
        import numpy as np

        from ppl.runtime.results.record import Record
        from ppl.runtime.results.variables import axes_of

        bound = self.bound
        plain = {n: a for n, a in bound.args.items() if isinstance(a, np.ndarray)}
        return Record(
            model=self.model.name,
            files=dict(self.files),
            axes=axes_of(self.inlined),
            sizes=bound.sizes,
            constant={n: _with_gaps(a, bound.missing.get(n)) for n, a in plain.items()},
            observed={n: _with_gaps(a, bound.missing.get(n)) for n, a in bound.data.items()},
            compound={n: a for n, a in bound.args.items() if n not in plain},
            data_hash=bound.digest,
        )

    def __repr__(self) -> str:
        given = ", ".join(sorted(self.raws)) or "no data"
        return f"<model {self.model.name} given {given}>"


def _with_gaps(array: Any, absent: Any) -> Any:
    """Missing entries as NaN."""
    import numpy as np

    return array if absent is None else np.where(absent, np.nan, array)


def choose_model(program: ir.Program, name: str | None = None, where: str = "the file") -> ir.Model:
    """The model called ``name``, or the one model that no other calls. UsageError (exit code 2) names the
    candidates."""
    models = [m for m in program.models if m.kind == "model"]
    if name is not None:
        found = next((m for m in models if m.name == name), None)
        if found is not None:
            return found
        from ppl.runtime.data.suggest import suggest

        near = suggest(name, [m.name for m in models])
        raise UsageError(
            f"{where} has no model `{name}`" + (f"; did you mean `{near}`?" if near else ""),
            notes=(f"models: {', '.join(m.name for m in models) or 'none'}",),
        )
    called = {c for m in models for c in m.calls}
    roots = [m for m in models if m.name not in called] or models
    if len(roots) == 1:
        return roots[0]
    if not roots:
        raise UsageError(f"{where} has no model to run", helps=("declare one: model name() { … }",))
    listed = "\n".join(f"  {signature(m)}" for m in roots)
    raise UsageError(f"{where} has several models; choose one with --model NAME:\n{listed}")


def signature(model: ir.Model) -> str:
    """``schools[J](se: real[J])``"""
    sizes = f"[{', '.join(model.sizes)}]" if model.sizes else ""
    params = ", ".join(
        f"{p.name}: {'size' if p.is_size else p.var.type}" + ("" if p.default is None else " = …") for p in model.params
    )
    return f"{model.name}{sizes}({params})"


def takes_data(param: ir.Parameter) -> bool:
    """Whether a parameter can come from data (functions and distributions cannot)."""
    return not isinstance(T.element(param.var.type), T.Function | T.Dist | T.Target | T.Guide | T.Trace)
