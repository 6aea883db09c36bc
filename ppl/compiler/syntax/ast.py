"""The abstract syntax of the model language: what the text says, before any name is resolved.

Every node is frozen and carries its span, which equality ignores: two texts with the same meaning to the parser
(other layout, other comments) have equal syntax trees. That is the law that ``ppl fmt`` checks on every run.
"""

from __future__ import annotations

from dataclasses import field

from ppl.compiler.diagnostics.record import record
from ppl.compiler.diagnostics.span import NOWHERE, Span


@record
class Node:
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


# --- types ------------------------------------------------------------------------------------------------------


class TypeExpr(Node):
    __slots__ = ()


@record
class NamedType(TypeExpr):
    """``real``, ``pos``, ``Tree``, ``real<lower=0>``, ``index<K>``, ``Dist<real>``, ``Target<Z>``.

    ``bounds`` holds ``lower=``/``upper=``; ``args`` what stands between ``<`` ``>`` without a name: types, or
    expressions for ``index<K>`` (a bare name parses as ``NamedType``; the checker decides which was meant)."""

    name: str
    args: tuple[TypeExpr | Expr, ...] = ()
    bounds: tuple[tuple[str, Expr], ...] = ()


@record
class ArrayType(TypeExpr):
    """``T[n, m]``; for ``simplex[K]`` and the like ``element`` is ``NamedType("simplex")``."""

    element: TypeExpr
    dims: tuple[Expr, ...]


@record
class MissingType(TypeExpr):
    """``T?``"""

    element: TypeExpr


@record
class TupleType(TypeExpr):
    elements: tuple[TypeExpr, ...]


@record
class RecordType(TypeExpr):
    fields: tuple[tuple[str, TypeExpr], ...]


@record
class FnType(TypeExpr):
    params: tuple[TypeExpr, ...]
    result: TypeExpr


@record
class Constructor(Node):
    """``Leaf(real)`` in a ``type`` declaration."""

    name: str
    args: tuple[TypeExpr, ...]


@record
class SumType(TypeExpr):
    """``| Leaf(real) | Node(Tree, Tree)``"""

    constructors: tuple[Constructor, ...]


# --- expressions ------------------------------------------------------------------------------------------------


class Expr(Node):
    __slots__ = ()


@record
class IntLit(Expr):
    value: int


@record
class FloatLit(Expr):
    """``text`` is the literal as written, so that the formatter does not change it."""

    value: float
    text: str = field(default="", compare=False)


@record
class BoolLit(Expr):
    value: bool


@record
class StringLit(Expr):
    value: str


@record
class Name(Expr):
    id: str


@record
class Unary(Expr):
    """``op`` is ``-``, ``+`` or ``not``."""

    op: str
    operand: Expr


@record
class Binary(Expr):
    """``op`` is one of ``+ - * / % ^ @ == != < <= > >= and or``."""

    op: str
    left: Expr
    right: Expr


@record
class IfExpr(Expr):
    condition: Expr
    then: Expr
    otherwise: Expr


@record
class Slice(Node):
    """``:`` (both bounds absent) or ``lo..hi`` inside ``[ ]``."""

    lower: Expr | None
    upper: Expr | None


@record
class Index(Expr):
    base: Expr
    subscripts: tuple[Expr | Slice, ...]


@record
class Attribute(Expr):
    """``r.field``, ``A.T``, ``module.name``."""

    base: Expr
    name: str
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@record
class Arg(Node):
    """An argument of a call, with its keyword if it has one."""

    name: str | None
    value: Expr


@record
class Call(Expr):
    function: Expr
    args: tuple[Arg, ...]


@record
class Range(Expr):
    """``lower..upper``, half open."""

    lower: Expr
    upper: Expr


@record
class ArrayLit(Expr):
    elements: tuple[Expr, ...]


@record
class LoopIndex(Node):
    """``i in N``: ``range`` is a size or a ``Range``."""

    name: str
    range: Expr
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@record
class Comprehension(Expr):
    """``[e for i in N, k in K]``"""

    element: Expr
    indices: tuple[LoopIndex, ...]


@record
class TupleLit(Expr):
    elements: tuple[Expr, ...]


@record
class Field(Node):
    """``a = e`` in a record, a ``given`` or the like; ``{b}`` is short for ``{b = b}`` (``value`` is then None)."""

    name: str
    value: Expr | None


@record
class RecordLit(Expr):
    fields: tuple[Field, ...]


@record
class Lambda(Expr):
    """``fn(x: real) => e`` or ``fn(x: real) -> T { … }``."""

    params: tuple[Param, ...]
    result: TypeExpr | None
    body: Expr | Block


@record
class ExprArm(Node):
    pattern: Pattern
    value: Expr


@record
class MatchExpr(Expr):
    subject: Expr
    arms: tuple[ExprArm, ...]


@record
class Infer(Expr):
    """``infer { … } by method(…)``; ``method`` is a Name or a Call, None where nothing was said."""

    body: Block
    method: Expr | None


@record
class Expect(Expr):
    body: Block


@record
class Given(Expr):
    """``m(args) given {y = e}``"""

    model: Expr
    fields: tuple[Field, ...]


# --- patterns ---------------------------------------------------------------------------------------------------


class Pattern(Node):
    __slots__ = ()


@record
class PName(Pattern):
    """A name: a binder, or a constructor without arguments (the checker decides)."""

    name: str


@record
class PWildcard(Pattern):
    pass


@record
class PLiteral(Pattern):
    value: Expr


@record
class PConstructor(Pattern):
    name: str
    args: tuple[Pattern, ...]


@record
class PTuple(Pattern):
    elements: tuple[Pattern, ...]


# --- statements -------------------------------------------------------------------------------------------------


@record
class Stmt(Node):
    """``doc`` is the ``##`` comment that stands before it."""

    doc: str | None = field(default=None, compare=False, repr=False, kw_only=True)


@record
class Block(Node):
    statements: tuple[Stmt, ...]


@record
class Let(Stmt):
    """``let target: type = value``; the target is a Name, an Index of a Name, or a TupleLit of these."""

    target: Expr
    type: TypeExpr | None
    value: Expr


@record
class VarStmt(Stmt):
    name: str
    type: TypeExpr | None
    value: Expr
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@record
class Assign(Stmt):
    """``s = e``; the target is a Name or an Index of a Name."""

    target: Expr
    value: Expr


@record
class Via(Node):
    """``via reinforce(baseline = e)``"""

    name: str
    args: tuple[Arg, ...]


@record
class Draw(Stmt):
    """``[data|aux] target: type ~ dist [via …]``; the target as in ``Let``."""

    role: str  # "latent", "data" or "aux"
    target: Expr
    type: TypeExpr | None
    dist: Expr
    via: Via | None


@record
class Observe(Stmt):
    value: Expr
    dist: Expr


@record
class Factor(Stmt):
    value: Expr


@record
class Require(Stmt):
    condition: Expr


@record
class Output(Stmt):
    name: str
    type: TypeExpr | None
    value: Expr
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@record
class ParamStmt(Stmt):
    """``param w: T = init``"""

    name: str
    type: TypeExpr | None
    value: Expr
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@record
class Plate(Stmt):
    indices: tuple[LoopIndex, ...]
    body: Block


@record
class For(Stmt):
    index: LoopIndex
    body: Block


@record
class If(Stmt):
    """``otherwise`` is a Block; ``else if`` is a Block that holds one If."""

    condition: Expr
    then: Block
    otherwise: Block | None


@record
class StmtArm(Node):
    pattern: Pattern
    body: Block


@record
class Match(Stmt):
    subject: Expr
    arms: tuple[StmtArm, ...]


@record
class Return(Stmt):
    value: Expr


# --- declarations -----------------------------------------------------------------------------------------------


@record
class Param(Node):
    """``a: pos = 1``; the type may be absent in lambdas only."""

    name: str
    type: TypeExpr | None
    default: Expr | None = None
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@record
class Generic(Node):
    """``N``, ``K: size`` or ``Z: trace`` between ``[ ]`` behind a declared name."""

    name: str
    kind: str | None


@record
class Decl(Node):
    """``doc`` is the ``##`` comment that stands before it."""

    name: str
    doc: str | None = field(default=None, compare=False, repr=False, kw_only=True)
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@record
class Import(Decl):
    """``import "path" as name``; without ``as`` the name is that of the file."""

    path: str


@record
class TypeDecl(Decl):
    generics: tuple[Generic, ...]
    definition: TypeExpr


@record
class ConstDecl(Decl):
    type: TypeExpr | None
    value: Expr


@record
class FnDecl(Decl):
    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    result: TypeExpr | None
    body: Block


@record
class ModelDecl(Decl):
    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    result: TypeExpr | None
    body: Block


@record
class GuideDecl(Decl):
    """``guide q[N](…) for coin[N] { … }``"""

    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    target: Expr
    target_sizes: tuple[Expr, ...]
    body: Block


@record
class ObjectiveDecl(Decl):
    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    result: TypeExpr | None
    body: Block


@record
class DistDecl(Decl):
    """``dist D(params) over type { logpdf(x) { … } sample { … } }``"""

    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    over: TypeExpr
    logpdf_arg: str | None
    logpdf: Block | None
    sample: Block | None


@record
class ExternFnDecl(Decl):
    """``extern fn f(x: real) -> real = "module:name"``; ``source`` is None when given from Python."""

    generics: tuple[Generic, ...]
    params: tuple[Param, ...]
    result: TypeExpr
    source: str | None


@record
class Comment(Node):
    """A comment as written, with its marks; ``trailing`` where code stands before it on its line."""

    text: str
    trailing: bool


@record
class Module(Node):
    """One file."""

    declarations: tuple[Decl, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False)
