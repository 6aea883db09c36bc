"""The snippets of the language reference, each a whole file."""

STATEMENTS = (
    "let x = e",
    "let (a, b) = e",
    "let x[i] = e",
    "var s = e\n  s = e2",
    "x ~ D",
    "x: real[J] ~ D",
    "x[i] ~ D",
    "data y ~ D",
    "data y[i]: real ~ Normal(f(x[i]), 0.1)",
    "aux u ~ D",
    "observe e ~ D",
    "factor e",
    "require c",
    "output t = e",
    "output t: real = e",
    "plate i in N { x[i] ~ D }",
    "plate i in N, k in K { x[i, k] ~ D }",
    "for t in 1..T { x[t] ~ Normal(x[t-1] + x[t-2], 1) }",
    "for k in K { s = s + k }",
    "if c { x ~ D } else { y ~ D }",
    "if c { x ~ D } else if d { y ~ D } else { z ~ D }",
    "match e { Leaf(x) => { return x } Node(l, r) => { return l } }",
    "match e {\n    Leaf(x) => { return x }\n    _ => { return 0 }\n  }",
    "x ~ submodel(args)",
    "param w: T = init",
    "return e",
    "(z[k], lq[k]) ~ sim(q)",
    "mu ~ Normal(0, 5)    via reparam",
    "mu ~ Normal(0, 5) via reinforce(baseline = e)",
    "u ~ Uniform(0, 1); return (1 - (1 - u)^(1 / b))^(1 / a)",
    "m: real[J, 2] ~ Normal(0, 1)",
)

EXPRESSIONS = (
    "a + b - c * d / f % g ^ h @ i",
    "a == b", "a != b", "a < b", "a <= b", "a > b", "a >= b",
    "a and b or not c",
    "if c then a else b",
    "a[i, :]", "a[0..2]", "a[0..N - 1, k]", "m[:, 1]",
    "[[1, 2], [3, 4]]",
    "[]",
    "r.field", "A.T", "(L @ L.T)[0, 1]", "f(x)(y)[0].g.T",
    "f(x, scale = 2)",
    "[e for i in N]", "[e for i in N, k in 0..K]", "[[e for k in K] for i in N]",
    "{a = 1, b}",
    "fn(x: real) => e", "fn(x) => x + 1", "fn() => 1", "fn(x: real) -> real { return x }", "fn(x) { return x }",
    "match e with { Leaf(x) => x, Node(l, r) => 0 }",
    "match e with {\n    0 => a\n    -1 => b\n    (p, _) => c\n    \"s\" => d\n    true => f\n  }",
    "infer { x ~ D; return x } by enumerate",
    "infer { x ~ D; return x } by importance(n)",
    "infer { x ~ D; return x }",
    "expect { x ~ D; return x }",
    "m(args) given {y = e}",
    "density(p given {y}, z)",
    "marginal(m(args), keep = (a, b), by = importance(n))",
    "logprob(d, x)",
    "(a,)",
    "1e-3 + 2.5 + 1.5e+10 + 10",
    "-x^2 + 2^-x",
    'f("a \\"string\\"")',
    "truncated(Normal(0, 1), lower = 0)",
    "mixture(w, [Normal(0, 1), Cauchy(0, 1)])",
    "μ + größe2 + x_1",
)  # fmt: skip

TYPES = (
    "real", "int", "bool", "pos", "prob", "size",
    "real<lower=a>", "real<upper=b>", "real<lower=a, upper=b>", "real<lower=0, upper=2*a>",
    "real<lower=-pi / 2, upper=max(a, b[0])>",
    "real<lower=(a + 1) * 2>", "real<lower=-1.5e-3>[N]",
    "index<K>", "index<2*K>", "index<4>[T]", "index<K>[N]",
    "real[n]", "real[n, m]", "real[n + 1, 2 * m]",
    "simplex[K]", "ordered[K]", "positive_ordered[K]", "cov[K]", "corr[K]", "chol_cov[K]", "chol_corr[K]",
    "real?", "real?[N]", "real[N]?",
    "(real, int)", "{a: real, b: int}",
    "(real, real) -> real", "(real) -> (real) -> real", "() -> real", "((real) -> real)[3]",
    "Dist<real>", "Dist<(real) -> real>", "Dist<real[N]>", "Dist<index<K>>", "Dist<(real, int)>",
    "Target<Z>", "priors.Tree",
)  # fmt: skip

DECLARATIONS = (
    'import "priors.ppl" as priors',
    'import "priors.ppl"',
    "type Expr = | Const(real) | X | Add(Expr, Expr)",
    "type Tree =\n  | Leaf(real)\n  | Node(Tree, Tree)",
    "type Point = {x: real, y: real}",
    "const G: real = 9.81",
    "const G = 9.81",
    "fn    drift(x: real, t: int) -> real { return x / 2 + 25 * x / (1 + x^2) + 8 * cos(1.2 * t) }",
    "model coin[N](a: pos = 1) { x ~ D }                # draws random variables; may return a value",
    "model name[N, K](a: real, n: size) -> (real, int) { return (a, n) }",
    "guide q[N](a: real) for coin[N] { param m: real = 0 }",
    "guide q() for priors.coin { param m: real = 0 }",
    "objective elbo[Z: trace](p: Target<Z>, q: Guide<Z>) -> real {\n"
    "  return expect { (z, lq) ~ sim(q); return density(p, z) - lq }\n}",
    """dist  Kumaraswamy(a: pos, b: pos) over prob {     # a user distribution
  logpdf(x) { return log(a) + log(b) + (a - 1) * log(x) + (b - 1) * log(1 - x^a) }
  sample    { u ~ Uniform(0, 1); return (1 - (1 - u)^(1 / b))^(1 / a) }
}""",
    "extern fn encoder[D](x: real[D]) -> (real[2], pos[2])   # a JAX callable or Equinox module",
    'extern fn encoder[D](x: real[D]) -> real[2] = "module:name"',
    """model random_line() -> (real) -> real {
  a ~ Normal(0, 1)
  b ~ Normal(0, 1)
  return fn(x: real) => a * x + b
}
model fit[N](x: real[N]) {
  f ~ random_line()
  plate i in N { data y[i]: real ~ Normal(f(x[i]), 0.1) }
  output at_two = f(2)
}""",
    """guide mean_field[J](se: pos[J]) for schools[J] {
  param m: real[J] = zeros(J)
  param s: pos[J] = ones(J)
  mu  ~ Normal(0, 5)    via reparam
  tau ~ LogNormal(0, 1) via reparam
  z: real[J] ~ Normal(m, s) via reparam
}
objective iwelbo[Z: trace](p: Target<Z>, q: Guide<Z>, K: size) -> real {
  return expect {
    plate k in K {
      (z[k], lq[k]) ~ sim(q)
      lp[k] ~ density(p, z[k])
    }
    return logsumexp(lp - lq) - log(K)
  }
}""",
)

PROGRAMS = (
    *DECLARATIONS,
    *(f"model m() {{\n  {statement}\n}}" for statement in STATEMENTS),
    *(f"model m() {{\n  let value = {expression}\n}}" for expression in EXPRESSIONS),
    *(f"model m(x: {type}) {{ y: {type} ~ D }}" for type in TYPES),
    *(f"type A = {type}\n\nfn f() -> {type} {{ return 0 }}" for type in TYPES),
)
