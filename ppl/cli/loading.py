"""Model files and data named on the command line to checked models and targets."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ppl.api.module import Module, load
from ppl.cli.failures import say, show

if TYPE_CHECKING:
    from ppl.api.applied import Applied
    from ppl.inference.methods.base import Method


def load_module(file: str) -> Module:
    """The checked module; its warnings are shown, its errors raised (exit code 3)."""
    module = load(file)
    if any(f.source for f in module.program.functions):
        sys.path.insert(0, os.path.dirname(os.path.abspath(file)))  # "module:name" of an extern fn, beside the model
    if module.diagnostics.items:
        show(module.diagnostics)
    return module


def load_target(file: str, data: tuple[str, ...], model: str | None) -> Applied:
    """The model with its data, all of it checked; warnings and notes are shown."""
    return with_data(load_module(file), data, model)


def load_query(file: str, data: tuple[str, ...], model: str | None, method: str) -> tuple[Applied, Method]:
    """The model with its data, and the method: faults of the model are reported before those of the method and the
    data."""
    from ppl.inference.methods.parse import parse

    module = load_module(file)
    chosen = parse(method)
    return with_data(module, data, model), chosen


def with_data(module: Module, data: tuple[str, ...], model: str | None) -> Applied:
    from ppl.cli.failures import colored
    from ppl.runtime.data import load as load_data

    target = module.model(model).with_raws(load_data(data))
    for warning in target.bound.warnings:
        say(warning.render(colored()))
    for note in target.bound.notes:
        say(f"note: {note}")
    return target
