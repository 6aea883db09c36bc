"""A Gaussian at the mode."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.core.errors import NumericalError
from ppl.core.target import Target
from ppl.inference.optimise.mode import Mode
from ppl.inference.program import Finished, Records, State, typed_key
from ppl.inference.run import Evidence


class LaplaceApproximation(Mode):
    """u ~ Normal(û, (−H)⁻¹) with û the mode of the unconstrained density and H its Hessian there, and
    log Z ≈ log γ(û) + (d/2) log 2π − (1/2) log det(−H). Exact where log γ is quadratic in u."""

    def __init__(self, target: Target, method: Any):
        super().__init__(target, method, jacobian=True)

    def finish(self, state: State, records: Records) -> Finished:
        position, density, warnings, notes = self.best(state)
        precision = -np.asarray(jax.jit(jax.hessian(self._maximised))(position, self.arrays))
        try:
            factor = np.linalg.cholesky(precision)
        except np.linalg.LinAlgError:
            raise self._no_maximum(precision) from None
        noise = np.asarray(
            jax.random.normal(typed_key(state["key"]), (self.method.draws, position.size), position.dtype)
        )
        draws = position + np.linalg.solve(factor.T, noise.T).T
        log_det = 2 * float(np.log(np.diag(factor)).sum())
        evidence = density + 0.5 * position.size * np.log(2 * np.pi) - 0.5 * log_det
        density_here = np.asarray(jax.jit(jax.vmap(self._maximised, in_axes=(0, None)))(draws, self.arrays))
        approximate = density - 0.5 * np.square(noise).sum(axis=1)
        ratio = density_here - approximate
        fraction = _efficiency(ratio)
        if fraction < 0.5:
            warnings += (f"the Gaussian fits badly: as a proposal its efficiency is {fraction:.0%}; use nuts",)
        return Finished(
            draws[None],
            {"lp": density_here[None], "log_ratio": ratio[None]},
            evidence=Evidence(float(evidence), None),
            warnings=warnings,
            notes=(*notes, f"efficiency of the Gaussian as a proposal: {fraction:.0%}"),
        )

    def _no_maximum(self, precision: np.ndarray) -> NumericalError:
        values, vectors = (
            np.linalg.eigh(precision)
            if np.isfinite(precision).all()
            else (np.array([np.nan]), np.ones((precision.shape[0], 1)))
        )
        parts = self.layout.unravel(jnp.abs(vectors[:, 0]))
        worst = max(parts, key=lambda n: float(np.max(parts[n], initial=0.0)), default="")
        return NumericalError(
            f"the density has no proper maximum: the smallest eigenvalue of minus the Hessian is {values[0]:.3g} "
            "where the search ended",
            notes=(f"the flattest direction is mostly `{worst}`",),
            helps=("give it a proper prior, or use --method 'nuts'",),
        )


def _efficiency(log_ratio: np.ndarray) -> float:
    """(Σ w)² / (n Σ w²), and 0 where a ratio is not finite."""
    if not np.isfinite(log_ratio).all():
        return 0.0
    w = np.exp(log_ratio - log_ratio.max())
    return float(w.sum() ** 2 / (w.size * np.square(w).sum()))
