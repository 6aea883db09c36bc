"""The end of a run: the file, the summary, the warnings, the exit code."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

from ppl.cli.failures import say

if TYPE_CHECKING:
    from ppl.api.result import Result

SUSPECT, INTERRUPTED = 5, 130


def finish(
    result: Result,
    out: str | None,
    style: str,
    *,
    strict: bool = False,
    quiet: bool = False,
    checkpoint: str | None = None,
    kept: bool = False,
) -> int:
    """Save ``result`` (whole or not at all), print its summary, say what is doubtful; the exit code of the command.

    ``checkpoint`` is removed at the end of a complete run, unless it was asked for (``kept``)."""
    if out is not None:
        result.save(out, force=True)
    table = result.summary()
    if style == "json":
        click.echo(json.dumps(table.to_json(), ensure_ascii=False, allow_nan=False))
    else:
        from ppl.runtime.results.table import to_table

        click.echo(to_table(table.posterior, table.summary, table.model))
    if not quiet:
        for note in (*result.posterior.notes, *result.notes):
            say(f"note: {note}")
    for warning in table.warnings:
        say(f"warning: {warning}")
    if out is not None:
        say(f"wrote {out}")
    if not result.posterior.complete:
        there = checkpoint is not None and os.path.exists(checkpoint)
        where = f"; the draws so far are in {out or checkpoint}" if out or there else ""
        how = f"; to go on, give the same command with --resume {checkpoint}" if there else ""
        say(f"interrupted{where}{how}")
        return INTERRUPTED
    if checkpoint is not None and not kept:
        for path in (checkpoint, checkpoint + ".previous"):
            if os.path.exists(path):
                os.unlink(path)
    return SUSPECT if strict and table.status == "suspect" else 0
