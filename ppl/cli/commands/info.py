"""``ppl info FILE``"""

from __future__ import annotations

import json

import click


@click.command(name="info", short_help="what a file declares, as JSON")
@click.argument("file")
def command(file: str) -> None:
    """Models of a file with their parameters, data and random variables, as JSON."""
    from ppl.api.describe import describe
    from ppl.cli.loading import load_module

    click.echo(json.dumps(describe(load_module(file).program), indent=2, ensure_ascii=False))
