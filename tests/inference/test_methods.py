"""Method expressions: what they mean, and what is said of wrong ones."""

import subprocess
import sys
from dataclasses import MISSING

import pytest

from ppl.core.errors import MethodError, ResourceError, UsageError
from ppl.core.functional import FunctionalTarget, counts, finite, real
from ppl.inference.claims import Claim
from ppl.inference.methods import registry
from ppl.inference.methods.auto import Auto
from ppl.inference.methods.enumeration import Enumerate
from ppl.inference.methods.importance import Importance
from ppl.inference.methods.nuts import Nuts
from ppl.inference.methods.parse import Call, parse


def target(**sites):
    return FunctionalTarget(sites, lambda t: 0.0)


def test_expressions():
    assert parse("nuts") == parse(" nuts ( ) ") == Nuts()
    assert parse("nuts(2, draws=50, target_accept=0.9)") == Nuts(chains=2, draws=50, target_accept=0.9)
    assert parse("importance(1_000)").n == parse("importance(n=1e3)").n == 1000
    assert parse("map(jacobian=true)").jacobian is True
    assert parse("nuts(metric=dense)").metric == parse("nuts(metric='dense')").metric == "dense"


def test_every_method_writes_itself_as_text_that_reads_back():
    for name in registry.names():
        method_class = registry.lookup(name)
        assert registry.lookup(method_class.name) is method_class  # `ibis` is another name of rmsmc
        assert method_class.summary and method_class.name in method_class.signature()
        assert isinstance(method_class.claim, Claim)
        if not any(f.default is MISSING for f in method_class.parameters().values()):
            assert parse(method_class().expression()) == method_class()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nutz", "did you mean `nuts`?"),
        ("nuts(chain=3)", "did you mean `chains`?"),
        ("nuts(chains=0)", "at least 1"),
        ("nuts(chains=2.5)", "an integer"),
        ("nuts(chains=true)", "an integer"),
        ("nuts(target_accept=1)", "less than 1"),
        ("nuts(metric=full)", "one of diagonal, dense"),
        ("nuts(chains=", "where a value was needed"),
        ("nuts(chains=1, chains=2)", "given twice"),
        ("nuts(chains=1, 2)", "positional arguments come first"),
        ("nuts(1, chains=2)", "given twice"),
        ("nuts)", "where the end was needed"),
        ("", "the name of a method"),
        ("enumerate(1, 2)", "at most 1"),
        ("__import__('os')", "there is no inference method"),
        ("nuts(chains=len([]))", "an integer"),
        ("nuts(§)", "`§`"),
    ],
)
def test_wrong_expressions_name_the_wrong_part(text, said):
    with pytest.raises(UsageError) as error:
        parse(text)
    assert said in str(error.value)
    assert error.value.exit_code == 2


def test_calls_of_what_is_no_method_are_left_to_the_method_that_takes_them():
    from ppl.inference.methods.parse import _Parser

    assert _Parser("on(select(x, y.z), 0.5)").value() == Call("on", (Call("select", ("x", "y.z")), 0.5))


def test_parsing_imports_no_jax():
    code = "import sys, ppl.inference.methods.parse as p; p.parse('nuts(chains=2)'); assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_gradient_methods_name_the_discrete_variables():
    mixed = target(x=real(), k=finite(3), n=counts())
    for method in ("nuts", "hmc", "map", "laplace"):
        with pytest.raises(MethodError, match="`k`, `n` are discrete") as error:
            parse(method).check(mixed)
        assert "importance" in str(error.value)
    with pytest.raises(MethodError, match="`k` is discrete(.|\n)*--method 'enumerate'"):
        parse("nuts").check(target(k=finite(3)))


def test_enumerate_counts_its_states_first():
    with pytest.raises(ResourceError, match="would visit 1,073,741,824 states, and the limit is 1,000,000") as error:
        parse("enumerate").check(target(z=finite(2, 30)))
    assert error.value.exit_code == 6
    with pytest.raises(ResourceError, match="about 10\\^301"):
        parse("enumerate").check(target(z=finite(2, 1000)))
    with pytest.raises(ResourceError, match="`n` has an unbounded support"):
        parse("enumerate").check(target(n=counts()))
    with pytest.raises(MethodError, match="`x` is continuous"):
        parse("enumerate").check(target(x=real()))
    parse("enumerate(limit=8)").check(target(z=finite(2, 3)))


def test_auto_says_what_it_chose():
    assert Auto().resolve(target(x=real()))[0] == Nuts()
    method, why = Auto().resolve(target(z=finite(2, 3)))
    assert method == Enumerate() and "8 states" in why
    method, why = Auto().resolve(target())
    assert method == Importance(1000) and "independent and exact" in why
    with pytest.raises(MethodError, match="`n` is discrete"):
        Auto().resolve(target(x=real(), n=counts()))
