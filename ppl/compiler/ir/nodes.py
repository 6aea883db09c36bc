"""The typed intermediate representation: structured A-normal form.

A ``Block`` is a sequence of statements; every intermediate value has a name (``Var``), is defined once, and carries
type, support, level and span. Blocks nest only in ``If``, ``Match``, ``Plate``, ``For``/``Scan``, ``SumOut``,
``ForwardSum``, closures, ``Infer`` and ``Expect``. Inner blocks see the variables of the outer ones; nothing defined
inside leaves, except through the explicit results of the statement (``results``, ``stacked``, ``carries``).

Random variables. A *site* is a whole random variable (``theta``), an *element* of it is drawn by one ``Draw`` with
affine ``indices``. Inside the iteration that drew it, an element is the Var that the Draw defines. Elements of earlier
iterations are read by ``Lag``. When a loop has ended, its ``stacked`` results hold the drawn elements with a leading
axis, and ``Assemble`` puts the pieces of a site together into the Var of the whole array. So a program has no
mutable arrays, and every value flows by name.

State variables (``var s``; ``s = e2``) are in single-assignment form: an ``If`` returns the new values as results, a
loop carries them.

In a ``Plate`` reads ``a[i + c]`` of an outer array, proved in range, are ``mapped``; any other read is an ``IndexOp``.

Example::

    model schools[J](se: pos[J]) {          model schools [J] (se: real[J])
      mu ~ Normal(0, 5)                       mu = draw "mu" Normal(loc=0, scale=5)
      tau ~ HalfCauchy(5)                     tau = draw "tau" HalfCauchy(scale=5)
      plate j in J {                          plate j in 0..J (mapped se_j = se[j]) {
        theta[j] ~ Normal(mu, tau)              theta_j = draw "theta"[j] Normal(loc=mu, scale=tau)
        data y[j] ~ Normal(theta[j], se[j])     y_j = draw data "y"[j] Normal(loc=theta_j, scale=se_j)
      }                                       } stacked (theta_s = theta_j, y_s = y_j)
    }                                         theta = assemble "theta" [0..J: theta_s]
                                              y = assemble "y" [0..J: y_s]
"""

from __future__ import annotations

from dataclasses import field
from enum import IntEnum, StrEnum

from ppl.compiler.diagnostics.record import record
from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.ir.sizes import ZERO, Size
from ppl.compiler.ir.supports import ANYTHING, Support
from ppl.compiler.ir.types import Type


class Level(IntEnum):
    """What a value depends on: the greatest of the levels of its inputs."""

    CONSTANT = 0
    DATA = 1  # parameters of the model, sizes, and ``data`` variables (so only where they are given)
    DISCRETE = 2  # at least one discrete random variable, no continuous one
    CONTINUOUS = 3  # a continuous random variable, or a learnable parameter


class Role(StrEnum):
    LATENT = "latent"
    DATA = "data"
    AUX = "aux"


def _span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False, kw_only=True)


# --- atoms ------------------------------------------------------------------------------------------------------


class Atom:
    __slots__ = ()


@record
class Var(Atom):
    """A named value. ``id`` is unique in the whole model (readable: the source name, with a suffix if taken)."""

    id: str
    type: Type = field(compare=False)
    support: Support = field(default=ANYTHING, compare=False)
    level: Level = field(default=Level.CONSTANT, compare=False)
    span: Span = _span()


@record
class Lit(Atom):
    """A number, a bool or a string."""

    value: int | float | bool | str
    type: Type
    span: Span = _span()


@record
class SizeAtom(Atom):
    """A symbolic size used as an int."""

    size: Size
    span: Span = _span()


@record
class FunctionRef(Atom):
    """A top-level ``fn``, ``extern fn`` or builtin used as a value."""

    name: str
    type: Type = field(compare=False)
    span: Span = _span()


@record
class ModelRef(Atom):
    """A model, guide or objective used as a value (not yet applied)."""

    name: str
    type: Type = field(compare=False)
    span: Span = _span()


# --- operations: right-hand sides of Let --------------------------------------------------------------------------


class Op:
    __slots__ = ()


@record
class Prim(Op):
    """A builtin function or operator of ``builtins.BUILTINS``, by name (``+``, ``neg``, ``exp``, ``matmul``,
    ``zeros``, …). Keyword arguments are already in the positions of the signature. Sizes are SizeAtoms.

    ``copy`` is the identity (names a value)."""

    name: str
    args: tuple[Atom, ...]


@record
class Call(Op):
    """Application of a function value: a FunctionRef of the program, a closure, or the ModelRef of an objective.
    ``sizes``: the values of the size variables of a generic ``fn``."""

    function: Atom
    args: tuple[Atom, ...]
    sizes: tuple[tuple[str, Size], ...] = ()


@record
class Closure(Op):
    """A lambda; it captures the variables of the enclosing blocks by name. ``recursive`` is the Var by which the
    body refers to the closure itself, if it does."""

    params: tuple[Var, ...]
    body: Block
    recursive: Var | None = None


@record
class MakeDist(Op):
    """A distribution: primitive (``Normal``), combinator (``iid``, ``truncated``, ``mixture``; distribution arguments
    are atoms of type Dist) or user ``dist``. ``args`` pairs parameter names with atoms, in the order of the
    signature; an optional parameter that was not given is absent.

    ``batch``: independent copies asked for by a declared type larger than the event of the distribution, as leading
    axes. Array arguments of scalar distributions are elementwise: they give batch axes by themselves. So the type
    ``Dist<T>`` of the value has T = batch + batch of the arguments + event.

    The ``D`` of ``mixture`` is either one distribution, whose last batch axis are the components, or a MakeArray of
    distributions. ``sizes``: the values of the size variables of a user's generic ``dist``."""

    name: str
    args: tuple[tuple[str, Atom], ...]
    batch: tuple[Size, ...] = ()
    sizes: tuple[tuple[str, Size], ...] = ()


@record
class ApplyModel(Op):
    """``m(args)`` as a value of type Dist (or Target/Guide where such is asked for)."""

    model: Atom
    args: tuple[tuple[str, Atom], ...]
    sizes: tuple[tuple[str, Size], ...] = ()


@record
class GivenOp(Op):
    """``target given {y = e}``; ``sizes``: the values of the size variables of the model that are known."""

    target: Atom
    fields: tuple[tuple[str, Atom], ...]
    sizes: tuple[tuple[str, Size], ...] = ()


@record
class Marginal(Op):
    """``marginal(m(args), keep = (…), by = method)``"""

    target: Atom
    keep: tuple[str, ...]
    method: Method | None


@record
class Method:
    """An inference method named in a program: ``importance(100)``."""

    name: str
    args: tuple[Atom, ...] = ()
    kwargs: tuple[tuple[str, Atom], ...] = ()
    span: Span = _span()


@record
class InferOp(Op):
    """``infer { … } by method``: a value of type Dist over the block's result. The block draws and conditions.

    ``seed``, an int, fixes the random numbers of a method that samples: given it the operation is deterministic (the
    pass ``seeds`` draws it)."""

    body: Block
    method: Method | None
    seed: Atom | None = None


@record
class DeriveSeed(Op):
    """A seed of its own for each ``path``, a tuple of ints, from another seed."""

    seed: Atom
    path: tuple[Atom, ...]


@record
class Particles(Op):
    """Of a distribution ``dist`` on particles: with ``part="index"`` the distribution of a particle's number, by
    weight; with "value" the value of particle ``index``; with "alive" whether any has a positive weight."""

    dist: Atom
    part: str
    index: Atom | None = None


@record
class LogEvidence(Op):
    """The log of the total mass of the block: by enumeration, or the log of the mean weight of n executions, whose
    random numbers ``seed`` fixes (the mean is unbiased). Made by the pass ``inline``."""

    body: Block
    method: Method
    seed: Atom | None = None


@record
class ExpectOp(Op):
    """``expect { … }``: the expectation of the block's result over the block's draws."""

    body: Block


@record
class Density(Op):
    """``density(p, z)``: log density of target or guide ``p`` at trace ``z``."""

    target: Atom
    trace: Atom


@record
class LogProb(Op):
    """``logprob(d, x)``, ``logpdf(d, x)`` (same thing) or, with ``kind="cdf"``, the distribution function."""

    dist: Atom
    value: Atom
    kind: str = "logprob"


@record
class MakeTuple(Op):
    elements: tuple[Atom, ...]


@record
class GetItem(Op):
    """Component of a tuple, by position."""

    base: Atom
    position: int


@record
class MakeRecord(Op):
    fields: tuple[tuple[str, Atom], ...]


@record
class GetField(Op):
    """Field of a record, or variable of a trace or of a submodel's value."""

    base: Atom
    name: str


@record
class MakeArray(Op):
    """Stacks its elements along a new leading axis."""

    elements: tuple[Atom, ...]


@record
class MakeSum(Op):
    """A constructor of a sum type applied to its arguments."""

    constructor: str
    args: tuple[Atom, ...]


@record
class SliceAtom:
    """``lo..hi`` in a subscript; both static sizes. The whole axis is ``SliceAtom(None, None)``."""

    lower: Size | None
    upper: Size | None


@record
class IndexOp(Op):
    """``a[i, :, 0..2]``. Fewer subscripts than axes take the leading ones. Integer atoms drop their axis; an atom
    that is an array of ints gathers. ``checked``: the compiler has proved every subscript in range."""

    base: Atom
    subscripts: tuple[Atom | SliceAtom, ...]
    checked: bool = False


@record
class Lag(Op):
    """What the iteration ``distance`` ≥ 1 before this one drew (or let) of ``site``: the ``value`` of the ``Window``
    that the loop has for the site. ``loop`` is the id of the loop's index. Lags stand only at the start of the body
    of their ``For``, one for each site and distance; the pass ``loops`` replaces them by carries."""

    site: str
    distance: int
    loop: str


@record
class Piece:
    """``value`` covers the index box ``ranges`` (one half-open range an axis, in the site's own coordinates). Its
    leading axes are those of the box, in order: an element drawn alone, ``x[0]``, is wrapped by ``MakeArray``."""

    ranges: tuple[tuple[Size, Size], ...]
    value: Atom


@record
class Assemble(Op):
    """The whole array of ``site`` from pieces that cover it exactly (the checker has proved or guards it)."""

    site: str
    pieces: tuple[Piece, ...]


@record
class Map(Op):
    """``[e for i in lo..hi]`` with one index, pure. ``mapped`` as in Plate."""

    index: Var
    lower: Size
    upper: Size
    body: Block
    mapped: tuple[MappedRead, ...] = ()


# --- statements -------------------------------------------------------------------------------------------------


class Stmt:
    __slots__ = ()
    span: Span


@record
class Block:
    """``results`` are the values that leave the block (of a function or model body: the returned value, or none)."""

    statements: tuple[Stmt, ...]
    results: tuple[Atom, ...] = ()


@record
class Let(Stmt):
    var: Var
    op: Op
    span: Span = _span()


@record
class Strategy:
    """A gradient strategy: reparam, reinforce, enum, mvd or a user's; ``auto`` where the compiler chose it."""

    name: str
    args: tuple[tuple[str, Atom], ...] = ()
    auto: bool = False


@record
class Draw(Stmt):
    """``var`` ~ ``dist`` at address ``site``[``indices``]. For ``f ~ submodel(…)`` (``dist`` of a model) before
    inlining, ``var`` is the submodel's returned value and its variables get the addresses ``site.name``.

    ``indices`` are atoms, each an affine expression in loop indices (a Var of a loop, a SizeAtom/Lit, or a Var defined
    as such plus a constant); ``affine`` gives them as polynomials over loop index ids and size variables.

    ``absent``: this path does not draw the variable; it stands for itself by noise that nothing reads
    (``absent_draws``)."""

    var: Var
    site: str
    dist: Atom
    role: Role = Role.LATENT
    indices: tuple[Atom, ...] = ()
    affine: tuple[Size, ...] = ()
    strategy: Strategy | None = None
    missing: bool = False  # declared T?: entries may be absent from the data
    absent: bool = False
    span: Span = _span()


@record
class SimDraw(Stmt):
    """``(trace, logq) ~ sim(guide)`` in an expectation."""

    trace: Var
    log_density: Var
    guide: Atom
    span: Span = _span()


@record
class Observe(Stmt):
    value: Atom
    dist: Atom
    span: Span = _span()


@record
class Factor(Stmt):
    value: Atom
    span: Span = _span()


@record
class Require(Stmt):
    condition: Atom
    span: Span = _span()


@record
class Output(Stmt):
    """Kept in the results under ``name`` (inside plates: with the plates' axes in front)."""

    name: str
    value: Atom
    span: Span = _span()


@record
class ParamStmt(Stmt):
    """A learnable parameter with its initial value; ``var.support`` says what it is constrained to."""

    var: Var
    site: str
    init: Atom
    span: Span = _span()


@record
class If(Stmt):
    """``results`` receive the results of the branch taken: both blocks have as many."""

    condition: Atom
    then: Block
    otherwise: Block
    results: tuple[Var, ...] = ()
    span: Span = _span()


@record
class Case:
    """``constructor(binders)``: None is the default case. Nested patterns and literals are lowered to nested Match
    and If."""

    constructor: str | None
    binders: tuple[Var, ...]
    body: Block


@record
class Match(Stmt):
    subject: Atom
    cases: tuple[Case, ...]
    results: tuple[Var, ...] = ()
    span: Span = _span()


@record
class MappedRead:
    """In iteration ``i`` of the loop, ``var`` is ``array[i + offset]`` (leading axis). Sliced once, outside the
    loop."""

    var: Var
    array: Atom
    offset: Size


@record
class Stacked:
    """After the loop, ``var`` holds the iterations' ``value`` with a leading axis of length upper − lower."""

    var: Var
    value: Atom


@record
class Carry:
    """A loop-carried value: ``var`` inside the body, ``init`` before the first iteration, ``next`` at the end of
    the body, ``final`` after the loop. ``lag = (site, distance)`` where it is a window on earlier draws, so that an
    interpretation in which the site is known need not run in order."""

    var: Var
    init: Atom
    next: Atom
    final: Var | None = None
    lag: tuple[str, int] | None = None


@record
class Plate(Stmt):
    """Conditionally independent iterations of ``index`` in lower..upper. ``plate i, k`` is two nested plates.

    ``axis`` names the dimension in the results (the size's name, or the index's)."""

    index: Var
    lower: Size
    upper: Size
    body: Block
    stacked: tuple[Stacked, ...] = ()
    mapped: tuple[MappedRead, ...] = ()
    axis: str = ""
    span: Span = _span()


@record
class Window:
    """The earlier elements of ``site`` that a loop reads by ``Lag``. ``value`` is the body's Var for what the current
    iteration draws of the site (with axes if inner plates draw it). ``init[k - 1]`` is that of ``k`` iterations before
    the first; None where no iteration reads it (a guard, ``if t == 0``): any value of the type will do."""

    site: str
    value: Atom
    init: tuple[Atom | None, ...]


@record
class For(Stmt):
    """Ordered iterations. As built by the checker its body may start with ``Lag``s, whose sites stand in ``windows``
    (their greatest distance is the length of ``init``); ``carries`` are the ``var`` variables.
    The pass ``loops`` turns it into a ``Scan`` (all lags made carries) or a ``Plate`` (nothing crosses iterations)."""

    index: Var
    lower: Size
    upper: Size
    body: Block
    carries: tuple[Carry, ...] = ()
    stacked: tuple[Stacked, ...] = ()
    windows: tuple[Window, ...] = ()
    axis: str = ""
    span: Span = _span()


@record
class Scan(Stmt):
    index: Var
    lower: Size
    upper: Size
    body: Block
    carries: tuple[Carry, ...] = ()
    stacked: tuple[Stacked, ...] = ()
    mapped: tuple[MappedRead, ...] = ()
    axis: str = ""
    span: Span = _span()


@record
class FiniteValues:
    """The values v_0 … v_{count-1} of a discrete variable: ``table[k]`` (an array in scope), or ``first + k`` where
    there is no table. A bool is ``k == 1``."""

    count: Size
    first: Size = ZERO
    table: Atom | None = None


@record
class SumOut(Stmt):
    """A discrete random variable summed out over the statements that read it. Made by the pass ``enumerate_local``.

    ``body`` holds the ``Draw`` that defines ``var`` (directly, not deeper) and the statements that depend on it. Let

        w_k = log weight that ``body`` adds when that Draw is given the value v_k (the Draw's own log density included).

    Density: adds logsumexp_k w_k; ``body`` is evaluated for all k at once along one mapped axis. The other Draws of
    ``body`` take the values that the trace (or the data) gives them: they are scored, never drawn. A SumOut nests.
    Posterior: k ~ Categorical(logits = w), v_k is recorded at the Draw's address, then ``body`` is run with
    ``var`` = v_k, so that a nested SumOut draws its own variable given k.
    Simulation: ``body`` is run as if it stood in place of the SumOut.

    ``results`` receive ``body.results``. What a density scores outside of the body reads only results that do not
    depend on ``var`` given the trace (values of other Draws of ``body``), so a density may take them from any k. Other
    results (``var`` itself, say) are read only by what no density scores: outputs, whole arrays, deferred draws."""

    var: Var
    values: FiniteValues
    body: Block
    results: tuple[Var, ...] = ()
    span: Span = _span()


@record
class ForwardSum(Stmt):
    """A Markov chain z of a discrete variable summed out by the forward algorithm. Made by the pass
    ``eliminate_chain``.

    ``start`` holds the ``Draw`` that defines ``first`` = z_{lower-1} and the statements that depend on it; ``body``,
    one iteration, holds the ``Draw`` that defines ``var`` = z_index and may read ``previous`` = z_{index-1}. With v_k
    the values,

        a_k    = log weight that ``start`` adds when first = v_k
        W_t,jk = log weight that ``body`` adds in iteration t when previous = v_j and var = v_k
        a'_k   = logsumexp_j (a_j + W_t,jk), for t in lower..upper

    (both weights include the chain's own log density). Density: adds logsumexp_k of the last a. Other Draws are
    scored at the values that the trace gives. Posterior: z_last ~ Categorical(logits = a), then backwards
    z_{t-1} ~ Categorical(logits = a_{t-1,j} + W_t,j,z_t). Simulation: ``start``, then a Scan whose carry is
    ``previous``.

    ``results`` receive ``start.results`` and are in scope in the initial values of ``carries`` and in ``body``; the
    other variables of ``start`` are not. ``carries``, ``mapped`` and ``stacked`` are as in Scan. What a density
    scores reads only those of them, and of ``results``, that do not depend on the chain; the others are for outputs,
    as in SumOut."""

    first: Var
    previous: Var
    var: Var
    values: FiniteValues
    start: Block
    index: Var
    lower: Size
    upper: Size
    body: Block
    results: tuple[Var, ...] = ()
    carries: tuple[Carry, ...] = ()
    stacked: tuple[Stacked, ...] = ()
    mapped: tuple[MappedRead, ...] = ()
    axis: str = ""
    span: Span = _span()


# --- declarations -----------------------------------------------------------------------------------------------


@record
class Parameter:
    """A parameter of a model or function: ``default`` is evaluated by ``default_block`` where it is not given.
    ``is_size``: its value is the static size named ``var.id``. ``missing``: entries may be absent."""

    name: str
    var: Var
    default: Block | None = None
    is_size: bool = False
    missing: bool = False
    doc: str | None = None


@record
class SiteInfo:
    """A random variable as a whole: what ``ppl info`` prints and data are checked against.

    ``type`` with all axes; ``axes`` names a result dimension for each axis of plates and loops (then the event's own,
    named after sizes where the type has them, else empty)."""

    name: str
    type: Type
    support: Support
    role: Role
    discrete: bool
    axes: tuple[str, ...] = ()
    missing: bool = False
    doc: str | None = None
    span: Span = _span()


@record
class SizeCheck:
    """Two sizes that must be equal (or, with ``relation="<="``, ordered): checked when data are loaded."""

    left: Size
    right: Size
    reason: str
    relation: str = "=="
    span: Span = _span()


@record
class Function:
    """A top-level ``fn``. ``source`` is set for ``extern fn`` (module:name, or "" when given from Python): ``body``
    is None then."""

    name: str
    sizes: tuple[str, ...]
    params: tuple[Parameter, ...]
    result: Type
    body: Block | None
    source: str | None = None
    recursive: bool = False
    size_checks: tuple[SizeCheck, ...] = ()
    span: Span = _span()


@record
class UserDist:
    """``logpdf`` is a block over params and ``value``; ``sample`` a block with draws. Either may be None."""

    name: str
    sizes: tuple[str, ...]
    params: tuple[Parameter, ...]
    event: Type
    support: Support
    value: Var | None
    logpdf: Block | None
    sample: Block | None
    span: Span = _span()


@record
class Model:
    """A model (``kind="model"``), guide or objective. ``sites`` in the order of the text; ``calls`` the models it
    runs."""

    name: str
    kind: str
    sizes: tuple[str, ...]
    params: tuple[Parameter, ...]
    result: Type | None
    body: Block
    sites: tuple[SiteInfo, ...] = ()
    outputs: tuple[tuple[str, Type], ...] = ()
    size_checks: tuple[SizeCheck, ...] = ()
    guide_for: str | None = None
    calls: frozenset[str] = frozenset()
    recursive: bool = False
    doc: str | None = None
    span: Span = _span()


@record
class ConstructorInfo:
    name: str
    args: tuple[Type, ...]


@record
class SumInfo:
    name: str
    constructors: tuple[ConstructorInfo, ...]
    recursive: bool = False


@record
class Program:
    """A checked file with everything that it imports. Names of imported declarations are ``alias.name``.

    ``constants`` are evaluated once: a block whose result is the value."""

    models: tuple[Model, ...] = ()
    functions: tuple[Function, ...] = ()
    dists: tuple[UserDist, ...] = ()
    sums: tuple[SumInfo, ...] = ()
    constants: tuple[tuple[Var, Block], ...] = ()

    def model(self, name: str) -> Model:
        return next(m for m in self.models if m.name == name)

    def function(self, name: str) -> Function:
        return next(f for f in self.functions if f.name == name)

    def dist(self, name: str) -> UserDist:
        return next(d for d in self.dists if d.name == name)
