"""Stan's blocks, declarations and loops."""

from __future__ import annotations

from ppl.compiler.diagnostics.diagnostic import Edit
from ppl.compiler.syntax.parse.token import Token
from ppl.compiler.syntax.recover.fix import Fix
from ppl.compiler.syntax.recover.foreign.at import At, finding, sign

_TYPES = frozenset(
    "real int vector matrix row_vector array simplex ordered positive_ordered cov_matrix corr_matrix complex".split()
)
_WRITTEN = {"vector": "real", "matrix": "real", "row_vector": "real", "cov_matrix": "cov", "corr_matrix": "corr"}
_BLOCKS = frozenset("parameters transformed generated functions".split())
_FLAT = (("~", "~"), ("NAME", "Flat"), ("(", "("), (")", ")"))


def loop(at: At) -> Fix | None:
    """``for (i in 1:N) {``, also R's and C's"""
    if at.kind() != "(" or at.kind(-1) not in ("for", "plate") or (at.kind(1), at.kind(2)) != ("NAME", "in"):
        return None
    close = _closing(at)
    if close is None:
        return None
    inner = [at.token(k) for k in range(1, close)]
    opening, closing = at.token(), at.token(close)
    edits = [Edit(at.span(opening), "" if at.token(-1).end < opening.start else " "), Edit(at.span(closing), "")]
    note = ""
    for k, token in enumerate(inner):
        if token.type == ":" and 0 < k < len(inner) - 1:
            inner[k] = sign("..", token)
            edits += [Edit(at.span(inner[k - 1]), "0")] if inner[k - 1].text == "1" and k == 3 else []
            edits.append(Edit(at.span(token), ".."))
            last = inner[k + 1].text
            note = f"indices start at 0 and ranges are half open: `1:{last}` of Stan and R is `0..{last}`"
    message, help = "a loop's index stands without parentheses", "write `for i in 0..N { … }`"
    found = finding("E014", message, at.span(opening, closing), "as in Stan, R and C", help, *edits, note=note)
    return at.fix(0, close + 1, tuple(inner), found)


def _closing(at: At) -> int | None:
    """The offset of the parenthesis that closes the failing one, on its line."""
    depth = 0
    for k in range(at.end()):
        depth += (at.kind(k) in ("(", "[")) - (at.kind(k) in (")", "]"))
        if depth == 0:
            return k
    return None


def declaration(at: At) -> Fix | None:
    """``real x;``, ``vector[N] y = e``, ``real<lower=0> sigma ~ D``"""
    first = at.first
    if at.declares or first.type != "NAME" or first.text not in _TYPES:
        return None
    name = _declared(at)
    if name is None or name < -1:
        return None
    target = at.token(name)
    type = _WRITTEN.get(first.text, first.text) + at.text(first, at.token(name - 1))[len(first.text) :]
    tokens: tuple[Token, ...]
    if at.kind(name + 1) == "=":
        help, text = "name the value with `let`", f"let {target.text}: {type}"
        tokens = (sign("let", first), target)
    elif at.kind(name + 1) == "~":
        help, text = "write the type behind the name", f"{target.text}: {type}"
        tokens = (target,)
    else:
        help = "variables are declared where they are drawn; data that is given is a parameter of the model"
        text = f"{target.text}: {type} ~ Flat()"
        tokens = (target, *(sign(kind, target, word) for kind, word in _FLAT))
    span = at.span(first, target)
    message, label = "a type stands behind the name it describes", "this is how Stan declares"
    return at.fix(at.start, name + 1, tokens, finding("E014", message, span, label, help, Edit(span, text)))


def _declared(at: At) -> int | None:
    """The offset of the name that is declared, behind ``<…>`` and ``[…]``."""
    k = at.start + 1
    for opener, closer in (("<", ">"), ("[", "]")):
        if at.kind(k) == opener:
            while at.kind(k) not in (closer, "NL", "END"):
                k += 1
            k += 1
    return k if at.kind(k) == "NAME" else None


def block(at: At) -> Fix | None:
    """``parameters {``, ``model {``"""
    stan = at.first.type in ("data", "model") or at.first.text in _BLOCKS
    if not at.declares or not stan or "{" not in (at.kind(0), at.kind(1), at.kind(2)):
        return None
    message = f"`{at.first.text} {{ … }}` is a block of Stan"
    note = (
        "what is given is a parameter of the model, `data y ~ D` an observed variable, `output t = e` a generated "
        "quantity"
    )
    help = "write `model name(parameters) { … }`"
    found = finding("E014", message, at.span(at.first), "a model is one declaration", help, note=note)
    return at.fix(at.start, at.block_end(), (), found)
