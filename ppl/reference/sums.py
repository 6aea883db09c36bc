"""Discrete variables summed out: ``SumOut`` by its defining sum, ``ForwardSum`` by the forward recursion, one term at a
time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from ppl.compiler.ir import nodes as ir
from ppl.reference.choices import Rejected
from ppl.reference.environment import Environment

if TYPE_CHECKING:
    from ppl.reference.run import Run


def _values(run: Run, values: ir.FiniteValues, env: Environment) -> list[Any]:
    if values.table is not None:
        return list(run.operations.atom(values.table, env))
    first = env.size(values.first)
    return [first + k for k in range(env.size(values.count))]


def _weight(run: Run, block: ir.Block, env: Environment, var: ir.Var, value: Any) -> tuple[float, list[Any] | None]:
    """The log weight that ``block`` adds when ``var`` is ``value``, and its results (None if the weight is zero)."""
    results = None
    run.forced[var.id] = value
    try:
        with run.weighed_apart() as added:
            results = run.results(block, env)
    finally:
        del run.forced[var.id]
    return added(), results


def sum_out(run: Run, s: ir.SumOut, env: Environment) -> None:
    terms = [_weight(run, s.body, env.child(), s.var, v) for v in _values(run, s.values, env)]
    total = special.logsumexp([lw for lw, _ in terms])
    results = next((r for lw, r in terms if r is not None), None)
    if results is None:
        raise Rejected
    for var, value in zip(s.results, results, strict=True):
        env.bind(var, value)
    run.weigh(total)


def forward_sum(run: Run, s: ir.ForwardSum, env: Environment) -> None:
    values = _values(run, s.values, env)
    terms = [_weight(run, s.start, env.child(), s.first, v) for v in values]
    a = np.array([lw for lw, _ in terms])
    results = next((r for _, r in terms if r is not None), None)
    if results is None:
        raise Rejected
    for var, value in zip(s.results, results, strict=True):
        env.bind(var, value)

    atom = run.operations.atom
    carried = [atom(c.init, env) for c in s.carries]
    stacked: list[list[Any]] = [[] for _ in s.stacked]
    lower = env.size(s.lower)
    for t in range(lower, env.size(s.upper)):
        W = np.full((len(values), len(values)), -np.inf)
        last = None
        for j, previous in enumerate(values):
            for k, value in enumerate(values):
                inner = run.iteration(s, t, lower, env)
                inner.bind(s.previous, previous)
                for c, v in zip(s.carries, carried, strict=True):
                    inner.bind(c.var, v)
                W[j, k], done = _weight(run, s.body, inner, s.var, value)
                last = inner if done is not None else last
        if last is None:
            raise Rejected
        a = special.logsumexp(a[:, None] + W, axis=0)
        carried = [atom(c.next, last) for c in s.carries]
        for column, one in zip(stacked, s.stacked, strict=True):
            column.append(atom(one.value, last))
    run.after_loop(s, s.carries, carried, stacked, env)
    run.weigh(special.logsumexp(a))


def run_chain(run: Run, s: ir.ForwardSum, env: Environment) -> None:
    """The chain itself: its draws are choices like all others."""
    atom = run.operations.atom
    start = env.child()
    for var, value in zip(s.results, run.results(s.start, start), strict=True):
        env.bind(var, value)
    previous = start.lookup(s.first.id)
    carried = [atom(c.init, env) for c in s.carries]
    stacked: list[list[Any]] = [[] for _ in s.stacked]
    lower = env.size(s.lower)
    for t in range(lower, env.size(s.upper)):
        inner = run.iteration(s, t, lower, env)
        inner.bind(s.previous, previous)
        for c, v in zip(s.carries, carried, strict=True):
            inner.bind(c.var, v)
        run.statements(s.body, inner)
        previous = inner.lookup(s.var.id)
        carried = [atom(c.next, inner) for c in s.carries]
        for column, one in zip(stacked, s.stacked, strict=True):
            column.append(atom(one.value, inner))
    run.after_loop(s, s.carries, carried, stacked, env)
