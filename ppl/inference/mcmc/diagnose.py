"""What the statistics of Hamiltonian transitions say about a run."""

from __future__ import annotations

import numpy as np


def energy_fraction(energy: np.ndarray) -> np.ndarray:
    """The estimated fraction of missing information of each chain (E-BFMI; Betancourt 2016), [chain] from [chain,
    draw]."""
    variance = energy.var(axis=1)
    steps = np.square(np.diff(energy, axis=1)).mean(axis=1) if energy.shape[1] > 1 else np.full(energy.shape[0], np.nan)
    return np.divide(steps, variance, out=np.full_like(steps, np.nan), where=variance > 0)


def warnings_of(stats: dict[str, np.ndarray], max_depth: int | None, target_accept: float) -> tuple[str, ...]:
    """One sentence for each thing that is wrong, with the next step."""
    said = []
    divergent = stats["diverging"].sum(axis=1)
    if divergent.sum():
        by_chain = ", ".join(str(int(n)) for n in divergent)
        raised = min(0.99, 0.5 * (1 + target_accept) if target_accept >= 0.9 else 0.95)
        said.append(
            f"{int(divergent.sum())} of {stats['diverging'].size} transitions diverged (by chain: {by_chain}): "
            f"the draws may miss a region of high curvature; try target_accept={raised:g}, or write the scale "
            "out of the prior (x = loc + scale * z, z ~ Normal(0, 1))"
        )
    if max_depth is not None and "tree_depth" in stats:
        full = stats["tree_depth"] >= max_depth
        if full.mean() > 0.01:
            said.append(
                f"{int(full.sum())} of {full.size} trajectories ended at max_depth={max_depth}: sampling is slow, "
                f"not wrong; try max_depth={max_depth + 2}, metric=dense, or variables on similar scales"
            )
    if stats["energy"].shape[1] >= 100:
        low = np.flatnonzero(energy_fraction(stats["energy"]) < 0.3)
        if low.size:
            said.append(
                f"chains {', '.join(map(str, low))} explore the energy slowly (E-BFMI under 0.3): tails may be missed; "
                "try more warmup, or a parameterisation with lighter tails"
            )
    return tuple(said)
