"""``ppl report RUN.nc -o report.html``"""

from __future__ import annotations

from pathlib import Path

import click

from ppl.cli.options import out_options


@click.command(name="report", short_help="a self-contained HTML page of a run")
@click.argument("run")
@out_options
def command(run: str, out: str | None, force: bool) -> None:
    """Write a self-contained HTML page: summary, intervals, traces, ranks, model and provenance."""
    from ppl.api.result import Result
    from ppl.cli.failures import say
    from ppl.runtime.results.files import check_output, write_bytes
    from ppl.runtime.results.netcdf import read

    path = out or str(Path(run).with_suffix(".html"))
    check_output(path, force)
    posterior, record = read(run)
    page = Result(posterior, None, record).to_html()
    write_bytes(path, page.encode())
    say(f"wrote {path}")
