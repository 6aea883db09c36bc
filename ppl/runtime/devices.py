"""The device of a run: asked for, found or refused; never exchanged in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ppl.core.errors import UsageError

if TYPE_CHECKING:
    import jax

CHOICES = ("auto", "cpu", "gpu")


def choose(device: str = "auto") -> jax.Device:
    """The device named ``cpu`` or ``gpu``, or under ``auto`` the one that JAX prefers.

    UsageError (exit code 2) where there is no GPU for ``gpu``: the run does not fall back to the CPU."""
    import jax

    if device not in CHOICES:
        raise UsageError(
            f"there is no device `{device}`", notes=("devices: " + ", ".join(CHOICES),), helps=("--device auto",)
        )
    if device == "auto":
        return jax.devices()[0]
    try:
        return jax.devices(device)[0]
    except RuntimeError:
        found = ", ".join(sorted({d.platform for d in jax.devices()}))
        raise UsageError(
            "a GPU was asked for, and JAX finds none",
            notes=(f"JAX {jax.__version__} finds: {found}",),
            helps=("--device auto takes what there is", "install JAX with GPU support: pip install 'jax[cuda12]'"),
        ) from None
