"""Chains of a method on a target, from starts that need no posterior sampler."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from ppl.core.target import Target
from ppl.inference.filtering.chains import IndependentChains, MarginalChains
from ppl.inference.filtering.gibbs import GibbsChains
from ppl.inference.flat import evaluate, layout
from ppl.inference.mcmc import adaptive_walk
from ppl.inference.mcmc.hamiltonian import Hamiltonian
from ppl.inference.mcmc.metropolis import MetropolisChains
from ppl.inference.program import Program
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.families import Family
from ppl.inference.validation.fixed_n import detectable, test_means
from ppl.inference.validation.models.effort import Effort

_COORDINATES = 6
_LEAST_EFFECTIVE = 50


class Transition(NamedTuple):
    """``run(key, size) -> (before, after, log weight)``: what is compared, on both sides of one iteration of the
    method's sampling phase, and the weight of the start. ``oracle`` says where the start comes from; ``sizes``: step
    sizes, of which the first that moves is taken."""

    run: Callable[[Any, Any], tuple[Any, Any, Any]]
    oracle: str
    case: str
    sizes: tuple[float, ...] = (1.0,)


def with_data(target: Target, data: dict[str, Any]) -> Target:
    """The target for other data of the same shapes."""
    if not data:
        return target
    return eqx.tree_at(lambda t: (t.data, t.constants), target, (data, {}), is_leaf=lambda x: isinstance(x, dict))


def transition_of(program: Program, seed: int) -> Transition | None:
    """None for a program that is no chain."""
    if isinstance(program, Hamiltonian):
        return _hamiltonian(program, seed)
    if isinstance(program, MetropolisChains):
        return _metropolis(program)
    if isinstance(program, GibbsChains):
        return _particle_gibbs(program)
    return _particles(program) if isinstance(program, IndependentChains | MarginalChains) else None


def joint(target: Target, key: Any) -> tuple[Target, dict[str, Any], Any]:
    """(θ₀, y) from the joint law: the target given y, θ₀, and the weight of the model's factors, which the joint law
    has not."""
    run = target.simulate(key)
    data = {
        name: run.data[name].astype(jnp.asarray(given).dtype) for name, given in getattr(target, "data", {}).items()
    }
    return with_data(target, data), {v.name: run.trace[v.name] for v in target.latents}, run.log_weight


def _seen(vector: Any, log_density: Any) -> Any:
    """The first coordinates, and the log density, which looks at the data."""
    return jnp.append(vector[:_COORDINATES], log_density)


def _hamiltonian(program: Hamiltonian, seed: int) -> Transition:
    target, where = program.target, layout(program.target)

    def start(key: Any) -> tuple[Any, Any, Any]:
        given, trace, log_weight = joint(target, key)
        return given, where.ravel(given.unconstrain(trace)), log_weight

    pilot = jax.random.split(jax.random.key(seed ^ 0x51), 256)
    inverse_mass = jnp.maximum(jnp.var(jax.jit(jax.vmap(lambda k: start(k)[1]))(pilot), axis=0), 1e-4)
    inverse_mass = jnp.where(jnp.isfinite(inverse_mass), inverse_mass, 1.0)

    def run(key: Any, size: Any) -> Any:
        begin, step = jax.random.split(key)
        given, u, log_weight = start(begin)
        density = lambda v: given.log_density_unconstrained(where.unravel(v))  # noqa: E731
        point = evaluate(density, u)
        after, _ = program.kernel(density)(step, point, size, inverse_mass)
        return _seen(u, point["log_density"]), _seen(after["position"], after["log_density"]), log_weight

    return Transition(run, "joint law", "one transition", (0.5, 0.1, 0.02, 0.004))


def _metropolis(program: MetropolisChains) -> Transition:
    target = program.target

    def run(key: Any, size: Any) -> Any:
        begin, step = jax.random.split(key)
        given, trace, log_weight = joint(target, begin)
        here = copy.copy(program)
        here.target = given
        free = {**given.unconstrain(trace), **{v.name: trace[v.name] for v in here.discrete}}
        log_density = here.density(free)
        walk = adaptive_walk.init(here._continuous(free)[0], getattr(program.method, "scale", 1.0))
        after, _, _ = here.step(
            step, {"free": free, "log_density": log_density, "walk": walk}, jnp.asarray(program.warmup + 1)
        )
        return _seen(_flat(free), log_density), _seen(_flat(after["free"]), after["log_density"]), log_weight

    return Transition(run, "joint law", "one iteration, no adaptation")


def _particle_gibbs(program: GibbsChains) -> Transition:
    """A trajectory of an SMC run, weighted by its Ẑ: the posterior exactly."""

    def run(key: Any, size: Any) -> Any:
        begin, step = jax.random.split(key)
        chain = program.begin(begin)
        after, _, _ = program.step(step, chain, jnp.asarray(program.warmup + 1))
        here, there = program.free(chain["trace"]), program.free(after["trace"])
        return (
            _seen(_flat(here), program.density(here)),
            _seen(_flat(there), program.density(there)),
            chain["log_density"],
        )

    return Transition(run, "weighted SMC start", "one iteration, no adaptation")


def _flat(free: Any) -> Any:
    return ravel_pytree(jax.tree.map(lambda a: jnp.asarray(a, float), free))[0]


def _particles(program: Any) -> Transition:
    """θ from the prior with its estimate Ẑ: weighted by Ẑ this is the extended target exactly."""

    def run(key: Any, size: Any) -> Any:
        begin, step = jax.random.split(key)
        chain = program.begin(begin)
        log_weight = chain["log_density"]
        if "theta" in chain:
            log_weight = log_weight - program._estimate(chain["theta"])[0].log_prior(chain["theta"])
        after, _, _ = program.step(step, chain, jnp.asarray(program.warmup + 1))

        def read(c: Any) -> Any:
            traced = {"theta": c["theta"]} if "theta" in c else {"trace": c["trace"]}
            return _seen(_flat(traced), c["log_density"])

        return read(chain), read(after), log_weight

    return Transition(run, "weighted prior start", "one iteration")


def check_transition(transition: Transition, effort: Effort, name: str) -> tuple[Check, ...]:
    """E[w₀ (f(θ₁) − f(θ₀))] = 0 for the published family f, w₀ the weight of the start; P(θ₁ ≠ θ₀) > 0."""
    program = jax.jit(jax.vmap(transition.run, in_axes=(0, None)))
    for size in transition.sizes:
        before, after, log_weight = (np.asarray(a) for a in program(effort.keys(effort.seed ^ 0xA5), size))
        moved = float(np.mean(np.any(before != after, axis=1)))
        if moved > 0.3 or effort.late:
            break
    n, claim = len(before), "leaves the posterior invariant"
    case = f"{name}, {transition.case}" + (f", step size {size:g}" if len(transition.sizes) > 1 else "")
    family = Family(before[np.isfinite(before).all(1)])
    top = float(np.max(log_weight))
    weight = np.exp(log_weight - top)
    effective, scale = float(weight.sum() ** 2 / np.sum(weight**2)), float(weight.mean())
    if not effective >= _LEAST_EFFECTIVE:
        why = {"why": f"only {effective:.1f} of {n} weighted starts are effective: the data are too far from the prior"}
        return (Check(claim, transition.oracle, "", "undecided", effort.alpha, n, why, None, name, effort.seed),)

    def changes(keys: Any) -> np.ndarray:
        first, second, w = (np.asarray(a) for a in program(keys, size))
        bad = ~np.isfinite(second[:, :-1]).all(1) & (w > -np.inf)
        first = np.nan_to_num(first, posinf=1e300, neginf=-1e300)
        second = np.nan_to_num(second, nan=1e300, posinf=1e300, neginf=-1e300)
        change = (np.exp(w - top) / scale)[:, None] * (family(second) - family(first))
        return np.where(bad[:, None], np.nan, change)

    k = len(family.names)
    result = effort.staged(lambda seed, m: test_means(effort.gather(changes, seed, m), np.zeros(k)))
    t = result.test
    return (
        Check(
            claim,
            transition.oracle,
            f"{k} bounded functions",
            result.outcome,
            effort.alpha,
            result.total,
            {"function": family.names[t.which], "z": t.z, "mean": t.mean, "p": t.p_value},
            detectable(t.n, effort.alpha, k),
            case,
            result.stage_seed,
        ),
        Check(
            "moves",
            transition.oracle,
            "P(theta1 != theta0)",
            "passed" if moved > 0.01 else "refuted",
            0.0,
            n,
            {"moved": moved, "least": 0.01},
            None,
            name,
            effort.seed,
        ),
    )
