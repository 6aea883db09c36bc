"""Kernels on finite spaces: the whole transition matrix."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from ppl.core.errors import ResourceError
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.chains import FiniteTarget, as_chain
from ppl.inference.validation.enumeration import Replay, branches

_BRANCHES = 2_000  # from one state: more would take minutes of eager evaluation


def check_finite(kernel: Any, target: FiniteTarget, seed: int = 0, draws: int = 2_000) -> tuple[Check, ...]:
    """Invariance πP = π to 1e-12 where the kernel's choices can be enumerated (it makes them through
    ``ppl.core.random``), and irreducibility: of the enumerated matrix, or else of the transitions seen in ``draws``
    from every state."""
    chain = as_chain(kernel, target.exact())
    pi = target.probabilities
    found = _enumerated(kernel, target)
    exact = found is not None
    checks: tuple[Check, ...] = ()
    if found is not None:
        matrix = found
        off = pi @ matrix - pi
        worst = int(np.argmax(np.abs(off)))
        error = float(np.abs(off).max() + np.abs(matrix.sum(1) - 1).max())
        checks = (
            Check(
                "leaves the target invariant",
                "enumeration",
                f"{len(pi)} states",
                "passed" if error < 1e-12 else "refuted",
                0.0,
                0,
                {"state": worst, "mass": float((pi @ matrix)[worst]), "should be": float(pi[worst])},
                None,
                chain.name,
                seed,
            ),
        )
    else:
        matrix = _sampled(kernel, target, seed, draws)
    reach = np.linalg.matrix_power((matrix > 0).astype(float) + np.eye(len(pi)), len(pi)) > 0
    live = pi > 0
    missed = np.argwhere(~reach & live[:, None] & live[None, :])
    said = (
        {"cannot reach": f"state {missed[0][1]} from state {missed[0][0]}"}
        if len(missed)
        else {"states": int(live.sum())}
    )
    oracle = "enumeration" if exact else f"{draws} draws a state"
    return *checks, Check(
        "irreducible",
        oracle,
        "transition matrix",
        "refuted" if len(missed) else "passed",
        0.0,
        0 if exact else draws,
        said,
        None,
        chain.name,
        seed,
    )


def _enumerated(kernel: Any, target: FiniteTarget) -> np.ndarray | None:
    """None where the kernel takes its randomness elsewhere than from the source it is given."""
    try:
        return np.stack([_row(kernel, target, i) for i in range(len(target.probabilities))])
    except ResourceError:
        return None
    except (TypeError, AttributeError, ValueError, jax.errors.JAXTypeError) as error:
        if isinstance(error, ValueError) and "break" not in str(error) and not _foreign(error):
            raise
        return None


def _row(kernel: Any, target: FiniteTarget, i: int) -> np.ndarray:
    """The probabilities of the states behind state ``i``."""
    chain = as_chain(kernel, target.exact()._replace(sample=lambda key: target.state(i)))
    start = chain.start(jax.random.key(0))
    every = branches(lambda source: chain.read(chain.step(source, start)), _BRANCHES)
    row = np.zeros(len(target.probabilities))
    return sum((b.probability * np.asarray(target.matches(b.value)) for b in every), row)


def _foreign(error: BaseException) -> bool:
    """Whether JAX refused the scripted source as a key."""
    return Replay.__name__ in str(error)


def _sampled(kernel: Any, target: FiniteTarget, seed: int, draws: int) -> np.ndarray:
    """Frequencies of the transitions out of each state."""
    exact = target.exact()

    def one(key: Any, state: Any) -> Any:
        chain = as_chain(kernel, exact._replace(sample=lambda _: state))
        begin, move = jax.random.split(key)
        return target.matches(chain.read(chain.step(move, chain.start(begin))))

    compiled = jax.jit(jax.vmap(jax.vmap(one, in_axes=(0, None)), in_axes=(None, 0)))
    return np.asarray(compiled(jax.random.split(jax.random.key(seed), draws), target.states)).mean(1)
