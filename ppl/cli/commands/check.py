"""``ppl check FILE…``"""

from __future__ import annotations

import json
import sys

import click


@click.command(name="check", short_help="parse and check model files")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--format", "style", type=click.Choice(["full", "concise", "json"]), default="full", show_default=True)
def command(files: tuple[str, ...], style: str) -> int:
    """Parse and check model files. Exit code 0: clean; 1: findings; 2: usage."""
    from ppl.api.module import check
    from ppl.cli.failures import colored
    from ppl.compiler.diagnostics.render import render

    found = [check(f).diagnostics for f in files]
    if style == "json":
        click.echo(
            json.dumps([item for d in found for item in json.loads(render(d, "json"))], indent=1, ensure_ascii=False)
        )
    else:
        for diagnostics in found:
            if diagnostics.items:
                print(render(diagnostics, style, color=colored()).rstrip("\n"), file=sys.stderr)
    return int(any(d.items for d in found))
