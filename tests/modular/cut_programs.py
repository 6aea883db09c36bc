"""Programs whose paths have different numbers of observations, and the suspended form of one as a finite table."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import ppl
from ppl.compiler.emit.frame import Given
from ppl.compiler.emit.suspend import How
from ppl.core.random import categorical
from ppl.core.sequential import SequentialTarget

# Every path has another number of factors; all randomness is discrete.
DISCRETE = """
type Kind = | One(bool) | Two(bool, bool)

model branches() -> bool {
  long ~ Bernoulli(0.4)
  if long {
    x ~ Bernoulli(0.3)
    factor if x then 1.7 else -1.4
    y ~ Bernoulli(if x then 0.8 else 0.2)
    factor if y then -2.0 else 0.5
  } else {
    factor 0.2
  }
  return long
}

model nested() -> bool {
  a ~ Bernoulli(0.5)
  if a {
    b ~ Bernoulli(0.6)
    factor if b then 1.5 else -2.5
    if b {
      factor -0.8
      c ~ Bernoulli(0.3)
      factor if c then 1.0 else 0.1
    } else {
      factor 0.4
    }
  }
  return a
}

model kinds() -> bool {
  a ~ Bernoulli(0.5)
  b ~ Bernoulli(0.3)
  let kind = if a then One(b) else Two(b, a)
  match kind {
    One(p) => {
      factor if p then 1.6 else -1.2
    }
    Two(p, q) => {
      factor if p then -1.3 else 1.9
      c ~ Bernoulli(if p then 0.9 else 0.2)
      factor if c or q then 0.5 else -1.0
    }
  }
  return a
}

model toss(n: int) {
  go ~ Bernoulli(0.5)
  factor if go then 1.4 else -1.3
  if go and n > 0 {
    more ~ toss(n - 1)
  }
}

model recursive() -> bool {
  first ~ Bernoulli(0.7)
  if first {
    more ~ toss(2)
  }
  return first
}
"""


class Table(SequentialTarget):
    """A suspended program all of whose randomness is discrete: numbered states, each with the law of the next and the
    weight on the way there. ``finished``: the states behind the last observation of their path; ``values``: of the
    variable asked for, by state (of the last step). ``log_evidence`` by summation over all runs."""

    initial: Any  # log probability of each state
    log_p: Any  # [state, alternative]
    following: Any
    weights: Any
    finished: Any
    values: Any
    length: int

    def start(self, key):
        return categorical(key, self.initial), jnp.zeros(())

    def advance(self, key, state, step):
        k = categorical(key, self.log_p[state])
        after = self.following[state, k]
        return after, after, self.weights[state, k]

    def measure(self) -> np.ndarray:
        """Z, and Z times the posterior probability of ``values``."""
        mass = {s: p for s, p in enumerate(np.exp(np.asarray(self.initial)))}
        for _ in range(self.length):
            after: dict[int, float] = {}
            for s, p in mass.items():
                rows = zip(np.exp(self.log_p[s] + self.weights[s]), np.asarray(self.following[s]), strict=True)
                for q, k in rows:
                    after[int(k)] = after.get(int(k), 0.0) + p * q
            mass = after
        return np.array([sum(mass.values()), sum(p for s, p in mass.items() if self.values[s])])


def tabulate(model: Any, name: str) -> Table:
    """What the compiled program does on every sequence of its own draws, which are Bernoulli."""
    sequential = ppl.compiled(model, interleave=True).suspend()
    state, _ = sequential.start(jax.random.key(0))
    _, record, _ = sequential.advance(jax.random.key(0), state, 0)
    sites = sorted({_site(d) for d in record})
    options = [
        {d: r._replace(value=jnp.asarray(dict(zip(sites, values, strict=True))[_site(d)])) for d, r in record.items()}
        for values in itertools.product((False, True), repeat=len(sites))
    ]
    batch = jax.tree.map(lambda *r: jnp.stack(r), *options)

    @jax.jit
    def every(state: Any, step: Any) -> Any:
        def one(r: Any) -> Any:
            new, weight = sequential.replay(state, r, step)
            total = sequential.run_step(state, step, How(None, {d: Given(x.value) for d, x in r.items()}))[2]
            return new, weight, total - weight

        return jax.vmap(one)(batch)

    states: list[Any] = []
    initial = []
    for values in itertools.product((False, True), repeat=len(sequential.parameters)):
        fixed = dict(zip(sequential.parameters, map(jnp.asarray, values), strict=True))
        state, weight = sequential.conditioned(fixed).start(jax.random.key(0))
        assert float(weight) == 0.0
        states.append(state)
        initial.append(float(sequential.log_prior(fixed)))
    rows: list[list[tuple[float, int, float]]] = []
    layer = list(range(len(states)))
    for t in range(sequential.length):
        known: dict[Any, int] = {}
        for s in layer:
            new, weight, moved = jax.tree.map(np.asarray, every(states[s], t))
            law: dict[int, tuple[float, float]] = {}
            for i, p in enumerate(np.exp(moved)):
                after = jax.tree.map(lambda a, i=i: jnp.asarray(a[i]), new)
                k = known.setdefault(_what_is_read(after), len(states))
                if k == len(states):
                    states.append(after)
                law[k] = (law.get(k, (0.0, 0.0))[0] + p, float(weight[i]))
            total = sum(p for p, _ in law.values())  # noise of paths not taken is counted in each of its values
            rows.append([(np.log(p / total), k, w) for k, (p, w) in law.items() if p > 0])
        layer = list(known.values())
    rows += [[(0.0, s, 0.0)] for s in layer]
    width = max(map(len, rows))
    table = np.array([row + [(-np.inf, row[0][1], 0.0)] * (width - len(row)) for row in rows])
    finished = np.zeros(len(states), bool)
    for s in reversed(range(len(states))):
        _, k, w = rows[s][0]
        finished[s] = len(rows[s]) == 1 and w == 0.0 and (k == s or finished[k])
    found = [bool(sequential.trace(s, {})[name]) for s in states]
    return Table(
        initial=jnp.asarray(initial),
        log_p=jnp.asarray(table[..., 0]),
        following=jnp.asarray(table[..., 1], int),
        weights=jnp.asarray(table[..., 2]),
        finished=jnp.asarray(finished),
        values=jnp.asarray(found),
        length=sequential.length,
    )


def _site(draw: str) -> str:
    return draw.split("_absent")[0]


def _what_is_read(state: Any) -> Any:
    """Equal for states that differ in noise alone."""
    drawn = [
        (name, bool(r.present), bool(r.value) if r.present is None or r.present else None)
        for name, r in sorted(state.drawn.items())
        if "_absent" not in name
    ]
    return tuple(np.asarray(x).tobytes() for x in jax.tree.leaves(state.live)), tuple(map(str, drawn))


CONTINUOUS = """
model leaf(loc: real) -> real {
  w ~ Normal(loc, 1)
  observe 0.3 ~ Normal(w, 1)
  return w
}

model mixed(y: real[3]) -> real {
  a ~ Bernoulli(0.4)
  var s = 0.0
  if a {
    x ~ Normal(0, 1)
    data first ~ Normal(x, 1)
    b ~ Bernoulli(0.5)
    let d = Normal(x, 2)
    if b {
      z ~ Normal(x, 1)
      observe 0.1 ~ d
      inner ~ leaf(z)
      s = inner + x
    } else {
      observe 0.7 ~ d
    }
    observe 1.0 ~ d
  } else {
    u ~ Normal(1, 2)
    data first ~ Normal(u, 1)
    s = u
    plate i in 3 {
      v[i] ~ Normal(u, 1)
      observe y[i] ~ Normal(v[i], 1)
    }
  }
  observe 0.2 ~ Normal(s, 1)
  return s
}
"""
