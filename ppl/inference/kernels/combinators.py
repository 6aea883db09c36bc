"""Kernels from kernels. Invariance is kept by all of these; reversibility by ``mix`` and ``on`` alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from ppl.core.control import iterate
from ppl.core.random import Source, categorical, split
from ppl.inference.claims import Claim, meet
from ppl.inference.kernels.base import Kernel, KernelInfo, LogDensity
from ppl.inference.representations import TracedValue


@dataclass(frozen=True, eq=False)
class Seq(Kernel):
    """One after the other: K₁ then K₂. Invariant; not reversible even where the parts are."""

    kernels: tuple[Kernel, ...]

    @property
    def name(self) -> str:  # type: ignore[override]
        return "seq(" + ", ".join(k.name for k in self.kernels) + ")"

    @property
    def claim(self) -> Claim:  # type: ignore[override]
        return meet(k.claim for k in self.kernels)

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        infos = []
        for k, kernel in zip(split(key, max(2, len(self.kernels))), self.kernels, strict=False):
            state, info = kernel.step(k, state, log_density)
            infos.append(jnp.asarray(info.accepted, float))
        return state, KernelInfo(jnp.stack(infos), jnp.asarray(jnp.nan))


@dataclass(frozen=True, eq=False)
class Mix(Kernel):
    """One of the kernels, chosen with fixed probabilities."""

    kernels: tuple[Kernel, ...]
    weights: tuple[float, ...]

    @property
    def name(self) -> str:  # type: ignore[override]
        return "mix(" + ", ".join(k.name for k in self.kernels) + ")"

    @property
    def claim(self) -> Claim:  # type: ignore[override]
        return meet(k.claim for k in self.kernels)

    @property
    def reversible(self) -> bool:  # type: ignore[override]
        return all(k.reversible for k in self.kernels)

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        pick, run = split(key)
        which = categorical(pick, jnp.log(jnp.asarray(self.weights)))

        def branch(kernel: Kernel) -> Callable[..., Any]:
            def body(k: Source, s: TracedValue) -> Any:
                new, info = kernel.step(k, s, log_density)
                return new, jnp.mean(jnp.asarray(info.accepted, float))

            return body

        state, accepted = jax.lax.switch(which, [branch(k) for k in self.kernels], run, state)
        return state, KernelInfo(accepted, jnp.asarray(jnp.nan))


@dataclass(frozen=True, eq=False)
class Repeated(Kernel):
    """The same kernel ``times`` times."""

    kernel: Kernel
    times: int

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"repeat({self.kernel.name}, {self.times})"

    @property
    def claim(self) -> Claim:  # type: ignore[override]
        return self.kernel.claim

    @property
    def reversible(self) -> bool:  # type: ignore[override]
        return self.kernel.reversible  # a power of a self-adjoint operator is self-adjoint

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        def body(k: Source, s: TracedValue) -> Any:
            s, info = self.kernel.step(k, s, log_density)
            return s, jnp.mean(jnp.asarray(info.accepted, float))

        state, accepted = iterate(key, self.times, body, state)
        return state, KernelInfo(jnp.mean(accepted), jnp.asarray(jnp.nan))


@dataclass(frozen=True, eq=False)
class On(Kernel):
    """A kernel on the full conditional of some sites of a trace (a dict), the others held fixed."""

    sites: tuple[str, ...]
    kernel: Kernel

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"on({', '.join(self.sites)}: {self.kernel.name})"

    @property
    def claim(self) -> Claim:  # type: ignore[override]
        return self.kernel.claim

    @property
    def reversible(self) -> bool:  # type: ignore[override]
        return self.kernel.reversible

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        part = {s: state.trace[s] for s in self.sites}
        inner, info = self.kernel.step(
            key, TracedValue(part, state.log_density), lambda p: log_density({**state.trace, **p})
        )
        return TracedValue({**state.trace, **inner.trace}, inner.log_density), info


def seq(*kernels: Kernel) -> Kernel:
    return Seq(kernels)


def mix(*kernels: Kernel, weights: Sequence[float] | None = None) -> Kernel:
    """``weights``: probabilities, equal if not given."""
    w = tuple(weights) if weights is not None else (1.0 / len(kernels),) * len(kernels)
    return Mix(kernels, w)


def cycle(*kernels: Kernel) -> Kernel:
    """Forward and back, K₁ … Kₘ Kₘ … K₁: reversible where the parts are, unlike ``seq``."""
    return Seq(kernels + kernels[::-1])


def repeated(kernel: Kernel, times: int) -> Kernel:
    return Repeated(kernel, times)


def select(*sites: str) -> tuple[str, ...]:
    return sites


def on(sites: tuple[str, ...] | str, kernel: Kernel) -> Kernel:
    """``on(select("mu", "theta"), random_walk(0.1))``"""
    return On((sites,) if isinstance(sites, str) else tuple(sites), kernel)
