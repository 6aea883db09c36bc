"""``ppl validate``: a certificate of a method on a model."""

import json

MODEL = """model flips() {
  z ~ Bernoulli(0.3)
  data y ~ Normal(if z then 1 else 0, 1)
}
"""


def written(tmp_path):
    (tmp_path / "flips.ppl").write_text(MODEL)


def test_importance_against_enumeration(ppl, tmp_path):
    written(tmp_path)
    done = ppl(
        "validate", "flips.ppl", "--data", "y=1.2", "--method", "importance(10)", "--format", "json", "--alpha", "1e-6"
    )
    certificate = json.loads(done.out)
    assert done.code == 0 and certificate["outcome"] == "passed"
    assert certificate["checks"][0]["oracle"] == "enumeration of 2 states"


def test_no_oracle_is_said_plainly(ppl, tmp_path):
    (tmp_path / "wide.ppl").write_text(
        "model wide() {\n  x ~ Normal(0, 1)\n  u ~ Normal(0, 1)\n  v ~ Normal(0, 1)\n  data y ~ Normal(x * u + v, "
        "1)\n}\n"
    )
    done = ppl("validate", "wide.ppl", "--data", "y=1.2", "--method", "importance(10)")
    assert done.code == 0 and "undecided" in done.out and "no oracle" in done.out
