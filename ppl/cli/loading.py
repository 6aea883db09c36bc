"""Model files and data named on the command line to checked models and targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ppl.api.module import Module, load
from ppl.cli.failures import say, show

if TYPE_CHECKING:
    from ppl.api.applied import Applied


def load_module(file: str) -> Module:
    """The checked module; its warnings are shown, its errors raised (exit code 3)."""
    module = load(file)
    if module.diagnostics.items:
        show(module.diagnostics)
    return module


def load_target(file: str, data: tuple[str, ...], model: str | None) -> Applied:
    """The model with its data, all of it checked; warnings and notes are shown."""
    from ppl.cli.failures import colored
    from ppl.runtime.data import load as load_data

    module = load_module(file)
    chosen = module.model(model)
    target = chosen.with_raws(load_data(data))
    for warning in target.bound.warnings:
        say(warning.render(colored()))
    for note in target.bound.notes:
        say(f"note: {note}")
    return target
