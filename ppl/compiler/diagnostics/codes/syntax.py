"""E0: the text is not a program of the language."""

from ppl.compiler.diagnostics.codes.explanation import Explanation

EXPLANATIONS = (
    Explanation(
        "E001",
        "a character that begins no token",
        "The language uses letters, digits, `_`, quotes for strings and the usual operators. Quotes copied from a "
        "word processor and mathematical signs such as `≤` are common causes.",
        wrong="model m() {\n  x ~ Normal(0, 1 $)\n}\n",
        right="model m() {\n  x ~ Normal(0, 1)\n}\n",
    ),
)
