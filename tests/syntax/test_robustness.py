"""No text makes the parser or the formatter fail otherwise than by a finding."""

from __future__ import annotations

import random

import pytest

from ppl.compiler.diagnostics.diagnostic import Diagnostics, ModelError
from ppl.compiler.diagnostics.render import FORMATS, render
from ppl.compiler.diagnostics.span import Source
from ppl.compiler.syntax.format import format_source
from ppl.compiler.syntax.parse.lexer import lex
from ppl.compiler.syntax.parse.table import table
from ppl.compiler.syntax.parser import parse
from tests.syntax.helpers import MODELS, name_of

MUTATIONS = 25


def mutate(text: str, rng: random.Random) -> str:
    """Drops, doubles, exchanges or invents one to three tokens."""
    for _ in range(rng.randint(1, 3)):
        tokens = lex(Source("a", text), table()).tokens[:-1]
        if not tokens:
            return text
        token, other = rng.choice(tokens), rng.choice(tokens)
        new = rng.choice(["", f"{token.text} {token.text}", other.text, rng.choice("(){}[],;~=<>|.:?#\"'$\n&!")])
        text = text[: token.start] + new + text[token.end :]
    return text


@pytest.mark.parametrize("path", MODELS[:8], ids=name_of)
def test_mutated_models(path):
    rng = random.Random(path.stem)
    original = path.read_text(encoding="utf-8")
    for _ in range(MUTATIONS):
        source = Source.of("a", mutate(original, rng))
        module, found = parse(source)
        assert module is not None or found
        for format in FORMATS:
            render(Diagnostics({"a": source}, list(found)), format)
        if not found:
            format_source(source)
        else:
            with pytest.raises(ModelError):
                format_source(source)


def test_noise():
    rng = random.Random(2)
    words = [*table().literals, "x", "1", "0.5", '"s"', "\n", ";", "+", "*", "==", "μ", "\t", "#c\n", "$", '"', "/*"]
    for _ in range(300):
        text = " ".join(rng.choice(words) for _ in range(rng.randint(1, 40)))
        source = Source.of("a", text)
        module, found = parse(source)
        assert module is not None or found
        render(Diagnostics({"a": source}, list(found)))


@pytest.mark.parametrize(
    "text", ["(" * 500, "{" * 300, "model m() {" + "if a {" * 200, "const a = " + "-" * 2000 + "1", "x\x00y", "\ud7ff"]
)
def test_extremes(text):
    parse(Source.of("a", text))


@pytest.mark.parametrize("text", ["const a = " + "(" * 900 + "1" + ")" * 900, "const a = " + "not " * 900 + "b"])
def test_what_is_nested_too_deeply_is_said_so(text):
    assert [d.code for d in parse(Source.of("a", text))[1]] == ["E023"]
