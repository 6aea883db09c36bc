"""``ppl fmt FILE…``"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ppl.compiler.diagnostics.span import Source
from ppl.core.errors import UsageError


@click.command(name="fmt", short_help="canonical layout of model files")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if a file is not formatted.")
def command(files: tuple[str, ...], check: bool) -> int:
    """Lay out model files in the canonical way; comments stay. ``-`` reads standard input and writes standard
    output."""
    from ppl.cli.failures import say
    from ppl.compiler.syntax.format import format_source

    unformatted = 0
    for file in files:
        raw = sys.stdin.read() if file == "-" else _read(file)
        text = format_source(Source.of("<stdin>" if file == "-" else file, raw))
        if file == "-" and not check:
            sys.stdout.write(text)
        elif text != raw:
            unformatted += 1
            if check:
                say(f"{file}: not formatted; ppl fmt {file}")
            else:
                Path(file).write_text(text, encoding="utf-8")
    return int(check and unformatted > 0)


def _read(file: str) -> str:
    try:
        return Path(file).read_bytes().decode()
    except UnicodeDecodeError as e:
        raise UsageError(f"{file} is not UTF-8 text (byte {e.start})") from None
    except OSError as e:
        raise UsageError(f"{file} cannot be read: {e.strerror} (errno {e.errno})") from None
