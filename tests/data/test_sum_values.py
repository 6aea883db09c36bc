"""Values of sum types in the data: single ones and arrays, each fault at its entry."""

import numpy as np
import pytest

import ppl
from ppl.runtime.data import InvalidData

TEXT = """
type Outcome = | Miss | Hit(real)

fn score(o: Outcome) -> real {
  return match o with { Miss => 0, Hit(v) => v }
}

model m[N](o: Outcome[N]) {
  mu ~ Normal(0, 1)
  plate i in N { data y[i] ~ Normal(mu + score(o[i]), 1) }
}
"""


def hit(*args):
    return {"tag": "Hit", "args": list(args)}


def test_an_array_of_values_is_read_element_by_element():
    target = ppl.parse(TEXT).m(o=["Miss", hit(2.0), hit(-1.0)]).given(y=[1.0, 2.0, 3.0])
    with ppl.environment():
        found = float(ppl.compiled(target).log_density({"mu": 0.5}))
    rest = np.array([1.0, 2.0, 3.0]) - 0.5 - np.array([0.0, 2.0, -1.0])
    exact = -0.5 * (0.5**2 + (rest**2).sum()) - 0.5 * 4 * np.log(2 * np.pi)
    np.testing.assert_allclose(found, exact, rtol=1e-12)


def test_every_fault_is_named_at_its_entry():
    with pytest.raises(InvalidData) as error:
        _ = ppl.parse(TEXT).m(o=["Mis", hit("a"), hit(), "Miss"]).given(y=[1.0, 2.0]).bound
    found = {(p.code, p.path) for p in error.value.problems}
    assert {("E708", "o[0]"), ("E708", "o[1]"), ("E708", "o[2]")} <= found


def test_the_digest_knows_the_arguments():
    from ppl.runtime.data import bind_data, load

    program = ppl.parse(TEXT).program
    model = program.model("m")

    def digest(*outcomes):
        return bind_data(model, load([{"o": list(outcomes), "y": [1.0, 2.0]}]), program.sums).digest

    assert digest("Miss", hit(2.0)) == digest("Miss", hit(2.0)) != digest("Miss", hit(3.0))
