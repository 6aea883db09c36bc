"""Extern functions with parameters of their own: Equinox modules, trained together with guide and model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.compiler.emit.estimate.program import EmittedObjective
from ppl.compiler.emit.externs import Extern
from ppl.compiler.emit.prefix import data_only
from ppl.core.objective import DrawStrategy, ObjectiveProgram, Params
from ppl.core.target import Trace


def trainable(extern: Extern) -> bool:
    """Whether it was given as an Equinox module with arrays of reals. Other callables, and functions that hold a
    module, stay as they are."""
    return isinstance(extern.function, eqx.Module) and any(
        eqx.is_inexact_array(a) for a in jax.tree.leaves(extern.arrays)
    )


def with_networks(made: EmittedObjective) -> ObjectiveProgram:
    """The objective as a function of its modules' arrays too, where it calls any."""
    names = tuple(n for n, e in made.target.externs.items() if trainable(e))
    return TrainedObjective(inner=made, trained=names, strategies=made.strategies) if names else made


class TrainedObjective(ObjectiveProgram):
    """``params["networks"]`` holds the arrays of the modules ``trained``; they start as the modules are given, in
    the precision of the run."""

    inner: EmittedObjective
    trained: tuple[str, ...] = eqx.field(static=True)
    strategies: tuple[DrawStrategy, ...] = eqx.field(static=True)

    def initial(self, key: PRNGKeyArray) -> Params:
        arrays = {n: eqx.filter(self.inner.target.externs[n].arrays, eqx.is_inexact_array) for n in self.trained}
        in_precision = jax.tree.map(lambda a: jnp.asarray(a, jnp.result_type(float)), arrays)
        return {**self.inner.initial(key), "networks": in_precision}

    def surrogate(self, params: Params, key: PRNGKeyArray) -> Float[Array, ""]:
        return self.at(params).surrogate(params, key)

    def sample(self, params: Params, key: PRNGKeyArray) -> Trace:
        return self.at(params).sample(params, key)

    def constrain(self, params: Params) -> dict[str, Array]:
        """Arrays of networks are named by their place: ``decoder.layers[0].weight``."""
        found = self.inner.constrain(params)
        for path, array in jax.tree_util.tree_flatten_with_path(params["networks"])[0]:
            name, *place = path
            found[f"{name.key}{jax.tree_util.keystr(tuple(place))}"] = array
        return found

    def at(self, params: Params) -> EmittedObjective:
        """The objective with the modules' arrays replaced, and what it had computed of the data by them redone."""
        target = self.inner.target
        externs: dict[str, Any] = dict(target.externs)
        for name in self.trained:
            rest = eqx.filter(externs[name].arrays, eqx.is_inexact_array, inverse=True)
            externs[name] = replace(externs[name], arrays=eqx.combine(params["networks"][name], rest))
        constants = target.constants
        if constants:
            whole = {n: a for n, a in target.data.items() if n not in target.plan.missing}
            constants = data_only(target.plan.code, target.args, externs, whole)
        return replace(self.inner, target=replace(target, externs=externs, constants=constants))
