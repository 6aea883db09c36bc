"""E1: names, declarations and imports."""

from ppl.compiler.diagnostics.codes.explanation import Explanation

EXPLANATIONS = (
    Explanation(
        "E101",
        "a name that stands for nothing",
        "Every name is a parameter, a random variable, a `let`, a declaration of the file, or belongs to the language. "
        "Distributions begin with a capital letter (`Normal`), functions do not (`exp`).",
        wrong="model m() {\n  mu ~ normal(0, 1)\n  data y ~ Normal(nu, 1)\n}\n",
        right="model m() {\n  mu ~ Normal(0, 1)\n  data y ~ Normal(mu, 1)\n}\n",
    ),
    Explanation(
        "E102",
        "a name with two meanings",
        "A name is defined once in the places where it can be read; an inner block does not redefine an outer name.",
        wrong="model m() {\n  mu ~ Normal(0, 1)\n  let mu = 2\n  data y ~ Normal(mu, 1)\n}\n",
        right="model m() {\n  mu ~ Normal(0, 1)\n  let twice = 2 * mu\n  data y ~ Normal(twice, 1)\n}\n",
    ),
    Explanation(
        "E103",
        "a type that does not exist",
        "The types are `real`, `int`, `bool`, `size`, `pos`, `prob`, `index<K>`, arrays `T[n]`, the constrained "
        "vectors and "
        "matrices (`simplex[K]`, `cov[K]`, …), tuples, records, functions, `Dist<T>`, and those declared by `type`.",
        wrong="model m(x: float) {\n  data y ~ Normal(x, 1)\n}\n",
        right="model m(x: real) {\n  data y ~ Normal(x, 1)\n}\n",
    ),
    Explanation(
        "E104",
        "a field or member that does not exist",
        "A record has the fields that it was made with, a model the random variables that it draws, an imported "
        "file what "
        "it declares.",
        wrong="model m() {\n  let r = {rate = 1.0}\n  data y ~ Poisson(r.rtae)\n}\n",
        right="model m() {\n  let r = {rate = 1.0}\n  data y ~ Poisson(r.rate)\n}\n",
    ),
    Explanation(
        "E105",
        "an import from outside the project",
        "A file may import files of its own project: those below the nearest folder that holds `.git` or "
        "`pyproject.toml`, "
        "or beside the main file. A text that is no file imports nothing.",
        wrong='import "../../etc/passwd" as p\n\nmodel m() {\n  x ~ Normal(0, 1)\n}\n',
        right="model m() {\n  x ~ Normal(0, 1)\n}\n",
    ),
    Explanation(
        "E106",
        "an imported file that can't be read",
        "The path of an import is relative to the importing file. The file must exist, be readable, and be text in "
        "UTF-8.",
    ),
    Explanation(
        "E107",
        "files that import each other",
        "Imports form no circle. Move what two files need of each other into a third.",
    ),
    Explanation(
        "E108",
        "a file that declares nothing",
        "A program declares at least one model, function or distribution.",
        wrong="# nothing here\n",
        right="model m() {\n  x ~ Normal(0, 1)\n}\n",
    ),
    Explanation(
        "E109",
        "a name of the wrong kind",
        "The name exists, but a thing of its kind can't stand here: a distribution without its parameters, a type "
        "where a "
        "value is needed, a constant that is applied.",
        wrong="model m() {\n  x ~ Normal\n}\n",
        right="model m() {\n  x ~ Normal(0, 1)\n}\n",
    ),
)
