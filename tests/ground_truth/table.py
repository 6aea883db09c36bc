"""The problems with exactly known answers: for each, programs with data, and what to ask of them.

``problems.json`` holds the exact values with their error bounds; ``models/NAME.ppl`` the programs. A problem has one or
more ``Run``s (a program of the file with arguments and data) and says of each of its queries what to compute:

========================  ==========================================================================================
target                    meaning, under the posterior of the run
========================  ==========================================================================================
("log_evidence",)         log ∫ of the unnormalised target; ("evidence",) its exponential
("mean", name)            of a latent, an output, or ``return`` (the returned value); also ("sd", name), ("var", name)
("pmf", name, values)     probabilities of the values; ("pmf", name, values, i) of element i
("prob", name, value)     one probability
("filter_mean", name)     for each prefix y[0..t+1] of the data ``y`` the mean of the last element; also "filter_var"
("mode", name)            most probable value; ("mode_probability", name) its posterior probability
("elbo",)                 the objective ``elbo`` of the file with the file's guide
("elbo_gradient", p, …)   its derivatives by the guide's parameters
("loss", x)               the objective ``loss`` at x; ("loss_gradient", x) its derivative
========================  ==========================================================================================

``Run.oracle`` says how the reference interpreter reaches the values exactly: ``Enumerate``, ``Quadrature``,
``Gaussian``, ``Chain``, or None where it can't. Queries without a target are no questions to a program (a wrong
gradient, a limit in time).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
Target = tuple[Any, ...]


@dataclass(frozen=True)
class Enumerate:
    """All paths. ``least``: paths of smaller prior probability are cut off. ``mass``: probabilities are the paths' own
    mass, not divided by what was kept (the evidence is known to be one)."""

    least: float = 0.0
    mass: bool = False


@dataclass(frozen=True)
class Quadrature:
    """Continuous latents on quadrature nodes."""

    nodes: int | dict[str, int] = 64
    breaks: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Gaussian:
    """``sites`` are jointly Gaussian given the others."""

    sites: tuple[str, ...]
    nodes: int = 64
    breaks: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Chain:
    """``site`` is a Markov chain of ``length`` discrete states."""

    site: str
    length: int
    states: int


@dataclass(frozen=True)
class Elbo:
    """Objectives: enumeration of the guide's draws (continuous ones on quadrature nodes)."""

    nodes: int = 60


class Query(NamedTuple):
    name: str
    value: Any
    abs_err: float
    target: Target | None


@dataclass(frozen=True)
class Run:
    """One program (``model`` of the file) with data. ``targets``: query name → target. ``needs``: features beyond the
    static core, by the names of the constructs: recursion, branches, infer, guide, objective. ``file``: the program,
    where it is not that of the problem; ``rejected``: the code of the error by which the compiler refuses it."""

    targets: dict[str, Target]
    model: str = "main"
    data: dict[str, Any] = field(default_factory=dict)
    oracle: Any = field(default_factory=Enumerate)
    needs: tuple[str, ...] = ()
    file: str | None = None
    rejected: str | None = None


@dataclass(frozen=True)
class Problem:
    name: str
    runs: tuple[Run, ...]

    @property
    def path(self) -> Path:
        return FOLDER / "models" / f"{self.name}.ppl"

    @property
    def model_text(self) -> str:
        """Of the first run, unless that has a ``file`` of its own."""
        return self.path.read_text(encoding="utf-8")

    def text_of(self, run: Run) -> str:
        return (FOLDER / "models" / f"{run.file or self.name}.ppl").read_text(encoding="utf-8")

    @property
    def category(self) -> str:
        return _exact()[self.name]["category"]

    @property
    def data(self) -> dict[str, Any]:
        """Of the first run."""
        return self.runs[0].data

    @property
    def queries(self) -> list[Query]:
        """All queries of the problem; the target is None where no run answers it."""
        targets = {name: target for run in self.runs for name, target in run.targets.items()}
        return [
            Query(q["name"], q["value"], q["abs_err"], targets.get(q["name"])) for q in _exact()[self.name]["queries"]
        ]

    def queries_of(self, run: Run) -> list[Query]:
        return [q for q in self.queries if q.name in run.targets]


@cache
def _exact() -> dict[str, dict]:
    content = json.loads((FOLDER / "problems.json").read_text(encoding="utf-8"))
    return {p["name"]: p for p in content["problems"]}


Z = ("log_evidence",)
SCHOOLS = {"y": [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0], "sigma": [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]}
ANGLICAN = [0.9, 0.8, 0.7, 0.0, -0.025, -5.0, -2.0, -0.1, 0.0, 0.13, 0.45, 6.0, 0.2, 0.3, -1.0, -1.0]
LGSSM = [0.5, 1.0, 0.2, -0.3, 0.4]

PROBLEMS: tuple[Problem, ...] = (
    Problem("webppl_upweight", (Run({"log_evidence": Z, "P(x)": ("prob", "return", True)}),)),
    Problem(
        "beta_binomial_urn",
        tuple(
            Run({"evidence": ("evidence",), "pmf(0..5)": ("pmf", "return", range(6))}, model, oracle=Quadrature(8))
            for model in ("latent", "urn")
        ),
    ),
    Problem("monty_hall", (Run({"P(car=1)": ("prob", "return", 1), "P(car=0)": ("prob", "return", 0)}),)),
    Problem("sprinkler_soft", (Run({"log_evidence": Z, "P(rain)": ("prob", "return", True)}),)),
    Problem("strictly_smaller_support", (Run({"log_evidence": Z, "P(x)": ("prob", "return", True)}),)),
    Problem("webppl_partition2", (Run({"log_evidence": Z, "P(x)": ("prob", "return", True)}),)),
    Problem(
        "dice_soft",
        (Run({"evidence": ("evidence",), "pmf(2..12)": ("pmf", "return", range(2, 13)), "mean": ("mean", "return")}),),
    ),
    Problem(
        "dice_hard",
        (Run({"log_evidence": Z, "pmf(5..12)": ("pmf", "return", range(5, 13)), "mean": ("mean", "return")}),),
    ),
    Problem("webppl_mem", (Run({"pmf(0,1,2)": ("pmf", "return", range(3))}),)),
    Problem(
        "nested_informative_agent",
        (
            Run(
                {
                    "informative(Square) pmf [ASquare,AShape,Nothing]": ("pmf", "return", range(3)),
                    "informative(Square) evidence": ("evidence",),
                },
                "informative",
                {"shape": 0},
            ),
            Run(
                {"informative(Circle) pmf": ("pmf", "return", range(3)), "informative(Circle) evidence": ("evidence",)},
                "informative",
                {"shape": 1},
            ),
            Run({"listener(AShape): P(Square)": ("prob", "return", 0)}, "literal", {"utterance": 1}),
        ),
    ),
    Problem("webppl_cache", (Run({"P(1)": ("prob", "return", True)}),)),
    Problem(
        "webppl_nestedEnum",
        tuple(
            Run(
                {f"nestedEnum{k}: mean": ("mean", "return"), f"nestedEnum{k}: sd": ("sd", "return")},
                f"nested{k}",
                oracle=Quadrature(400 if k == 8 else 40),
            )
            for k in (1, 2, 5, 6, 7, 8)
        ),
    ),
    Problem(
        "hmm_anglican",
        (
            Run(
                {
                    "log_evidence": Z,
                    "filter p(x16|y1:16)": ("pmf", "x", range(3), 16),
                    "smooth p(x1|y1:16)": ("pmf", "x", range(3), 1),
                },
                data={"y": ANGLICAN},
                oracle=Chain("x", 17, 3),
            ),
            Run({"log_evidence_first6": Z}, data={"y": ANGLICAN[:6]}, oracle=Chain("x", 7, 3)),
            Run(
                {
                    "log_evidence (data reversed, monad-bayes order)": Z,
                    "filter last (reversed)": ("pmf", "x", range(3), 16),
                },
                data={"y": ANGLICAN[::-1]},
                oracle=Chain("x", 17, 3),
            ),
        ),
    ),
    Problem(
        "lgssm_unknown_ar",
        (
            Run(
                {"log_evidence": Z, "E[a|y]": ("mean", "a"), "sd[a|y]": ("sd", "a"), "P(a>.5|y)": ("mean", "above")},
                data={"y": LGSSM},
                oracle=Gaussian(("x",), 24, {"a": (0.5,)}),
            ),
        ),
    ),
    Problem(
        "nonlinear_ssm",
        (
            Run(
                {"log_evidence": Z, "E[x_t|y1:t]": ("filter_mean", "x"), "E|x_t| filter": ("filter_mean", "distance")},
                data={"y": [0.5, 8.0, 3.0]},
                oracle=None,
            ),
        ),
    ),
    Problem(
        "hmm_gen",
        (
            Run(
                {"log_evidence": Z, "p(z4|x)": ("pmf", "z", range(3), 3), "p(z1|x)": ("pmf", "z", range(3), 0)},
                data={"x": [0, 0, 1, 2]},
            ),
        ),
    ),
    Problem(
        "lgssm_1d",
        (
            Run(
                {
                    "log_evidence": Z,
                    "filter means": ("filter_mean", "x"),
                    "filter vars": ("filter_var", "x"),
                    "smooth means": ("mean", "x"),
                    "smooth vars": ("var", "x"),
                },
                data={"y": LGSSM},
                oracle=Gaussian(("x",)),
            ),
        ),
    ),
    Problem(
        "lgssm_missing",
        (
            Run(
                {"log_evidence": Z, "filter means": ("filter_mean", "x")},
                data={"y": [0.5, None, 0.2, None, 0.4]},
                oracle=Gaussian(("x", "y")),
            ),
        ),
    ),
    Problem(
        "pcfg_catalan",
        (
            Run(
                {"P(n=1..6)": ("pmf", "return", range(1, 7))},
                "leaves",
                oracle=Enumerate(1e-4, mass=True),
                needs=("recursion",),
            ),
            Run({"E[n]": ("mean", "return")}, "leaves", oracle=None, needs=("recursion",)),
            Run(
                {"log P(n=5)": Z, "P(depth=3|n=5)": ("prob", "return", 3), "E[depth|n=5]": ("mean", "return")},
                "conditioned",
                oracle=Enumerate(1e-3),
                needs=("recursion",),
            ),
        ),
    ),
    Problem(
        "webppl_geometric",
        (
            Run(
                {"pmf(1..8)": ("pmf", "return", range(1, 9)), "mean": ("mean", "return"), "var": ("var", "return")},
                oracle=Enumerate(1e-15),
                needs=("recursion",),
            ),
        ),
    ),
    Problem(
        "galton_watson",
        (
            Run({"P(extinct by gen 3)": ("prob", "return", True)}, "individuals", oracle=None, needs=("recursion",)),
            Run({"P(extinct by gen 3)": ("prob", "return", True)}, "generations", oracle=Enumerate(1e-6, mass=True)),
        ),
    ),
    Problem(
        "branch_obs_counts",
        (Run({"log_evidence": Z, "P(first branch)": ("prob", "return", True)}),),
    ),
    Problem(
        "webppl_varFactors1",
        (Run({"log_evidence": Z, "P([10])": ("prob", "return", True)}),),
    ),
    Problem(
        "webppl_mixed2Factor",
        (Run({"log_evidence": Z, "mean": ("mean", "return"), "sd": ("sd", "return")}, oracle=Gaussian(("y",))),),
    ),
    Problem(
        "webppl_mixed3Factor",
        (
            Run({"log_evidence": Z, "P(y)": ("prob", "return", True)}, oracle=Quadrature(600)),
            Run({"P(y) without factor": ("prob", "return", True)}, "plain", oracle=Quadrature(600)),
        ),
    ),
    Problem("webppl_partition3", (Run({"log_evidence": Z}, oracle=Gaussian(("mu",))),)),
    Problem(
        "dirichlet_categorical",
        (Run({"log_evidence": Z, "E[th]": ("mean", "th")}, data={"y": [0, 0, 1, 0]}, oracle=Quadrature(6)),),
    ),
    Problem(
        "normal_normal",
        (
            Run(
                {"log_evidence": Z, "mean": ("mean", "mu"), "sd": ("sd", "mu")},
                data={"y": [5.5, 6.5]},
                oracle=Gaussian(("mu",)),
            ),
        ),
    ),
    Problem(
        "gamma_poisson",
        (
            Run(
                {
                    "log_evidence": Z,
                    "E[lam]": ("mean", "lam"),
                    "var[lam]": ("var", "lam"),
                    "predictive P(y=0)": ("mean", "none"),
                },
                data={"y": [3, 0, 2, 5]},
                oracle=Quadrature(200),
            ),
        ),
    ),
    Problem(
        "gamma_normal_precision",
        (
            Run(
                {"log_evidence": Z, "E[lam]": ("mean", "lam"), "var[lam]": ("var", "lam")},
                data={"y": [0.5, -1.2, 2.0]},
                oracle=Quadrature(200),
            ),
        ),
    ),
    Problem(
        "eight_schools_tfp",
        (
            Run(
                {
                    "log_evidence": Z,
                    "E[mu]": ("mean", "mu"),
                    "sd[mu]": ("sd", "mu"),
                    "E[log_stddev]": ("mean", "log_stddev"),
                    "sd[log_stddev]": ("sd", "log_stddev"),
                    "E[theta]": ("mean", "theta"),
                    "sd[theta]": ("sd", "theta"),
                },
                data=SCHOOLS,
                oracle=Gaussian(("mu", "theta"), 60),
            ),
        ),
    ),
    Problem(
        "webppl_gaussianDrift",
        (
            Run(
                {"log_evidence": Z, "E[m]": ("mean", "m"), "sd[m]": ("sd", "m"), "E[sigma]": ("mean", "sigma")},
                data={"x": [0.0, 1.0, 2.0, 3.0], "y": [0.0, 1.0, 4.0, 6.0]},
                oracle=Gaussian(("m", "b"), 100),
            ),
        ),
    ),
    Problem(
        "lda_tiny",
        (
            Run(
                {
                    "log_evidence": Z,
                    "P(z11==z12)": ("mean", "same_document"),
                    "P(z11==z21)": ("mean", "other_document"),
                },
                data={"doc": [0, 0, 0, 1, 1], "w": [0, 0, 1, 1, 1]},
                oracle=Quadrature({"phi": 3, "theta": 2}),
            ),
        ),
    ),
    Problem(
        "webppl_indirectDependency",
        (Run({"mean": ("mean", "return"), "sd": ("sd", "return")}, oracle=Quadrature({"x": 80, "y": 60})),),
    ),
    Problem(
        "logreg_monad_bayes",
        (
            Run(
                {"log_evidence": Z, "E[sigmoid(y(8))]": ("mean", "return")},
                data={"x": [-10.0, -5.0, 2.0, 6.0, 10.0], "label": [False, False, True, True, True]},
                oracle=None,
            ),
        ),
    ),
    Problem("truncnorm_posterior", (Run({"log_evidence": Z, "mean": ("mean", "x")}, oracle=Quadrature(300)),)),
    Problem("webppl_uniformSampledSupport", (Run({"mean": ("mean", "x"), "sd": ("sd", "x")}, oracle=Quadrature(20)),)),
    Problem(
        "webppl_uniformDrift",
        (Run({"log_evidence": Z, "mean": ("mean", "x"), "sd": ("sd", "x")}, oracle=Quadrature(8, {"x": (0.0,)})),),
    ),
    Problem(
        "trueskill_pair",
        (Run({"log_evidence": Z, "E[sA]": ("mean", "skill_a"), "P(sA>sB)": ("mean", "better")}, oracle=None),),
    ),
    Problem(
        "cauchy_location",
        (
            Run(
                {"log_evidence": Z, "mean": ("mean", "m"), "var": ("var", "m")},
                data={"y": [1.0, 6.0]},
                oracle=Quadrature(400),
            ),
        ),
    ),
    Problem(
        "mixture_prior_asym",
        (Run({"log_evidence": Z, "P(z)": ("prob", "z", True), "E[x]": ("mean", "x")}, oracle=Gaussian(("x",))),),
    ),
    Problem(
        "indian_gpa",
        (
            Run(
                {"P(usa | gpa==4.0)": ("prob", "return", True)},
                "perfect",
                oracle=None,
                file="indian_gpa_atom",
                rejected="E313",
            ),
            Run(
                {"P(usa | 3.0<gpa<3.001)": ("prob", "return", True)},
                "about_three",
                oracle=Quadrature(4, {"american.g": (3.0, 3.001), "indian.g": (3.0, 3.001)}),
            ),
        ),
    ),
    Problem(
        "crp_mixture",
        (
            Run(
                {"log_evidence": Z, "P(K=1..4)": ("pmf", "clusters", range(1, 5)), "P(z1==z2)": ("mean", "together")},
                data={"y": [-1.2, -0.9, 1.1, 3.0]},
                oracle=Gaussian(("mu",)),
            ),
        ),
    ),
    Problem(
        "vi_bernoulli",
        (
            Run({"log_evidence": Z}),
            Run({"ELBO": ("elbo",), "dELBO/dphi": ("elbo_gradient", "phi")}, oracle=Elbo(), needs=("guide",)),
        ),
    ),
    Problem(
        "vi_gaussian",
        (
            Run(
                {"ELBO": ("elbo",), "dELBO/dmu": ("elbo_gradient", "mu"), "dELBO/dls": ("elbo_gradient", "ls")},
                oracle=Elbo(),
                needs=("guide",),
            ),
        ),
    ),
    Problem(
        "vi_mixed_guide",
        (
            Run(
                {
                    "ELBO": ("elbo",),
                    "grad (a,m1,m0)": ("elbo_gradient", "a", "m1", "m0"),
                    "dELBO/dm1": ("elbo_gradient", "m1"),
                    "dELBO/dm0": ("elbo_gradient", "m0"),
                },
                oracle=Elbo(),
                needs=("guide",),
            ),
        ),
    ),
    Problem(
        "minibatch_plate",
        (
            Run({"full loglik": Z}, "full"),
            Run({"E[exp(subsampled)]/exp(full)": ("evidence",)}, "subsampled"),
        ),
    ),
    Problem(
        "underflow_weights",
        (Run({"log_evidence": Z, "E[mu]": ("mean", "mu")}, data={"y": [3.0] * 1000}, oracle=Gaussian(("mu",))),),
    ),
    Problem(
        "eight_schools_posteriordb",
        tuple(
            Run(
                {
                    "log_evidence": Z,
                    "E[mu]": ("mean", "mu"),
                    "sd[mu]": ("sd", "mu"),
                    "E[tau]": ("mean", "tau"),
                    "E[theta]": ("mean", "theta"),
                    "sd[theta]": ("sd", "theta"),
                },
                model,
                SCHOOLS,
                oracle,
            )
            for model, oracle in (("main", None), ("noncentred", Gaussian(("mu", "z"), 56)))
        ),
    ),
    Problem(
        "hmm_discrete10",
        (
            Run(
                {
                    "log_evidence": Z,
                    "smooth P(z[t]=1)": ("mean", "z"),
                    "E[#switches|o]": ("mean", "switches"),
                    "MAP path": ("mode", "z"),
                    "P(MAP path|o)": ("mode_probability", "z"),
                },
                data={"o": [0, 0, 1, 2, 2, 2, 1, 0, 0, 2]},
            ),
        ),
    ),
    Problem(
        "adev_discontinuity",
        (Run({"L": ("loss", 0.2), "dL/dmu": ("loss_gradient", 0.2)}, "loss", oracle=None, needs=("objective",)),),
    ),
)


def problem(name: str) -> Problem:
    return next(p for p in PROBLEMS if p.name == name)
