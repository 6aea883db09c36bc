"""E4: supports: values that surely lie where they must not."""

from ppl.compiler.diagnostics.codes.explanation import Explanation

EXPLANATIONS = (
    Explanation(
        "E401",
        "an argument that is never valid",
        "Constants are computed and intervals propagated when the program is checked. What is invalid for every "
        "value is an "
        "error; what may be valid is guarded when the program runs.",
        wrong="model m() {\n  x ~ Normal(0, -1)\n}\n",
        right="model m() {\n  x ~ Normal(0, 1)\n}\n",
    ),
    Explanation(
        "E402",
        "a declared type that cuts a distribution",
        "The declared type of a draw says what is drawn; it does not truncate, which would need the distribution's "
        "normaliser.",
        wrong="model m() {\n  sigma: pos ~ Normal(0, 1)\n  data y ~ Normal(0, sigma)\n}\n",
        right="model m() {\n  sigma: pos ~ HalfNormal(1)\n  data y ~ Normal(0, sigma)\n}\n",
    ),
    Explanation(
        "E403",
        "a value outside its declared type",
        "No value that the expression can take lies within the bounds of the declared type.",
        wrong="model m(scale: pos = -1) {\n  data y ~ Normal(0, scale)\n}\n",
        right="model m(scale: pos = 1) {\n  data y ~ Normal(0, scale)\n}\n",
    ),
    Explanation(
        "E404",
        "bounds that leave nothing",
        "The lower bound lies above the upper one, or a requirement never holds.",
        wrong="model m() {\n  x ~ Uniform(1, 0)\n}\n",
        right="model m() {\n  x ~ Uniform(0, 1)\n}\n",
    ),
)
