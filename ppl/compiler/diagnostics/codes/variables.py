"""E3: random variables, each defined exactly once on each path."""

from ppl.compiler.diagnostics.codes.explanation import Explanation

EXPLANATIONS = (
    Explanation(
        "E301",
        "a random variable drawn twice",
        "Each random variable is defined exactly once on each path: its name is its address in the results.",
        wrong="model m() {\n  x ~ Normal(0, 1)\n  x ~ Normal(1, 1)\n}\n",
        right="model m() {\n  x ~ Normal(0, 1)\n  z ~ Normal(1, 1)\n}\n",
    ),
    Explanation(
        "E302",
        "a random variable without the index of its loop",
        "Each iteration would define the same variable again: the loop's index must choose the element.",
        wrong="model m[T]() {\n  for t in T {\n    x ~ Normal(0, 1)\n  }\n}\n",
        right="model m[T]() {\n  for t in T {\n    x[t] ~ Normal(0, 1)\n  }\n}\n",
    ),
    Explanation(
        "E303",
        "elements that are never defined",
        "An array of random variables is covered from index 0 on, without a gap.",
        wrong="model m[T]() {\n  x[0] ~ Normal(0, 1)\n  for t in 2..T {\n    x[t] ~ Normal(0, 1)\n  }\n}\n",
        right="model m[T]() {\n  x[0] ~ Normal(0, 1)\n  for t in 1..T {\n    x[t] ~ Normal(x[t - 1], 1)\n  }\n}\n",
    ),
    Explanation(
        "E304",
        "index ranges that overlap",
        "An element would be defined twice.",
        wrong="model m[T]() {\n  x[0] ~ Normal(0, 1)\n  x[1] ~ Normal(0, 1)\n  for t in 0..2 {\n"
        "    x[t] ~ Normal(0, 1)\n  }\n}\n",
        right="model m[T]() {\n  x[0] ~ Normal(0, 1)\n  x[1] ~ Normal(0, 1)\n  for t in 2..4 {\n"
        "    x[t] ~ Normal(0, 1)\n  }\n}\n",
    ),
    Explanation(
        "E305",
        "a random variable read before it is defined",
        "Statements run in order: what is read has been drawn before, in a loop from its first iteration on.",
        wrong="model m[T]() {\n  for t in 1..T {\n    x[t] ~ Normal(x[t - 1], 1)\n  }\n}\n",
        right="model m[T]() {\n  x[0] ~ Normal(0, 1)\n  for t in 1..T {\n    x[t] ~ Normal(x[t - 1], 1)\n  }\n}\n",
    ),
    Explanation(
        "E306",
        "a read that is no earlier iteration",
        "Inside the loop that draws `x`, it can be read at the current iteration and at constant lags: `x[t - 1]`, "
        "`x[t - 2]`.",
        wrong="model m[T]() {\n  x[0] ~ Normal(0, 1)\n  for t in 1..T {\n    x[t] ~ Normal(x[t + 1], 1)\n  }\n}\n",
        right="model m[T]() {\n  x[0] ~ Normal(0, 1)\n  for t in 1..T {\n    x[t] ~ Normal(x[t - 1], 1)\n  }\n}\n",
    ),
    Explanation(
        "E307",
        "a plate that reads another iteration",
        "The iterations of a plate are independent given what is outside it. Ordered iterations are written with "
        "`for`.",
        wrong="model m[T]() {\n  x[0] ~ Normal(0, 1)\n  plate t in 1..T {\n    x[t] ~ Normal(x[t - 1], 1)\n  }\n}\n",
        right="model m[T]() {\n  x[0] ~ Normal(0, 1)\n  for t in 1..T {\n    x[t] ~ Normal(x[t - 1], 1)\n  }\n}\n",
    ),
    Explanation(
        "E308",
        "a variable that is defined on some paths only",
        "What is read behind a branch is defined in each of its arms.",
        wrong="model m() {\n  c ~ Bernoulli(0.5)\n  if c {\n    x ~ Normal(0, 1)\n  }\n  data y ~ Normal(x, 1)\n}\n",
        right="model m() {\n  c ~ Bernoulli(0.5)\n  if c {\n    x ~ Normal(0, 1)\n  } else {\n"
        "    x ~ Normal(5, 1)\n  }\n  data y ~ Normal(x, 1)\n}\n",
    ),
    Explanation(
        "E309",
        "a variable with two types",
        "A name drawn in two branches, or element by element, has one type and one number of indices.",
        wrong="model m() {\n  c ~ Bernoulli(0.5)\n  if c {\n    x ~ Normal(0, 1)\n  } else {\n"
        "    x ~ Bernoulli(0.5)\n  }\n}\n",
        right="model m() {\n  c ~ Bernoulli(0.5)\n  if c {\n    x ~ Normal(0, 1)\n  } else {\n"
        "    x ~ Normal(1, 2)\n  }\n}\n",
    ),
    Explanation(
        "E310",
        "an observed random variable",
        "`observe` conditions on data or on values computed from them. A random variable that may be given by data "
        "is drawn "
        "with `data`.",
        wrong="model m() {\n  x ~ Normal(0, 1)\n  observe x ~ Normal(1, 1)\n}\n",
        right="model m() {\n  mu ~ Normal(0, 1)\n  data x ~ Normal(mu, 1)\n}\n",
    ),
    Explanation(
        "E311",
        "data observed twice",
        "The likelihood of the same observation would count twice.",
        wrong="model m(y: real) {\n  mu ~ Normal(0, 1)\n  observe y ~ Normal(mu, 1)\n  observe y ~ Normal(mu, 2)\n}\n",
        right="model m(y: real) {\n  mu ~ Normal(0, 1)\n  observe y ~ Normal(mu, 1)\n}\n",
    ),
    Explanation(
        "E312",
        "a statement in the wrong place",
        "Draws stand in models, guides, `infer`, `expect` and the sampler of a distribution; `data` and `output` "
        "in models, `aux` "
        "in guides, `observe`, `factor` and `require` in models and `infer`, `param` at the top of a model or guide.",
        wrong="fn noisy(x: real) -> real {\n  e ~ Normal(0, 1)\n  return x + e\n}\n",
        right="model noisy(x: real) -> real {\n  e ~ Normal(0, 1)\n  return x + e\n}\n",
    ),
    Explanation(
        "E313",
        "an atom mixed with a density",
        "The probability of a point and the density of a continuum have different units: a weight that adds or "
        "compares them "
        "is wrong, however the program is run. For the same reason a continuous random variable can't be required "
        "to equal a value.",
        wrong="model gpa() {\n  perfect ~ Bernoulli(0.1)\n  if perfect {\n    data score ~ Delta(4.0)\n  } else {\n"
        "    data score ~ Uniform(0, 4)\n  }\n}\n",
        right="model gpa() {\n  perfect ~ Bernoulli(0.1)\n  if perfect {\n    data score ~ Normal(4.0, 0.01)\n"
        "  } else {\n    data score ~ Uniform(0, 4)\n  }\n}\n",
    ),
    Explanation(
        "E314",
        "a draw from an improper distribution",
        "`Flat()` integrates to infinity: it may stand as the prior of a latent of a model, but nothing can be "
        "drawn from it.",
        wrong="model m() {\n  data y ~ Flat()\n}\n",
        right="model m() {\n  data y ~ Normal(0, 10)\n}\n",
    ),
    Explanation(
        "E315",
        "an index that is no loop index plus a constant",
        "Only for such indices is it known that each element is defined exactly once.",
        wrong="model m[N]() {\n  plate i in N {\n    x[2 * i] ~ Normal(0, 1)\n  }\n}\n",
        right="model m[N]() {\n  plate i in N {\n    x[i] ~ Normal(0, 1)\n  }\n}\n",
    ),
    Explanation(
        "E316",
        "an array read before it is complete",
        "The whole of an array of random variables can be read behind its last definition.",
        wrong="model m[T]() {\n  x[0] ~ Normal(0, 1)\n  for t in 1..T {\n    x[t] ~ Normal(sum(x), 1)\n  }\n}\n",
        right="model m[T]() {\n  x[0] ~ Normal(0, 1)\n  for t in 1..T {\n    x[t] ~ Normal(x[t - 1], 1)\n  }\n"
        "  data y ~ Normal(sum(x), 1)\n}\n",
    ),
    Explanation(
        "E317",
        "a declared type that is not the distribution's",
        "The declared type of a draw is that of the distribution, with further axes in front for independent copies.",
        wrong="model m[N]() {\n  p ~ Beta(1, 1)\n  plate i in N {\n    data y[i]: int ~ Bernoulli(p)\n  }\n}\n",
        right="model m[N]() {\n  p ~ Beta(1, 1)\n  plate i in N {\n    data y[i]: bool ~ Bernoulli(p)\n  }\n}\n",
    ),
)
