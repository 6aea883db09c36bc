"""E6: constructs that are checked, but can't be run yet. Given by `run` and `compile`, not by `check`."""

from ppl.compiler.diagnostics.codes.explanation import Explanation

_RIGHT = "model m() {\n  x ~ Normal(0, 1)\n  data y ~ Normal(x, 1)\n}\n"

EXPLANATIONS = (
    Explanation(
        "E601",
        "recursion is not executable yet",
        "Models, functions and lambdas that apply themselves are checked, but not compiled. A bounded recursion "
        "can be written "
        "as a `for` loop with a `var`.",
        wrong="fn f(n: int) -> real {\n  return if n < 1 then 0 else 1 + f(n - 1)\n}\n\nmodel m() {\n"
        "  data y ~ Normal(f(3), 1)\n}\n",
        right="model m() {\n  var s: real = 0\n  for i in 3 {\n    s = s + 1\n  }\n  data y ~ Normal(s, 1)\n}\n",
    ),
    Explanation(
        "E602",
        "branches that draw different variables are not executable yet",
        "The set of random variables must not depend on a random value: draw the same ones in every branch.",
        wrong="model m() {\n  c ~ Bernoulli(0.5)\n  if c {\n    a ~ Normal(0, 1)\n  } else {\n"
        "    b ~ Normal(0, 1)\n  }\n}\n",
        right="model m() {\n  c ~ Bernoulli(0.5)\n  if c {\n    a ~ Normal(0, 1)\n  } else {\n"
        "    a ~ Normal(5, 1)\n  }\n}\n",
    ),
    Explanation(
        "E603",
        "nested inference is not executable yet",
        "`infer`, `marginal` and `given` inside a program are checked, but not compiled.",
        wrong="model m() {\n  let d = infer {\n    x ~ Normal(0, 1)\n    return x\n  } by importance(10)\n  z ~ d\n}\n",
        right="model m() {\n  z ~ Normal(0, 1)\n}\n",
    ),
    Explanation(
        "E604",
        "guides, objectives and expectations are not executable yet",
        "They are checked, but not compiled.",
        wrong="model m() {\n  let e = expect {\n    x ~ Normal(0, 1)\n    return x\n  }\n  output mean_x = e\n}\n",
        right=_RIGHT,
    ),
    Explanation(
        "E605",
        "learnable parameters are not trained yet",
        "`param` in a model that is run is checked, but not compiled. Give the parameter a prior instead.",
        wrong="model m() {\n  param w: real = 0\n  data y ~ Normal(w, 1)\n}\n",
        right="model m() {\n  w ~ Normal(0, 10)\n  data y ~ Normal(w, 1)\n}\n",
    ),
)
