"""The one door to BlackJAX: its HMC, NUTS and MALA transitions, dual averaging and mass matrix estimate, as functions
of plain dicts.

BlackJAX runs a warm-up as one loop that cannot be cut, so the schedule is ours (``ppl.inference.mcmc.schedule``) and
only the parts are taken from it. Everything here is for one chain; the sampler maps it over chains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from blackjax.adaptation.mass_matrix import MassMatrixAdaptationState, WelfordAlgorithmState, mass_matrix_adaptation
from blackjax.adaptation.step_size import DualAveragingAdaptationState, dual_averaging_adaptation
from blackjax.mcmc import hmc, mala, nuts
from jaxtyping import Array, Float, PRNGKeyArray

Point = dict[str, Array]  # position [d], log_density [], gradient [d]
LogDensity = Callable[[Float[Array, " d"]], Float[Array, ""]]
Stats = dict[str, Array]
Transition = Callable[[PRNGKeyArray, Point, Float[Array, ""], Array], tuple[Point, Stats]]
"""(key, point, step size, inverse mass matrix [d] or [d, d]) → point, statistics of the transition."""


def nuts_kernel(log_density: LogDensity, max_depth: int) -> Transition:
    """The No-U-Turn transition; statistics by ArviZ's names."""
    kernel = nuts.build_kernel()

    def transition(key: PRNGKeyArray, point: Point, step_size: Array, inverse_mass: Array) -> tuple[Point, Stats]:
        state, info = kernel(key, _state(point), log_density, step_size, inverse_mass, max_depth)
        return _point(state), {
            "diverging": info.is_divergent,
            "acceptance_rate": info.acceptance_rate,
            "energy": info.energy,
            "n_steps": info.num_integration_steps,
            "tree_depth": info.num_trajectory_expansions,
        }

    return transition


def hmc_kernel(log_density: LogDensity, steps: int) -> Transition:
    """The transition of ``steps`` leapfrog steps."""
    kernel = hmc.build_kernel()

    def transition(key: PRNGKeyArray, point: Point, step_size: Array, inverse_mass: Array) -> tuple[Point, Stats]:
        state, info = kernel(key, _state(point), log_density, step_size, inverse_mass, steps)
        return _point(state), {
            "diverging": info.is_divergent,
            "acceptance_rate": info.acceptance_rate,
            "energy": info.energy,
            "n_steps": jnp.asarray(steps),
        }

    return transition


def mala_kernel(log_density: LogDensity) -> Transition:
    """The Metropolis-adjusted Langevin transition u + h ∇log γ + √(2h) noise, h the step size; the mass matrix is
    one."""
    kernel = mala.build_kernel()

    def transition(key: PRNGKeyArray, point: Point, step_size: Array, inverse_mass: Array) -> tuple[Point, Stats]:
        state, info = kernel(key, mala.MALAState(*_state(point)), log_density, step_size)
        return _point(hmc.HMCState(*state)), {"acceptance_rate": info.acceptance_rate}

    return transition


def _state(point: Point) -> hmc.HMCState:
    return hmc.HMCState(point["position"], point["log_density"], point["gradient"])


def _point(state: hmc.HMCState) -> Point:
    return {"position": state.position, "log_density": state.logdensity, "gradient": state.logdensity_grad}


class Adaptation:
    """Step size by dual averaging towards ``target_accept`` (Hoffman and Gelman 2014, section 3.2) and inverse mass
    matrix by Welford's estimate, shrunk as Stan does. The state is a dict of arrays."""

    def __init__(self, target_accept: float, dense: bool):
        self._dual = dual_averaging_adaptation(target_accept)
        self._mass = mass_matrix_adaptation(is_diagonal_matrix=not dense)

    def init(self, dimension: int, step_size: float) -> dict[str, Any]:
        inverse_mass, welford = self._mass[0](dimension)
        dual = self._dual[0](jnp.asarray(step_size, inverse_mass.dtype))
        return {
            "step_size": jnp.exp(dual.log_step_size),
            "inverse_mass": inverse_mass,
            "dual": dual._asdict(),
            "welford": welford._asdict(),
        }

    def update_step_size(self, state: dict[str, Any], accept: Float[Array, ""]) -> dict[str, Any]:
        dual = self._dual[1](DualAveragingAdaptationState(**state["dual"]), accept)
        return {**state, "step_size": jnp.exp(dual.log_step_size), "dual": dual._asdict()}

    def accumulate(self, state: dict[str, Any], position: Float[Array, " d"]) -> dict[str, Any]:
        mass = self._mass[1](self._mass_state(state), position)
        return {**state, "welford": mass.wc_state._asdict()}

    def end_window(self, state: dict[str, Any]) -> dict[str, Any]:
        """The metric of the window that ends; the step size is learnt anew from its average."""
        mass = self._mass[2](self._mass_state(state))
        dual = self._dual[0](self._dual[2](DualAveragingAdaptationState(**state["dual"])))
        return {
            "step_size": jnp.exp(dual.log_step_size),
            "inverse_mass": mass.inverse_mass_matrix,
            "dual": dual._asdict(),
            "welford": mass.wc_state._asdict(),
        }

    def final_step_size(self, state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "step_size": self._dual[2](DualAveragingAdaptationState(**state["dual"]))}

    @staticmethod
    def _mass_state(state: dict[str, Any]) -> MassMatrixAdaptationState:
        return MassMatrixAdaptationState(state["inverse_mass"], WelfordAlgorithmState(**state["welford"]))
