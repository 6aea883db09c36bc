"""E6: constructs that are checked, but can't be run yet. Given by `run` and `compile`, not by `check`."""

from ppl.compiler.diagnostics.codes.explanation import Explanation

_RIGHT = "model m() {\n  x ~ Normal(0, 1)\n  data y ~ Normal(x, 1)\n}\n"

EXPLANATIONS = (
    Explanation(
        "E601",
        "recursion is not executable yet",
        "Functions and lambdas that apply themselves, and values of recursive types, are checked, but not compiled "
        "(models that run themselves are). A bounded recursion can be written as a `for` loop with a `var`.",
        wrong="fn f(n: int) -> real {\n  return if n < 1 then 0 else 1 + f(n - 1)\n}\n\nmodel m() {\n"
        "  data y ~ Normal(f(3), 1)\n}\n",
        right="model m() {\n  var s: real = 0\n  for i in 3 {\n    s = s + 1\n  }\n  data y ~ Normal(s, 1)\n}\n",
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
        "`infer … by enumerate` is computed exactly. Other methods inside of a program, `marginal` and `given` are "
        "checked, but not compiled.",
        wrong="model m() {\n  let d = infer {\n    x ~ Normal(0, 1)\n    return x\n  } by importance(10)\n  z ~ d\n}\n",
        right="model m() {\n  z ~ Normal(0, 1)\n}\n",
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
