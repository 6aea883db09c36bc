"""Markov kernels, one concept a file, and the combinators that make kernels from kernels."""

from ppl.inference.kernels.base import FunctionKernel, Kernel, KernelInfo, start
from ppl.inference.kernels.combinators import cycle, mix, on, repeated, select, seq
from ppl.inference.kernels.conjugate import conjugate
from ppl.inference.kernels.gibbs import gibbs
from ppl.inference.kernels.gradient import hmc, mala, nuts
from ppl.inference.kernels.involutive import involutive
from ppl.inference.kernels.metropolis import independence, metropolis_hastings, random_walk, single_site
from ppl.inference.kernels.pseudo_marginal import pseudo_marginal
from ppl.inference.kernels.slice import elliptical_slice, slice_sampler

__all__ = [
    "FunctionKernel",
    "Kernel",
    "KernelInfo",
    "conjugate",
    "cycle",
    "elliptical_slice",
    "gibbs",
    "hmc",
    "independence",
    "involutive",
    "mala",
    "metropolis_hastings",
    "mix",
    "nuts",
    "on",
    "pseudo_marginal",
    "random_walk",
    "repeated",
    "select",
    "seq",
    "single_site",
    "slice_sampler",
    "start",
]
