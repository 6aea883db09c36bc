"""E6: constructs that are checked, but can't be run yet. Given by `run` and `compile`, not by `check`."""

from ppl.compiler.diagnostics.codes.explanation import Explanation

_RIGHT = "model m() {\n  x ~ Normal(0, 1)\n  data y ~ Normal(x, 1)\n}\n"

EXPLANATIONS = (
    Explanation(
        "E601",
        "a recursive model whose recursion cannot be cut",
        "A model that runs itself is compiled to a bounded depth; where it is cut, the path has density zero and some "
        "value stands for the result. For a result that is a function none can be made up. Recursive functions and "
        "values of recursive types have no such bound.",
        wrong="model f(s: real) -> (real) -> real {\n  a ~ Normal(0, s)\n  if a > 0 {\n    g ~ f(s / 2)\n"
        "    return g\n  }\n"
        "  return fn(x: real) => a * x\n}\n\nmodel m() {\n  h ~ f(1)\n  data y ~ Normal(h(2), 1)\n}\n",
        right="model f(s: real) -> real {\n  a ~ Normal(0, s)\n  if a > 0 {\n    g ~ f(s / 2)\n    return g\n"
        "  }\n  return a\n}\n\nmodel m() {\n  a ~ f(1)\n  let h = fn(x: real) => a * x\n"
        "  data y ~ Normal(h(2), 1)\n}\n",
    ),
    Explanation(
        "E602",
        "branches that draw a variable differently are not executable yet",
        "Branches may draw different variables. But where two of them draw the same one they must draw the same "
        "elements of it, and what only one draws must be a number, a vector of numbers or a simplex.",
        wrong="model m() {\n  c ~ Bernoulli(0.5)\n  if c {\n    S ~ LKJ(3, 2)\n  } else {\n"
        "    b ~ Normal(0, 1)\n  }\n}\n",
        right="model m() {\n  c ~ Bernoulli(0.5)\n  S ~ LKJ(3, 2)\n  if not c {\n    b ~ Normal(0, 1)\n  }\n}\n",
    ),
    Explanation(
        "E603",
        "nested inference that is not executable yet",
        "Inside of a program `infer` runs `by enumerate`, exactly, and `by importance(n)` or `smc(n)`, on particles. A "
        "conditioned model (`given`), and one of which variables are integrated out (`marginal`), can be drawn from. "
        "Other methods, and other uses, are checked, but not compiled.",
        wrong="model m() {\n  let d = infer {\n    x ~ Bernoulli(0.5)\n    return x\n  } by nuts(10)\n  z ~ d\n}\n",
        right="model m() {\n  let d = infer {\n    x ~ Bernoulli(0.5)\n    return x\n  } by importance(10)\n"
        "  z ~ d\n}\n",
    ),
    Explanation(
        "E604",
        "an expectation inside of a model, or a guide or objective run by itself",
        "Expectations stand in objectives, and the method `vi` runs them: `--method 'vi(guide=q, objective=elbo)'`. "
        "Inside of a model they are checked, but not compiled yet.",
        wrong="model m() {\n  let e = expect {\n    x ~ Normal(0, 1)\n    return x\n  }\n  output mean_x = e\n}\n",
        right=_RIGHT,
    ),
    Explanation(
        "E605",
        "a learnable parameter, and a method that does not train it",
        "`param` in a model is trained by maximum likelihood or variational inference: `--method 'vi(…)'`. For other "
        "methods, give it a prior.",
        wrong="model m() {\n  param w: real = 0\n  data y ~ Normal(w, 1)\n}\n",
        right="model m() {\n  w ~ Normal(0, 10)\n  data y ~ Normal(w, 1)\n}\n",
    ),
)
