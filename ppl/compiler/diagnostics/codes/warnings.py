"""W1: valid programs that are probably not meant. `# ppl: allow W101` on the line, on the line before or at the top
of the file
silences a warning."""

from ppl.compiler.diagnostics.codes.explanation import Explanation

_RIGHT = "model m() {\n  mu ~ Normal(0, 1)\n  data y ~ Normal(mu, 1)\n}\n"

EXPLANATIONS = (
    Explanation(
        "W101",
        "a random variable that is never used",
        "Nothing reads the variable and it predicts nothing: its posterior is its prior.",
        wrong="model m() {\n  mu ~ Normal(0, 1)\n  nu ~ Normal(0, 1)\n  data y ~ Normal(mu, 1)\n}\n",
        right=_RIGHT,
    ),
    Explanation(
        "W102",
        "a value that is never read",
        "The `let` or `var` has no effect. Values that should be in the results are kept by `output`.",
        wrong="model m() {\n  mu ~ Normal(0, 1)\n  let twice = 2 * mu\n  data y ~ Normal(mu, 1)\n}\n",
        right="model m() {\n  mu ~ Normal(0, 1)\n  output twice = 2 * mu\n  data y ~ Normal(mu, 1)\n}\n",
    ),
    Explanation(
        "W103",
        "a random variable without influence on the data",
        "The variable is read, but no data, output or result depends on it: its posterior is its prior.",
        wrong="model m() {\n  mu ~ Normal(0, 1)\n  scale ~ HalfNormal(1)\n  e ~ Normal(0, scale)\n"
        "  data y ~ Normal(mu, 1)\n}\n",
        right="model m() {\n  mu ~ Normal(0, 1)\n  scale ~ HalfNormal(1)\n  e ~ Normal(0, scale)\n"
        "  data y ~ Normal(mu + e, 1)\n}\n",
    ),
    Explanation(
        "W104",
        "an improper prior",
        "`Flat()` integrates to infinity. The posterior may be improper too, and the model can't be simulated.",
        wrong="model m() {\n  mu ~ Flat()\n  data y ~ Normal(mu, 1)\n}\n",
        right="model m() {\n  mu ~ Normal(0, 10)\n  data y ~ Normal(mu, 1)\n}\n",
    ),
    Explanation(
        "W105",
        "hard bounds that look accidental",
        "Wide round bounds exclude values for good, and the posterior piles up where they bind. A soft prior of "
        "the same width "
        "says what is meant.",
        wrong="model m() {\n  mu ~ Uniform(-100, 100)\n  data y ~ Normal(mu, 1)\n}\n",
        right="model m() {\n  mu ~ Normal(0, 50)\n  data y ~ Normal(mu, 1)\n}\n",
    ),
    Explanation(
        "W106",
        "a gamma prior with two tiny parameters",
        "`Gamma(ε, ε)` and `InverseGamma(ε, ε)` are meant to say little, but have a peak at 0 and a heavy tail "
        "that can dominate "
        "the data (Gelman, Prior distributions for variance parameters in hierarchical models, 2006).",
        wrong="model m() {\n  rate ~ Gamma(0.001, 0.001)\n  data y ~ Exponential(rate)\n}\n",
        right="model m() {\n  rate ~ HalfNormal(1)\n  data y ~ Exponential(rate)\n}\n",
    ),
    Explanation(
        "W107",
        "a declared type wider than its use",
        "The type allows values that the place of their use does not: with the narrower type such data are refused "
        "when they are "
        "loaded, by name and index.",
        wrong="model m[N](se: real[N]) {\n  mu ~ Normal(0, 1)\n  data y ~ Normal(mu, se)\n}\n",
        right="model m[N](se: pos[N]) {\n  mu ~ Normal(0, 1)\n  data y ~ Normal(mu, se)\n}\n",
    ),
)
