"""What an inference method is: a frozen dataclass of parameters that can be bound to a target."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ppl.core.errors import MethodError, UsageError
from ppl.inference.claims import Claim

if TYPE_CHECKING:
    from ppl.core.target import Latent, Target
    from ppl.inference.program import Program


@dataclass(frozen=True)
class Needs:
    """What a method needs of a target.

    ``continuous``: every latent is continuous; ``gradient``: the log density is differentiable in them; ``finite``:
    every latent has finitely many values; ``sequential``: the target has a suspended form
    (``ppl.core.sequential``); ``ordered``: and it runs along the chains of the model, weighing as it goes."""

    continuous: bool = False
    gradient: bool = False
    finite: bool = False
    sequential: bool = False
    ordered: bool = False


@dataclass(frozen=True)
class Call:
    """A call in an argument of a method that is no method itself: ``kernel=on(select(x), hmc(0.1, 10))``. The method
    that takes it reads it."""

    name: str
    args: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()

    def expression(self) -> str:
        parts = [*map(_text, self.args), *(f"{k}={_text(v)}" for k, v in self.keywords)]
        return f"{self.name}({', '.join(parts)})"


def parameter(
    default: Any = dataclasses.MISSING,
    doc: str = "",
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A field of a method: ``least`` and ``most`` are inclusive bounds, ``above`` and ``below`` exclusive ones."""
    bounds = {"least": least, "most": most, "above": above, "below": below}
    return dataclasses.field(default=default, metadata={"doc": doc, "choices": choices, **bounds})


@dataclass(frozen=True)
class Method(ABC):
    """Abstract. A subclass is a frozen dataclass whose fields, made by ``parameter``, are the parameters of the
    method in the order of its positional arguments; it sets ``name``, ``summary``, ``claim`` and ``needs``.

    Constructing one with a wrong type or a value out of range raises UsageError (exit code 2)."""

    name: ClassVar[str]
    summary: ClassVar[str]
    claim: ClassVar[Claim]
    needs: ClassVar[Needs] = Needs()

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            object.__setattr__(self, f.name, _checked(type(self), f, getattr(self, f.name)))

    @abstractmethod
    def program(self, target: Target) -> Program:
        """This method bound to ``target``: what the runtime compiles and drives. Imports of JAX belong in here."""

    def resolve(self, target: Target) -> tuple[Method, str]:
        """The method that really runs, and why it was chosen; only ``auto`` answers with another one."""
        return self, ""

    def check(self, target: Target) -> None:
        """MethodError (exit code 3) where the target lacks what the method needs, naming the variables."""
        if self.needs.continuous:
            _no_discrete(self, target.latents)
        if self.needs.finite:
            _all_finite(self, target.latents)

    def expression(self) -> str:
        """The method as text that ``ppl.inference.methods.parse`` reads back."""
        return f"{self.name}({', '.join(f'{f.name}={_text(getattr(self, f.name))}' for f in dataclasses.fields(self))})"

    @property
    def proposed_by(self) -> str | None:
        """The guide from which the method draws its proposals, if it has one."""
        return getattr(self, "proposal", None)

    @property
    def identified(self) -> bool:
        """Whether ``expression`` says all: not where a part is a Python object."""
        return True

    @classmethod
    def signature(cls) -> str:
        """``nuts(chains: int = 4, …)``."""
        parts = []
        for f in dataclasses.fields(cls):
            required = f.default is dataclasses.MISSING
            parts.append(f"{f.name}: {f.type}" + ("" if required else f" = {_text(f.default)}"))
        return f"{cls.name}({', '.join(parts)})"

    @classmethod
    def parameters(cls) -> dict[str, dataclasses.Field[Any]]:
        return {f.name: f for f in dataclasses.fields(cls)}


def _text(value: Any) -> str:
    if isinstance(value, (Method, Call)):
        return value.expression()
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value)


def _checked(cls: type[Method], field: dataclasses.Field[Any], value: Any) -> Any:
    """``value`` converted to the type of the field and within its bounds."""
    meta = field.metadata
    if value is None and field.default is None:
        return None
    kind = str(field.type).removesuffix(" | None")
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind == "int" and isinstance(value, float) and value.is_integer():
        value = int(value)  # importance(1e4)
    wanted = {"int": int, "float": float, "bool": bool, "str": str}.get(kind)
    if wanted is not None and (not isinstance(value, wanted) or (kind != "bool" and isinstance(value, bool))):
        raise _wrong(
            cls, field, value, {"int": "an integer", "float": "a number", "bool": "true or false"}.get(kind, "a name")
        )
    if meta.get("choices") and value not in meta["choices"]:
        raise _wrong(cls, field, value, "one of " + ", ".join(meta["choices"]))
    low, high, above, below = (meta.get(k) for k in ("least", "most", "above", "below"))
    for bound, holds, words in (
        (low, lambda b: value >= b, "at least"),
        (high, lambda b: value <= b, "at most"),
        (above, lambda b: value > b, "greater than"),
        (below, lambda b: value < b, "less than"),
    ):
        if bound is not None and not holds(bound):
            raise _wrong(cls, field, value, f"{words} {bound}")
    return value


def _wrong(cls: type[Method], field: dataclasses.Field[Any], value: Any, needed: str) -> UsageError:
    notes = (f"{field.name}: {field.metadata['doc']}",) if field.metadata.get("doc") else ()
    return UsageError(
        f"`{field.name}` of {cls.name} is {_text(value)}, and must be {needed}",
        notes=(*notes, f"signature: {cls.signature()}"),
        helps=()
        if field.default is dataclasses.MISSING
        else (f"leave it out for the default, {_text(field.default)}",),
    )


def _names(latents: list[Latent]) -> str:
    return ", ".join(f"`{v.name}`" for v in latents)


def _no_discrete(method: Method, latents: tuple[Latent, ...]) -> None:
    discrete = [v for v in latents if v.discrete]
    if not discrete:
        return
    finite = all(v.support_size is not None for v in latents)
    instead = "enumerate" if finite else "importance(10000)"
    raise MethodError(
        f"{method.name} works on continuous random variables, but {_names(discrete)} "
        + ("is" if len(discrete) == 1 else "are")
        + " discrete and could not be summed out",
        notes=(
            "a discrete variable is summed out by the compiler where each of its elements has finitely many values and "
            "touches few others",
        ),
        helps=(
            f"run the model with --method '{instead}'",
            f"or sum {_names(discrete)} out by hand with `mixture(weights, …)`",
        ),
    )


def _all_finite(method: Method, latents: tuple[Latent, ...]) -> None:
    continuous = [v for v in latents if not v.discrete]
    if continuous:
        raise MethodError(
            f"{method.name} needs every random variable to have finitely many values, but {_names(continuous)} "
            + ("is" if len(continuous) == 1 else "are")
            + " continuous",
            helps=("use --method 'nuts' or let --method auto choose",),
        )
