"""Types of values. Constraints (positive, simplex, …) are supports, kept apart in ``supports``."""

from __future__ import annotations

from dataclasses import field

from ppl.compiler.diagnostics.record import record
from ppl.compiler.ir.sizes import Size


class Type:
    __slots__ = ()


@record
class Scalar(Type):
    """``name`` is ``real``, ``int``, ``bool`` or ``string`` (only in messages and methods)."""

    name: str

    def __str__(self) -> str:
        return self.name


REAL, INT, BOOL, STRING = Scalar("real"), Scalar("int"), Scalar("bool"), Scalar("string")


@record
class IndexType(Type):
    """``index<K>``: an int in ``0..K``; promotes to ``int``."""

    size: Size

    def __str__(self) -> str:
        return f"index<{self.size}>"


@record
class SizeType(Type):
    """A static non-negative int, known when the program is compiled; promotes to ``int``."""

    def __str__(self) -> str:
        return "size"


@record
class Array(Type):
    """Never nested: an array of arrays has one shape. ``element`` is not an Array; it may be any other type
    (an array of functions or records is a structure of arrays when it runs)."""

    element: Type
    shape: tuple[Size, ...]

    def __str__(self) -> str:
        return f"{self.element}[{', '.join(map(str, self.shape))}]"


@record
class Tuple(Type):
    elements: tuple[Type, ...]

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.elements))})"


UNIT = Tuple(())


@record
class Record(Type):
    fields: tuple[tuple[str, Type], ...]

    def __str__(self) -> str:
        return "{" + ", ".join(f"{n}: {t}" for n, t in self.fields) + "}"


@record
class Sum(Type):
    """A declared sum type, by name; its constructors stand in ``Program.sums``."""

    name: str

    def __str__(self) -> str:
        return self.name


@record
class Function(Type):
    params: tuple[Type, ...]
    result: Type

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.params))}) -> {self.result}"


@record
class Dist(Type):
    """A distribution, or an applied model, over values of type ``value``. ``event``: how many of the last axes of the
    value are one event's, None where that is not known. A Var of this type has the support of the drawn values."""

    value: Type
    event: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"Dist<{self.value}>"


@record
class Trace(Type):
    """The latent variables of a model as one value; ``name`` is the trace variable (``Z``) or the model."""

    name: str

    def __str__(self) -> str:
        return self.name


@record
class Target(Type):
    trace: Type

    def __str__(self) -> str:
        return f"Target<{self.trace}>"


@record
class Guide(Type):
    trace: Type

    def __str__(self) -> str:
        return f"Guide<{self.trace}>"


@record
class Unknown(Type):
    """Stands where a type could not be found because of an error already reported; agrees with everything."""

    def __str__(self) -> str:
        return "?"


def array(element: Type, *shape: Size) -> Type:
    """``element`` with the axes ``shape`` in front (flattens nested arrays; no axes gives ``element``)."""
    if not shape:
        return element
    if isinstance(element, Array):
        return Array(element.element, tuple(shape) + element.shape)
    return Array(element, tuple(shape))


def element(t: Type) -> Type:
    return t.element if isinstance(t, Array) else t


def shape(t: Type) -> tuple[Size, ...]:
    return t.shape if isinstance(t, Array) else ()
