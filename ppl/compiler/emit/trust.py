"""Which guards are needless: arguments proved valid by the compiler, values inside the support by construction."""

from __future__ import annotations

import numpy as np
from numpyro.distributions import Distribution

from ppl.compiler.ir.distributions import DISTRIBUTIONS
from ppl.compiler.ir.nodes import Atom, Lit, MakeDist, SizeAtom, Var
from ppl.compiler.ir.supports import Booleans, Integers, Interval, Structured, Support
from ppl.core.distributions.copies import Copies
from ppl.core.distributions.guarded import Guarded, guard


def arguments_proved(op: MakeDist) -> bool:
    """Whether every argument is known to satisfy its constraint, whatever the values of the variables are."""
    signature = DISTRIBUTIONS.get(op.name)
    if signature is None or signature.combinator:
        return False
    params = {p.name: p for p in signature.params}
    return all(name in params and _proved(atom, params[name].support) for name, atom in op.args)


def _proved(atom: Atom, needed: Support) -> bool:
    match atom:
        case Lit(value=int() | float() as value):
            return _includes(needed, Interval(value, value))
        case Var(support=support):
            return _includes(needed, support)
    return isinstance(atom, SizeAtom)


def _includes(wide: Support, narrow: Support) -> bool:
    match wide, narrow:
        case Interval(lower=lower, upper=upper), _ if (lower, upper) == (-np.inf, np.inf):
            return True
        case Interval() as w, Interval() as n:
            above = n.lower > w.lower or (n.lower == w.lower and (n.lower_open or not w.lower_open))
            below = n.upper < w.upper or (n.upper == w.upper and (n.upper_open or not w.upper_open))
            return above and below
    return isinstance(wide, Structured) and wide == narrow


def without_domain(dist: Distribution) -> Distribution:
    """The distribution for values that are known to lie in its support."""
    match dist:
        case Guarded(base=base, valid=valid):
            return guard(base, valid, None)
        case Copies(base=base, copies=copies):
            return Copies(without_domain(base), copies)
    return dist


def lies_inside(array: np.ndarray, support: Support) -> bool:
    """Whether all entries lie in a support that does not depend on values."""
    match support:
        case Interval(dynamic=False, lower=lower, upper=upper):
            above = (array > lower) if support.lower_open else (array >= lower)
            below = (array < upper) if support.upper_open else (array <= upper)
            return bool(np.all(above & below))
        case Integers(dynamic=False, lower=lower, upper=None) if isinstance(lower, int):
            return bool(np.all((array >= lower) & (array == np.floor(array))))
        case Booleans():
            return bool(np.all((array == 0) | (array == 1)))
    return False
