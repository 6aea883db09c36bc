"""``ppl fmt FILE…``"""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command(name="fmt", short_help="canonical layout of model files")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if a file is not formatted.")
def command(files: tuple[str, ...], check: bool) -> int:
    """Lay out model files in the canonical way; comments stay. ``-`` reads standard input and writes standard output."""
    from ppl.cli.failures import say
    from ppl.compiler.pipeline import read_source
    from ppl.compiler.syntax.format import format_source

    unformatted = 0
    for file in files:
        source = read_source(file)
        text = format_source(source)
        raw = source.text if file == "-" else Path(file).read_text(encoding="utf-8")
        if file == "-" and not check:
            sys.stdout.write(text)
        elif text != raw:
            unformatted += 1
            if check:
                say(f"{file}: not formatted; ppl fmt {file}")
            else:
                Path(file).write_text(text, encoding="utf-8")
    return int(check and unformatted > 0)
