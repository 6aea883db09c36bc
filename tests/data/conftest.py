"""Small models for the data tests, built from IR: the checker has no part in these tests."""

import pytest

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import supports as S
from ppl.compiler.ir import types as T
from ppl.compiler.ir.sizes import Size

J = Size.var("J")


def parameter(name, type_, support=S.ANYTHING, **more):
    return ir.Parameter(name, ir.Var(name, type_, support), **more)


def data_site(name, type_, support=S.ANYTHING, missing=False):
    return ir.SiteInfo(name, type_, support, ir.Role.DATA, T.element(type_) != T.REAL, missing=missing)


def make(params=(), sites=(), sizes=("J",), checks=()):
    return ir.Model(
        "m", "model", tuple(sizes), tuple(params), None, ir.Block(()), tuple(sites), size_checks=tuple(checks)
    )


@pytest.fixture
def schools():
    """Eight schools: ``se: pos[J]``, ``data y: real[J]``, latent mu."""
    mu = ir.SiteInfo("mu", T.REAL, S.REALS, ir.Role.LATENT, False)
    return make([parameter("se", T.array(T.REAL, J), S.POSITIVE)], [data_site("y", T.array(T.REAL, J), S.REALS), mu])
