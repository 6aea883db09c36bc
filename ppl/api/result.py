"""The result of inference, as Python sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np

from ppl.core.errors import UsageError
from ppl.inference.run import Posterior
from ppl.runtime.results.record import Record
from ppl.runtime.results.summary import Summary, summarise
from ppl.runtime.results.table import to_table
from ppl.runtime.results.to_json import to_json
from ppl.runtime.results.variables import variables

if TYPE_CHECKING:
    import xarray

    from ppl.api.applied import Applied


@dataclass(frozen=True)
class SummaryTable:
    """Statistics by variable: ``table["mu"]["mean"]``; printed as a table. ``warnings`` say what is doubtful."""

    posterior: Posterior
    summary: Summary
    model: str

    def __getitem__(self, name: str) -> dict[str, np.ndarray]:
        return self.summary.statistics[name]

    def keys(self) -> list[str]:
        return list(self.summary.statistics)

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.summary.warnings

    @property
    def status(self) -> str:
        return self.summary.status

    def to_json(self) -> dict[str, Any]:
        """The object that ``ppl run --format json`` prints."""
        return to_json(self.posterior, self.summary, self.model)

    def __repr__(self) -> str:
        return "\n".join(
            [to_table(self.posterior, self.summary, self.model), *(f"warning: {w}" for w in self.warnings)]
        )


@dataclass(frozen=True)
class Result:
    """Draws of a model's variables. ``kind`` is ``posterior``, ``prior`` or ``predictions``."""

    posterior: Posterior
    target: Applied | None
    record: Record
    kind: str = "posterior"
    notes: tuple[str, ...] = ()

    @cached_property
    def draws(self) -> dict[str, np.ndarray]:
        """Random variables and outputs, and for priors and predictions the data sites: arrays [chain, draw, …]."""
        return variables(self.posterior, data=self.kind != "posterior")

    def __getitem__(self, name: str) -> np.ndarray:
        return self.draws[name]

    @property
    def log_evidence(self) -> tuple[float, float | None] | None:
        """log Z and its standard error (0 if exact, None if unknown); None where the method gives none."""
        return self.posterior.log_evidence

    @cached_property
    def _summary(self) -> Summary:
        return summarise(self.posterior, self.draws, diagnose=self.kind == "posterior")

    def summary(self) -> SummaryTable:
        """Mean, sd, quantiles, R-hat, effective sample sizes and Monte Carlo errors."""
        return SummaryTable(self.posterior, self._summary, self.record.model)

    @property
    def status(self) -> str:
        """``ok``, or ``suspect`` where a diagnostic is bad."""
        return self._summary.status

    def network(self, name: str) -> Any:
        """The Equinox module that was given as the extern function ``name``, with the arrays that the fit found.
        UsageError where the method trained no such module."""
        from ppl.api.networks import trained

        return trained(self, name)

    def to_datatree(self, *, log_likelihood: bool = False) -> xarray.DataTree:
        """The run in ArviZ's schema; with ``log_likelihood`` also the group of that name, of every data entry."""
        from ppl.runtime.results.datatree import to_datatree

        return to_datatree(self.posterior, self.record, self.kind, self._log_likelihood() if log_likelihood else {})

    def _log_likelihood(self) -> dict[str, np.ndarray]:
        from ppl.api.simulate import log_likelihood
        from ppl.runtime.environment import environment

        if self.target is None or self.kind != "posterior":
            raise UsageError("the log likelihood needs a posterior and its model")
        with environment() as env:
            return log_likelihood(self.target.at_precision(env.bits), self.posterior.draws)

    def save(self, path: str | PathLike[str], *, force: bool = False) -> None:
        """Write the run to a NetCDF file; UsageError if it exists and ``force`` is not set."""
        from ppl.runtime.results.files import check_output
        from ppl.runtime.results.netcdf import save

        check_output(fspath(path), force)
        save(self.to_datatree(), fspath(path))

    def to_html(self) -> str:
        """A report as one self-contained page."""
        from ppl.runtime.results.html import to_html

        return to_html(self.posterior, self._summary, self.record)

    def predict(self, data: Mapping[str, Any] | None = None, /, *, seed: int = 0, **more: Any) -> Result:
        """Data and outputs drawn for each posterior draw, with the parameters of the run replaced by those of ``data``.

        Latents whose shape is another under the new data are drawn anew from their priors given the others."""
        from ppl.api.prediction import predict_result

        return predict_result(self, {**(data or {}), **more}, seed)

    def __repr__(self) -> str:
        return repr(self.summary())


def open_run(path: str | PathLike[str]) -> Result:
    """A run that was saved by ``Result.save`` or ``ppl run --out``."""
    from ppl.api.prediction import reopened
    from ppl.runtime.results.netcdf import read

    posterior, record = read(fspath(path))
    return Result(posterior, reopened(record), record)
