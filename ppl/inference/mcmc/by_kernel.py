"""Chains moved by a kernel that is named, or put together from full conditionals."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ppl.core.target import Target, Trace
from ppl.inference.kernels.bound import Bound
from ppl.inference.mcmc.metropolis import MetropolisChains
from ppl.inference.program import Finished, Records, State
from ppl.inference.representations import TracedValue


class KernelChains(MetropolisChains):
    """An iteration is ``thin`` steps of the kernel; nothing is adapted. Without a kernel in the method: the sweep over
    all full conditionals."""

    def __init__(self, target: Target, method: Any):
        super().__init__(target, method)
        bound = Bound(target, self.density)
        call = getattr(method, "kernel", None)
        self.kernel, self.notes = bound.sweep() if call is None else (bound.kernel(call), ())

    def step(self, key: Any, chain: Any, iteration: Any) -> tuple[Any, Trace, dict[str, Array]]:
        def once(state: Any, k: Any) -> Any:
            state, info = self.kernel.step(k, state, self.density)
            return state, jnp.mean(jnp.asarray(info.accepted, float))

        begin = TracedValue(chain["free"], chain["log_density"])
        state, rates = jax.lax.scan(once, begin, jax.random.split(key, self.method.thin))
        trace, _ = self.target.constrain(state.trace)
        trace = trace | {v.name: state.trace[v.name] for v in self.discrete}
        stats = {"acceptance_rate": jnp.mean(rates), "lp": state.log_density}
        return {**chain, "free": state.trace, "log_density": state.log_density}, trace, stats

    def finish(self, state: State, records: Records) -> Finished:
        result = super().finish(state, records)
        stuck = self._stuck(result.samples)
        return result._replace(notes=self.notes or result.notes, warnings=(*result.warnings, *stuck))

    def _stuck(self, samples: Trace) -> tuple[str, ...]:
        """Says which continuous latents no step has moved: the kernel is not one of the whole posterior."""
        arrays = {v.name: np.asarray(samples[v.name]) for v in self.target.latents if not v.discrete}
        names = [n for n, a in arrays.items() if a.shape[1] > 1 and a.size and not np.any(np.ptp(a, axis=1))]
        if not names:
            return ()
        listed = ", ".join(f"`{n}`" for n in names)
        return (
            f"{listed} never moved: the kernel leaves {'it' if len(names) == 1 else 'them'} at the starting values; "
            f"add a kernel for what is left, as in seq(…, on(select({', '.join(names)}), rw(0.5)))",
        )
