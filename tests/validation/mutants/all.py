"""The forty-one mutants, by group."""

from tests.validation.mutants import compiler, distribution, mcmc, smc, vi

GROUPS = {
    "compiler": compiler.MUTANTS,
    "distribution": distribution.MUTANTS,
    "MCMC": mcmc.MUTANTS,
    "SMC": smc.MUTANTS,
    "VI": vi.MUTANTS,
}
MUTANTS = {m.id: m for group in GROUPS.values() for m in group}
