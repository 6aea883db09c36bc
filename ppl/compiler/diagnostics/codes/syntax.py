"""E0: the text is not a program of the language."""

from ppl.compiler.diagnostics.codes.explanation import Explanation


def _model(body: str) -> str:
    return f"model m(n: size) {{\n  x ~ Normal(0, 1)\n  {body}\n}}\n"


EXPLANATIONS = (
    Explanation(
        "E001",
        "a character that begins no token",
        "The language uses letters, digits, `_`, double quotes for strings and the usual operators. Quotes copied "
        "from a word processor and mathematical signs such as `≤` are common causes.",
        wrong=_model("let y = x ≤ 1"),
        right=_model("let y = x <= 1"),
    ),
    Explanation(
        "E002",
        "a string that does not end",
        'A string stands between two double quotes on one line. A quote inside it is written `\\"`.',
        wrong='import "priors.ppl as priors\nmodel m() {\n  x ~ Normal(0, 1)\n}\n',
        right='import "priors.ppl" as priors\nmodel m() {\n  x ~ Normal(0, 1)\n}\n',
    ),
    Explanation(
        "E003",
        "something that cannot stand here",
        "The parser read the text up to this place and none of the words that may follow is there. The label says "
        "which may. Where the mistake is one word too many, or a word misspelt, the help says how to put it right.",
        wrong=_model("output y = = x * x"),
        right=_model("output y = x * x"),
    ),
    Explanation(
        "E004",
        "something is missing",
        "A comma, an operator, a keyword or an opening bracket is missing between two words. A multiplication is "
        "always written `*`.",
        wrong=_model("output y = 2x"),
        right=_model("output y = 2 * x"),
    ),
    Explanation(
        "E005",
        "a block that is never closed",
        "Each `{` needs its `}`. Where the closing brace is missing the layout tells which block was meant: one "
        "ends before the first line that is indented no deeper than the line that opened it. `ppl fmt` keeps the "
        "layout true.",
        wrong="model m(n: size) {\n  plate i in n {\n    x[i] ~ Normal(0, 1)\n  output y = sum(x)\n}\n",
        right="model m(n: size) {\n  plate i in n {\n    x[i] ~ Normal(0, 1)\n  }\n  output y = sum(x)\n}\n",
    ),
    Explanation(
        "E006",
        "a parenthesis or bracket that is never closed",
        "Each `(` and `[`, and the `{` of each record, needs its closer. Inside them a newline does not end a "
        "statement, so the mistake may show only some lines below; the report shows the opener and where its "
        "closer belongs.",
        wrong=_model("output y = exp(x"),
        right=_model("output y = exp(x)"),
    ),
    Explanation(
        "E007",
        "a closing bracket without an opening one",
        "There is one closer too many, or one of the wrong kind.",
        wrong=_model("output y = exp(x))"),
        right=_model("output y = exp(x)"),
    ),
    Explanation(
        "E008",
        "a reserved word used as a name",
        "The words of the language (`model`, `data`, `param`, `in`, `by`, `given`, …) cannot be names.",
        wrong=_model("let factor = 2 * x"),
        right=_model("let factor_ = 2 * x"),
    ),
    Explanation(
        "E009",
        "an expression, name or type is missing",
        "An operator lacks an operand, `=` or `~` has nothing behind it, or a declaration has no name.",
        wrong=_model("output y = x *"),
        right=_model("output y = x * 2"),
    ),
    Explanation(
        "E010",
        "an assignment as in R, Pascal or C",
        "`let x = e` names a value. Only what `var` declares can change, by `s = e`.",
        wrong=_model("y <- 2 * x"),
        right=_model("let y = 2 * x"),
    ),
    Explanation(
        "E011",
        "an operator of another language",
        "Conditions are joined with `and`, `or` and `not`; a power is written `^`.",
        wrong=_model("output y = x ** 2"),
        right=_model("output y = x ^ 2"),
    ),
    Explanation(
        "E012",
        "a comment of another language",
        "A comment begins with `#` and goes to the end of its line; `##` documents what follows it. Integer division "
        "is `floor(a / b)`.",
        wrong=_model("// twice the draw\n  output y = 2 * x"),
        right=_model("# twice the draw\n  output y = 2 * x"),
    ),
    Explanation(
        "E013",
        "`=` where a comparison is needed",
        "`=` names or assigns, `==` compares.",
        wrong=_model("require n = 3"),
        right=_model("require n == 3"),
    ),
    Explanation(
        "E014",
        "a construction of another language",
        "Stan's blocks and declarations, `target +=`, `elif`, `while`, `?:` and loops with parentheses have other"
        " forms here: a model is one declaration; data that is given is a parameter; a type stands behind the "
        "name; `factor e` adds to the log density; a loop is `for t in 0..T { … }`.",
        wrong=_model("target += 2 * x"),
        right=_model("factor 2 * x"),
    ),
    Explanation(
        "E015",
        "a range written with `:`",
        "A range is `a..b`. Indices start at 0 and `b` is not in it, as in Python, so `1:N` of Stan and R is `0..N`.",
        wrong=_model("plate i in 0:n {\n    z[i] ~ Normal(x, 1)\n  }"),
        right=_model("plate i in 0..n {\n    z[i] ~ Normal(x, 1)\n  }"),
    ),
    Explanation(
        "E016",
        "chained comparisons",
        "`a < b < c` would compare a truth value with a number. Join two comparisons with `and`.",
        wrong=_model("let inside = 0 < x < 1"),
        right=_model("let inside = 0 < x and x < 1"),
    ),
    Explanation(
        "E017",
        "a parameter without a type",
        "Parameters of declarations have types, for they are what callers and data are checked against. Only those of "
        "a function expression, `fn(x) => e`, may leave them out.",
        wrong="fn square(x) -> real {\n  return x * x\n}\nmodel m() {\n  x ~ Normal(square(2), 1)\n}\n",
        right="fn square(x: real) -> real {\n  return x * x\n}\nmodel m() {\n  x ~ Normal(square(2), 1)\n}\n",
    ),
    Explanation(
        "E018",
        "a malformed type",
        "Between `<` and `>` of a type stand bounds (`lower=`, `upper=`), sizes or types, each where the type "
        "wants it; a tuple type has two parts or more.",
        wrong="model m(s: real<above=0>) {\n  x ~ Normal(0, s)\n}\n",
        right="model m(s: real<lower=0>) {\n  x ~ Normal(0, s)\n}\n",
    ),
    Explanation(
        "E019",
        "a line that is not a statement",
        "Every statement does something: it names, draws, observes, returns. An expression alone does nothing, and a "
        "newline ends a statement unless the line ends in an operator or a comma, or a bracket is open: so an operator "
        "stands at the end of a line, not at the beginning of the next.",
        wrong=_model("let y = 2 * x\n    + 1"),
        right=_model("let y = 2 * x +\n    1"),
    ),
    Explanation(
        "E020",
        "a malformed number",
        "Numbers are decimal, with a digit on both sides of the point: `0.5`, `1.0`, `2`, `1e-3`.",
        wrong=_model("output y = .5 * x"),
        right=_model("output y = 0.5 * x"),
    ),
    Explanation(
        "E021",
        "a member that a distribution does not have",
        "A `dist` holds `logpdf(x) { … }`, the log density, and `sample { … }`, a way to draw; each once.",
        wrong="dist Half(s: pos) over pos {\n  density(x) {\n    return -x / s - log(s)\n  }\n}\n",
        right="dist Half(s: pos) over pos {\n  logpdf(x) {\n    return -x / s - log(s)\n  }\n}\n",
    ),
    Explanation(
        "E022",
        "a statement that does not end",
        "Two statements on one line are separated by `;`.",
        wrong=_model("let y = 2 * x let z = y"),
        right=_model("let y = 2 * x; let z = y"),
    ),
    Explanation(
        "E023",
        "something nested too deeply",
        "More than some hundred brackets, signs or blocks stand in one another. A program that is written by hand does "
        "not; one that a program writes should name its parts.",
        wrong=_model(f"output y = {'-' * 500}x"),
        right=_model("output y = -x"),
    ),
    Explanation(
        "E099",
        "the formatter would have changed the program",
        "`ppl fmt` parses what it is about to write and compares. The two differed, so nothing was written: this is a "
        "mistake of the formatter's, not of the program's. Please report it with the file.",
    ),
)
