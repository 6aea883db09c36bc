"""Compilation for programs that run once."""

from __future__ import annotations

from functools import partial

import jax

# The tests compile hundreds of small programs and run each once: LLVM's optimisations would take most of their time.
quick_jit = partial(
    jax.jit, compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
)
