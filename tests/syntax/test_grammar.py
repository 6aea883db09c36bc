"""The grammar is LALR(1) without conflicts, and our automaton runs it as Lark does."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ppl.compiler.diagnostics.span import Source
from ppl.compiler.syntax.parse import cache, engine, table
from ppl.compiler.syntax.parse.lexer import lex
from ppl.compiler.syntax.parse.newlines import significant
from ppl.compiler.syntax.parse.token import Token
from tests.syntax.helpers import MODELS, findings, module, name_of
from tests.syntax.language import PROGRAMS

GRAMMAR = table.GRAMMAR.read_text(encoding="utf-8")


def test_strict_lalr_with_the_contextual_lexer():
    pytest.importorskip("interegular", reason="Lark's strict mode compares terminals with it")
    table.lark(GRAMMAR, strict=True)  # a conflict raises GrammarError


class _Plain:
    """A builder of nested tuples: the tree that the grammar itself describes."""

    def __getattr__(self, action: str) -> Any:
        return lambda span, *parts: (action, *(p.text if isinstance(p, Token) else p for p in parts))


def _plain(tree: Any) -> Any:
    return (
        (str(tree.data), *map(_plain, tree.children)) if hasattr(tree, "data") else None if tree is None else str(tree)
    )


@pytest.fixture(scope="module")
def stock():
    return table.lark(GRAMMAR)


@pytest.mark.parametrize("path", MODELS, ids=name_of)
def test_the_automaton_agrees_with_lark(path, stock):
    from lark import Token as LarkToken

    rules = table.table()
    source = Source.of("a", path.read_text(encoding="utf-8"))
    tokens = significant(lex(source, rules).tokens)
    ours = engine.run(rules, tokens, _Plain(), "a")
    names = {t.pattern.value: t.name for t in stock.terminals if t.pattern.type == "str"} | {"NL": "_NL", "END": "$END"}
    lark = stock.parse_interactive("")
    for token in tokens:
        tree = lark.feed_token(LarkToken(names.get(token.type, token.type), token.text))
    assert _plain(tree) == ours


@pytest.mark.parametrize(
    "text",
    [
        "model m(a: real<lower=0>= 1) { x ~ D }",
        "const c: real<lower=0>=1",
        "const c = a >= 1",
        "fn f() -> index<K> { return a >= b }",
    ],
)
def test_the_lexer_follows_the_context_as_larks_does(text, stock):
    rules = table.table()
    ours = engine.run(rules, significant(lex(Source.of("a", text), rules).tokens), _Plain(), "a")
    assert _plain(stock.parse(text)) == ours


@pytest.mark.parametrize("text", PROGRAMS)
def test_the_language_reference_parses(text):
    module(text)


def test_keywords_are_never_names():
    words = re.search(r"\(\?!\(\?:(.*?)\)", GRAMMAR).group(1).split("|")
    literals = {text for text in table.table().literals if text.isidentifier() and text != "_"}
    assert literals <= set(words), "NAME excludes every keyword"
    for word in set(words) - {"true", "false"}:
        assert {d.code for d in findings(f"model m() {{\n  let {word} = 1\n}}\n")} == {"E008"}, word


def test_a_table_survives_its_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PPL_CACHE_DIR", str(tmp_path / "new"))
    key = cache.key("grammar")
    assert cache.load(key) is None
    cache.store(key, table.table().plain())
    assert table.Table.of_plain(cache.load(key)).plain() == table.table().plain()
    (file,) = (tmp_path / "new").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    assert cache.load(key) is None, "a damaged file is as good as none"


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("PPL_CACHE_DIR", str(tmp_path / "file" / "cache"))
    cache.store("key", (1, 2))
    assert cache.load("key") is None
