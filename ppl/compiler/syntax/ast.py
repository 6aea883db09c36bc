"""The abstract syntax of the model language: what the text says, before any name is resolved.

Every node is frozen and carries its span, which equality ignores: two texts with the same meaning to the parser
(other layout, other comments) have equal syntax trees. That is the law that ``ppl fmt`` checks on every run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ppl.compiler.diagnostics.span import NOWHERE, Span


def _span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Node:
    span: Span = _span()


# --- types ------------------------------------------------------------------------------------------------------


class TypeExpr(Node):
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NamedType(TypeExpr):
    """``real``, ``pos``, ``Tree``, ``real<lower=0>``, ``index<K>``, ``Dist<real>``, ``Target<Z>``.

    ``bounds`` holds ``lower=``/``upper=``; ``args`` what stands between ``<`` ``>`` without a name: types, or
    expressions for ``index<K>`` (a bare name parses as ``NamedType``; the checker decides which was meant)."""

    name: str
    args: tuple[TypeExpr | Expr, ...] = ()
    bounds: tuple[tuple[str, Expr], ...] = ()


@dataclass(frozen=True, slots=True)
class ArrayType(TypeExpr):
    """``T[n, m]``; for ``simplex[K]`` and the like ``element`` is ``NamedType("simplex")``."""

    element: TypeExpr
    dims: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class MissingType(TypeExpr):
    """``T?``"""

    element: TypeExpr


@dataclass(frozen=True, slots=True)
class TupleType(TypeExpr):
    elements: tuple[TypeExpr, ...]


@dataclass(frozen=True, slots=True)
class RecordType(TypeExpr):
    fields: tuple[tuple[str, TypeExpr], ...]


@dataclass(frozen=True, slots=True)
class FnType(TypeExpr):
    params: tuple[TypeExpr, ...]
    result: TypeExpr


@dataclass(frozen=True, slots=True)
class Constructor(Node):
    """``Leaf(real)`` in a ``type`` declaration."""

    name: str
    args: tuple[TypeExpr, ...]


@dataclass(frozen=True, slots=True)
class SumType(TypeExpr):
    """``| Leaf(real) | Node(Tree, Tree)``"""

    constructors: tuple[Constructor, ...]


# --- expressions ------------------------------------------------------------------------------------------------


class Expr(Node):
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class IntLit(Expr):
    value: int


@dataclass(frozen=True, slots=True)
class FloatLit(Expr):
    """``text`` is the literal as written, so that the formatter does not change it."""

    value: float
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class BoolLit(Expr):
    value: bool


@dataclass(frozen=True, slots=True)
class StringLit(Expr):
    value: str


@dataclass(frozen=True, slots=True)
class Name(Expr):
    id: str


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    """``op`` is ``-``, ``+`` or ``not``."""

    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """``op`` is one of ``+ - * / % ^ @ == != < <= > >= and or``."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class IfExpr(Expr):
    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Slice(Node):
    """``:`` (both bounds absent) or ``lo..hi`` inside ``[ ]``."""

    lower: Expr | None
    upper: Expr | None


@dataclass(frozen=True, slots=True)
class Index(Expr):
    base: Expr
    subscripts: tuple[Expr | Slice, ...]


@dataclass(frozen=True, slots=True)
class Attribute(Expr):
    """``r.field``, ``A.T``, ``module.name``."""

    base: Expr
    name: str
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Arg(Node):
    """An argument of a call, with its keyword if it has one."""

    name: str | None
    value: Expr


@dataclass(frozen=True, slots=True)
class Call(Expr):
    function: Expr
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class Range(Expr):
    """``lower..upper``, half open."""

    lower: Expr
    upper: Expr


@dataclass(frozen=True, slots=True)
class ArrayLit(Expr):
    elements: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class LoopIndex(Node):
    """``i in N``: ``range`` is a size or a ``Range``."""

    name: str
    range: Expr
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Comprehension(Expr):
    """``[e for i in N, k in K]``"""

    element: Expr
    indices: tuple[LoopIndex, ...]


@dataclass(frozen=True, slots=True)
class TupleLit(Expr):
    elements: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Field(Node):
    """``a = e`` in a record, a ``given`` or the like; ``{b}`` is short for ``{b = b}`` (``value`` is then None)."""

    name: str
    value: Expr | None


@dataclass(frozen=True, slots=True)
class RecordLit(Expr):
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Lambda(Expr):
    """``fn(x: real) => e`` or ``fn(x: real) -> T { … }``."""

    params: tuple[Param, ...]
    result: TypeExpr | None
    body: Expr | Block


@dataclass(frozen=True, slots=True)
class ExprArm(Node):
    pattern: Pattern
    value: Expr


@dataclass(frozen=True, slots=True)
class MatchExpr(Expr):
    subject: Expr
    arms: tuple[ExprArm, ...]


@dataclass(frozen=True, slots=True)
class Infer(Expr):
    """``infer { … } by method(…)``; ``method`` is a Name or a Call, None where nothing was said."""

    body: Block
    method: Expr | None


@dataclass(frozen=True, slots=True)
class Expect(Expr):
    body: Block


@dataclass(frozen=True, slots=True)
class Given(Expr):
    """``m(args) given {y = e}``"""

    model: Expr
    fields: tuple[Field, ...]


# --- patterns ---------------------------------------------------------------------------------------------------


class Pattern(Node):
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class PName(Pattern):
    """A name: a binder, or a constructor without arguments (the checker decides)."""

    name: str


@dataclass(frozen=True, slots=True)
class PWildcard(Pattern):
    pass


@dataclass(frozen=True, slots=True)
class PLiteral(Pattern):
    value: Expr


@dataclass(frozen=True, slots=True)
class PConstructor(Pattern):
    name: str
    args: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class PTuple(Pattern):
    elements: tuple[Pattern, ...]


# --- statements -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stmt(Node):
    """``doc`` is the ``##`` comment that stands before it."""

    doc: str | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Block(Node):
    statements: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class Let(Stmt):
    """``let target: type = value``; the target is a Name, an Index of a Name, or a TupleLit of these."""

    target: Expr
    type: TypeExpr | None
    value: Expr


@dataclass(frozen=True, slots=True)
class VarStmt(Stmt):
    name: str
    type: TypeExpr | None
    value: Expr
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Assign(Stmt):
    """``s = e``; the target is a Name or an Index of a Name."""

    target: Expr
    value: Expr


@dataclass(frozen=True, slots=True)
class Via(Node):
    """``via reinforce(baseline = e)``"""

    name: str
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class Draw(Stmt):
    """``[data|aux] target: type ~ dist [via …]``; the target as in ``Let``."""

    role: str  # "latent", "data" or "aux"
    target: Expr
    type: TypeExpr | None
    dist: Expr
    via: Via | None


@dataclass(frozen=True, slots=True)
class Observe(Stmt):
    value: Expr
    dist: Expr


@dataclass(frozen=True, slots=True)
class Factor(Stmt):
    value: Expr


@dataclass(frozen=True, slots=True)
class Require(Stmt):
    condition: Expr


@dataclass(frozen=True, slots=True)
class Output(Stmt):
    name: str
    type: TypeExpr | None
    value: Expr
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class ParamStmt(Stmt):
    """``param w: T = init``"""

    name: str
    type: TypeExpr | None
    value: Expr
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Plate(Stmt):
    indices: tuple[LoopIndex, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class For(Stmt):
    index: LoopIndex
    body: Block


@dataclass(frozen=True, slots=True)
class If(Stmt):
    """``otherwise`` is a Block; ``else if`` is a Block that holds one If."""

    condition: Expr
    then: Block
    otherwise: Block | None


@dataclass(frozen=True, slots=True)
class StmtArm(Node):
    pattern: Pattern
    body: Block


@dataclass(frozen=True, slots=True)
class Match(Stmt):
    subject: Expr
    arms: tuple[StmtArm, ...]


@dataclass(frozen=True, slots=True)
class Return(Stmt):
    value: Expr


# --- declarations -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Param(Node):
    """``a: pos = 1``; the type may be absent in lambdas only."""

    name: str
    type: TypeExpr | None
    default: Expr | None = None
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Generic(Node):
    """``N``, ``K: size`` or ``Z: trace`` between ``[ ]`` behind a declared name."""

    name: str
    kind: str | None


@dataclass(frozen=True, slots=True)
class Decl(Node):
    """``doc`` is the ``##`` comment that stands before it."""

    name: str
    doc: str | None = field(default=None, compare=False, repr=False, kw_only=True)
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Import(Decl):
    """``import "path" as name``; without ``as`` the name is that of the file."""

    path: str


@dataclass(frozen=True, slots=True)
class TypeDecl(Decl):
    generics: tuple[Generic, ...]
    definition: TypeExpr


@dataclass(frozen=True, slots=True)
class ConstDecl(Decl):
    type: TypeExpr | None
    value: Expr


@dataclass(frozen=True, slots=True)
class FnDecl(Decl):
    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    result: TypeExpr | None
    body: Block


@dataclass(frozen=True, slots=True)
class ModelDecl(Decl):
    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    result: TypeExpr | None
    body: Block


@dataclass(frozen=True, slots=True)
class GuideDecl(Decl):
    """``guide q[N](…) for coin[N] { … }``"""

    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    target: Expr
    target_sizes: tuple[Expr, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class ObjectiveDecl(Decl):
    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    result: TypeExpr | None
    body: Block


@dataclass(frozen=True, slots=True)
class DistDecl(Decl):
    """``dist D(params) over type { logpdf(x) { … } sample { … } }``"""

    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    over: TypeExpr
    logpdf_arg: str | None
    logpdf: Block | None
    sample: Block | None


@dataclass(frozen=True, slots=True)
class ExternFnDecl(Decl):
    """``extern fn f(x: real) -> real = "module:name"``; ``source`` is None when given from Python."""

    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    result: TypeExpr
    source: str | None


@dataclass(frozen=True, slots=True)
class Comment(Node):
    """A comment as written, with its marks; ``trailing`` where code stands before it on its line."""

    text: str
    trailing: bool


@dataclass(frozen=True, slots=True)
class Module(Node):
    """One file."""

    declarations: tuple[Decl, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False)
