"""E5: guides against models, gradient strategies."""

from ppl.compiler.diagnostics.codes.explanation import Explanation

_MODEL = "model m() {\n  mu ~ Normal(0, 1)\n  tau ~ Gamma(2, 1)\n  data y ~ Normal(mu, tau)\n}\n\n"
_COIN = "model m() {\n  c ~ Bernoulli(0.5)\n  x ~ Normal(0, 1)\n  data y ~ Normal(where(c, x, -x), 1)\n}\n\n"
_RIGHT = _MODEL + "guide q() for m {\n  param a: real = 0\n  mu ~ Normal(a, 1)\n  tau ~ LogNormal(0, 1)\n}\n"

EXPLANATIONS = (
    Explanation(
        "E501",
        "a guide that misses a latent variable",
        "A guide draws every latent variable of its model, on every path.",
        wrong=_MODEL + "guide q() for m {\n  mu ~ Normal(0, 1)\n}\n",
        right=_RIGHT,
    ),
    Explanation(
        "E502",
        "a guide with a variable that the model does not have",
        "Such a draw would silently change the objective. An extra variable of the guide is marked `aux`.",
        wrong=_MODEL + "guide q() for m {\n  mu ~ Normal(0, 1)\n  tau ~ LogNormal(0, 1)\n  extra ~ Normal(0, 1)\n}\n",
        right=_MODEL
        + "guide q() for m {\n  aux extra ~ Normal(0, 1)\n  mu ~ Normal(extra, 1)\n  tau ~ LogNormal(0, 1)\n}\n",
    ),
    Explanation(
        "E503",
        "a guide's variable of another type or size",
        "A variable has one type in the model and in its guide.",
        wrong=_MODEL + "guide q() for m {\n  mu: real[2] ~ Normal(0, 1)\n  tau ~ LogNormal(0, 1)\n}\n",
        right=_RIGHT,
    ),
    Explanation(
        "E504",
        "a guide that draws outside the model's support",
        "The guide must be absolutely continuous with respect to the posterior: where it may draw, the model has mass, "
        "and both are discrete or both continuous.",
        wrong=_MODEL + "guide q() for m {\n  mu ~ Normal(0, 1)\n  tau ~ Normal(1, 1)\n}\n",
        right=_RIGHT,
    ),
    Explanation(
        "E505",
        "a guide's variable in the wrong role",
        "A guide draws the latent variables of the model, not its data, and without `aux`.",
        wrong=_MODEL + "guide q() for m {\n  mu ~ Normal(0, 1)\n  tau ~ LogNormal(0, 1)\n  y ~ Normal(0, 1)\n}\n",
        right=_RIGHT,
    ),
    Explanation(
        "E506",
        "`via reparam` on a discrete draw",
        "A discrete value jumps when a parameter moves: it has no pathwise derivative.",
        wrong=_COIN
        + "guide q() for m {\n  param p: prob = 0.5\n  c ~ Bernoulli(p) via reparam\n  x ~ Normal(0, 1)\n}\n",
        right=_COIN + "guide q() for m {\n  param p: prob = 0.5\n  c ~ Bernoulli(p) via enum\n  x ~ Normal(0, 1)\n}\n",
    ),
    Explanation(
        "E507",
        "`via reparam` on a draw that reaches a discontinuity",
        "A pathwise derivative does not see the jumps of comparisons, rounding, indices and branches: the gradient "
        "would be "
        "silently wrong.",
        wrong="model m() {\n  x ~ Normal(0, 1)\n  let side = if x > 0.5 then 1 else 0\n  data y ~ Normal(side, 1)\n"
        "}\n\n"
        "guide q() for m {\n  param a: real = 0\n  x ~ Normal(a, 1) via reparam\n}\n",
        right="model m() {\n  x ~ Normal(0, 1)\n  let side = if x > 0.5 then 1 else 0\n  data y ~ Normal(side, 1)\n"
        "}\n\n"
        "guide q() for m {\n  param a: real = 0\n  x ~ Normal(a, 1) via reinforce\n}\n",
    ),
    Explanation(
        "E508",
        "a score function on a support that moves",
        "Where the edge of the support depends on a learnable parameter, the score function misses what crosses "
        "the edge: "
        "the gradient would be wrong, even in sign.",
        wrong="model m() {\n  x ~ Uniform(0, 1)\n  data y ~ Normal(x, 1)\n}\n\n"
        "guide q() for m {\n  param b: prob = 0.5\n  x ~ Uniform(0, b) via reinforce\n}\n",
        right="model m() {\n  x ~ Uniform(0, 1)\n  data y ~ Normal(x, 1)\n}\n\n"
        "guide q() for m {\n  param b: prob = 0.5\n  x ~ Uniform(0, b) via reparam\n}\n",
    ),
    Explanation(
        "E509",
        "a gradient strategy that does not exist",
        "The strategies are `reparam`, `reinforce`, `reinforce(baseline = e)`, `enum` and `mvd`.",
        wrong=_MODEL + "guide q() for m {\n  mu ~ Normal(0, 1) via reparametrise\n  tau ~ LogNormal(0, 1)\n}\n",
        right=_MODEL + "guide q() for m {\n  mu ~ Normal(0, 1) via reparam\n  tau ~ LogNormal(0, 1)\n}\n",
    ),
    Explanation(
        "E510",
        "a guide for what is no model",
        "Behind `for` stands a model of this file or of an imported one.",
        wrong="model m() {\n  x ~ Normal(0, 1)\n}\n\nguide q() for n {\n  x ~ Normal(0, 1)\n}\n",
        right="model m() {\n  x ~ Normal(0, 1)\n}\n\nguide q() for m {\n  x ~ Normal(0, 1)\n}\n",
    ),
    Explanation(
        "E511",
        "a gradient strategy that the distribution does not have",
        "`enum` needs finitely many values; `mvd` a distribution whose measure-valued derivative is known.",
        wrong="model m() {\n  x ~ Normal(0, 1)\n}\n\nguide q() for m {\n  x ~ Normal(0, 1) via enum\n}\n",
        right="model m() {\n  x ~ Normal(0, 1)\n}\n\nguide q() for m {\n  x ~ Normal(0, 1) via reparam\n}\n",
    ),
)
