"""Size and compile time of estimators of discrete draws, by their number: linear, whatever the strategy (mixtures too).

    python benchmarks/estimator_size.py [largest number of draws, 64 if not given]

Each program sums the costs of a chain of n draws z₁, z₂ | z₁, …: written out one by one, or in an ordered loop. By the
continuation-passing estimators of the field, n = 10 enumerated draws written out take 29 678 lines of StableHLO and
23 s to compile, and 64 score-function draws 3 880 lines and 7 s."""

import sys
import time

import jax

from ppl.api.module import parse
from ppl.compiler.emit.bind import bind
from ppl.compiler.emit.estimate import objective
from ppl.compiler.emit.estimate.strategies import STRATEGIES
from ppl.compiler.passes.query import Query, prepare

ELBO = """
objective elbo[Z: trace](p: Target<Z>, q: Guide<Z>) -> real {
  return expect {
    (z, lq) ~ sim(q)
    return density(p, z) - lq
  }
}
"""


def sequential(n: int) -> str:
    """n statements, one after the other."""
    model = ["z0 ~ Bernoulli(0.4)"] + [f"z{i} ~ Bernoulli(if z{i - 1} then 0.7 else 0.2)" for i in range(1, n)]
    guide = ["z0 ~ Bernoulli(sigmoid(a))"] + [
        f"z{i} ~ Bernoulli(sigmoid(a + (if z{i - 1} then 1 else -1)))" for i in range(1, n)
    ]
    return _text(model, guide)


def in_a_loop(n: int) -> str:
    """One loop of n iterations."""
    model = ["z[0] ~ Bernoulli(0.4)", f"for t in 1..{n} {{ z[t] ~ Bernoulli(if z[t-1] then 0.7 else 0.2) }}"]
    guide = [
        "z[0] ~ Bernoulli(sigmoid(a))",
        f"for t in 1..{n} {{ z[t] ~ Bernoulli(sigmoid(a + (if z[t-1] then 1 else -1))) }}",
    ]
    return _text(model, guide) if n > 1 else sequential(1)


def in_a_plate(n: int) -> str:
    """n independent draws."""
    return _text(
        [f"plate i in {n} {{ z[i] ~ Bernoulli(0.4) }}"], [f"plate i in {n} {{ z[i] ~ Bernoulli(sigmoid(a)) }}"]
    )


def mixture(n: int) -> str:
    """A chain of draws by the score function and measure-valued in turn, each with an enumerated one under it."""
    links = range((n + 1) // 2)
    above = [f"(if z{i - 1} then 1 else -1)" if i else "0.2" for i in links]
    leaves = [f"c{i} ~ Bernoulli(sigmoid(if z{i} then A else -1))" for i in links if 2 * i + 1 < n]
    model = [f"z{i} ~ Bernoulli(sigmoid({above[i]}))" for i in links]
    guide = [f"z{i} ~ Bernoulli(sigmoid(a + {above[i]})) via {('reinforce', 'mvd')[i % 2]}" for i in links]
    return _text(model + [c.replace("A", "2") for c in leaves], guide + [c.replace("A", "a") for c in leaves])


PROGRAMS = {"sequential": sequential, "loop": in_a_loop, "plate": in_a_plate, "mixture": mixture}
STRATEGY_NAMES = {"sequential": ("enum", "reinforce", "mvd"), "mixture": ("as written",)}


def _text(model: list[str], guide: list[str]) -> str:
    lines = "\n  ".join
    program = f"model m() {{\n  {lines(model)}\n}}\nguide q() for m {{\n  param a: real = 0.3\n  {lines(guide)}\n}}\n"
    return program + ELBO


def lowered(text: str, strategy: str):
    """Value and gradient, as StableHLO. ``strategy``: that of every draw, or ``as written``."""
    program = parse(text).program
    plan = prepare(program, Query("m"))
    target = bind(plan.program, plan.model.name, {}, {}, {})
    sites = {} if strategy == "as written" else {s.name: STRATEGIES[strategy] for s in plan.model.sites}
    made = objective(target, program.model("elbo"), program.model("q"), program=program, strategies=sites)
    key = jax.random.key(0)
    return jax.jit(jax.value_and_grad(made.surrogate)).lower(jax.eval_shape(made.initial, key), key)


def main(largest: int) -> None:
    print(f"{'program':<12}{'strategy':<11}{'n':>4}{'lines':>8}{'trace s':>9}{'compile s':>11}")
    for name, text in PROGRAMS.items():
        for strategy in STRATEGY_NAMES.get(name, ("enum", "reinforce")):
            n = 1
            while n <= largest:
                start = time.perf_counter()
                program = lowered(text(n), strategy)
                traced = time.perf_counter()
                program.compile()
                lines = len(program.as_text().splitlines())
                spent = f"{traced - start:>9.2f}{time.perf_counter() - traced:>11.2f}"
                print(f"{name:<12}{strategy:<11}{n:>4}{lines:>8}{spent}")
                n *= 2


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
