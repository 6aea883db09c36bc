"""E2: types, sizes and calls."""

from ppl.compiler.diagnostics.codes.explanation import Explanation

EXPLANATIONS = (
    Explanation(
        "E201",
        "a value of the wrong type",
        "`index<K>` is accepted as `int`, and `int` as `real`; nothing else is converted silently. A bool is no "
        "number, a "
        "distribution is not one of its draws.",
        wrong="model m(smoker: bool) {\n  data y ~ Normal(2 * smoker, 1)\n}\n",
        right="model m(smoker: bool) {\n  data y ~ Normal(where(smoker, 2, 0), 1)\n}\n",
    ),
    Explanation(
        "E202",
        "sizes that do not agree",
        "Array arithmetic is elementwise: a scalar meets any array, two arrays have equal sizes. There is no other "
        "broadcasting. Only sizes that surely differ are an error; others are compared when the data are loaded.",
        wrong="model m[N](x: real[N]) {\n  let z = x + x[1..N]\n  data y ~ Normal(sum(z), 1)\n}\n",
        right="model m[N](x: real[N]) {\n  let z = x[0..N - 1] + x[1..N]\n  data y ~ Normal(sum(z), 1)\n}\n",
    ),
    Explanation(
        "E203",
        "arguments that do not fit the parameters",
        "Arguments are given by position or by keyword, each once; parameters with a default may be left out.",
        wrong="model m() {\n  x ~ Normal(0, sigma=1)\n}\n",
        right="model m() {\n  x ~ Normal(0, scale=1)\n}\n",
    ),
    Explanation(
        "E204",
        "a value that can't be used so",
        "Only arrays have elements, only functions are applied, only ints are subscripts.",
        wrong="model m() {\n  x ~ Normal(0, 1)\n  data y ~ Normal(x[0], 1)\n}\n",
        right="model m() {\n  x: real[2] ~ Normal(0, 1)\n  data y ~ Normal(x[0], 1)\n}\n",
    ),
    Explanation(
        "E205",
        "a subscript outside its axis",
        "Indices start at 0 and end before the size of the axis. Negative ones do not count from the end.",
        wrong="model m[N](x: real[N]) {\n  data y ~ Normal(x[N], 1)\n}\n",
        right="model m[N](x: real[N]) {\n  data y ~ Normal(x[N - 1], 1)\n}\n",
    ),
    Explanation(
        "E206",
        "a size that is not static",
        "Sizes of arrays and ranges of loops are known when the program is compiled: size variables, `size` "
        "parameters, "
        "`length(…)` and numbers, with `+`, `-` and `*`. They can't depend on a random variable.",
        wrong="model m() {\n  n ~ Poisson(3)\n  plate i in n {\n    data y[i] ~ Normal(0, 1)\n  }\n}\n",
        right="model m(n: size) {\n  plate i in n {\n    data y[i] ~ Normal(0, 1)\n  }\n}\n",
    ),
    Explanation(
        "E207",
        "a type that has to be written",
        "Types are inferred, except those of parameters and the results of functions that apply themselves.",
        wrong="fn f(n: int) {\n  return if n < 2 then 1 else n * f(n - 1)\n}\n",
        right="fn f(n: int) -> int {\n  return if n < 2 then 1 else n * f(n - 1)\n}\n",
    ),
    Explanation(
        "E208",
        "branches of different types",
        "An `if` or `match` has one type, whichever branch is taken.",
        wrong="fn f(x: real) -> real {\n  let y = if x > 0 then x else false\n  return y\n}\n",
        right="fn f(x: real) -> real {\n  let y = if x > 0 then x else 0\n  return y\n}\n",
    ),
    Explanation(
        "E209",
        "a match that does not fit its type",
        "The arms of a `match` cover every constructor, each is reachable, and patterns have the shape of the value.",
        wrong="type Shape = | Circle(real) | Square(real)\n\nfn area(s: Shape) -> real {\n"
        "  return match s with { Circle(r) => pi * r^2 }\n}\n",
        right="type Shape = | Circle(real) | Square(real)\n\nfn area(s: Shape) -> real {\n"
        "  return match s with { Circle(r) => pi * r^2, Square(a) => a^2 }\n}\n",
    ),
    Explanation(
        "E210",
        "an assignment that is not allowed",
        "Only a `var` changes, inside the block that declares it: not from a plate, whose iterations are "
        "independent, nor "
        "from a lambda. It keeps its type.",
        wrong="model m[T](u: real[T]) {\n  var s = 0\n  for t in T {\n    s = s + u[t]\n  }\n"
        "  data y ~ Normal(s, 1)\n}\n",
        right="model m[T](u: real[T]) {\n  var s: real = 0\n  for t in T {\n    s = s + u[t]\n  }\n"
        "  data y ~ Normal(s, 1)\n}\n",
    ),
    Explanation(
        "E211",
        "a path without a result",
        "A function returns on every path, and nothing stands behind a `return`. A loop does not return.",
        wrong="fn f(x: real) -> real {\n  if x > 0 {\n    return x\n  }\n}\n",
        right="fn f(x: real) -> real {\n  if x > 0 {\n    return x\n  }\n  return 0\n}\n",
    ),
    Explanation(
        "E212",
        "a type that makes no sense",
        "Bounds are in order, constrained vectors and matrices have a size, `index` has one, and only `data` can "
        "be missing.",
        wrong="model m(x: real<lower=1, upper=0>) {\n  data y ~ Normal(x, 1)\n}\n",
        right="model m(x: real<lower=0, upper=1>) {\n  data y ~ Normal(x, 1)\n}\n",
    ),
    Explanation(
        "E213",
        "a size that nothing determines",
        "The sizes of what is applied follow from the arguments, or are given: `coin[10](…)`. A function with "
        "sizes of its "
        "own is no value.",
        wrong="model noise[N]() {\n  e: real[N] ~ Normal(0, 1)\n  return sum(e)\n}\n\nmodel m() {\n  s ~ noise()\n"
        "  data y ~ Normal(s, 1)\n}\n",
        right="model noise[N]() {\n  e: real[N] ~ Normal(0, 1)\n  return sum(e)\n}\n\nmodel m() {\n"
        "  s ~ noise[10]()\n  data y ~ Normal(s, 1)\n}\n",
    ),
    Explanation(
        "E214",
        "functions that are compared",
        "`==` compares values of every type but functions.",
        wrong="model m() {\n  let f = fn(x: real) => x\n  let same = f == f\n  output s = same\n}\n",
        right="model m() {\n  let f = fn(x: real) => x\n  let same = f(1) == f(2)\n  output s = same\n}\n",
    ),
)
