"""The entry point: finds the verb, runs it, turns every failure into a message and an exit code.

Exit codes beside those of the errors themselves: 2 usage, 130 interrupted, 141 the reader of a pipe has gone,
70 a defect of ppl itself (one line; ``--debug`` shows the traceback).
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from ppl.cli.failures import INTERNAL, report

VERBS = {
    "check": "parse and check model files",
    "fmt": "canonical layout of model files",
    "info": "models, parameters, data and random variables of a file, as JSON",
    "explain": "what a diagnostic means, or what the compiler did to a model",
    "ir": "the typed intermediate representation",
    "compile": "write a compiled model: jaxpr, StableHLO or a serialised function",
    "run": "infer the posterior of a model given data",
    "prior": "draw from the prior, data sites included",
    "predict": "draw data and outputs from the posterior of an earlier run",
    "report": "a self-contained HTML page of a run",
    "validate": "statistical certificate that a method does what it claims on a model",
    "graph": "draw a model, as SVG or DOT",
}


class Verbs(click.Group):
    """Commands by name, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        return importlib.import_module(f"ppl.cli.commands.{cmd_name}").command

    def resolve_command(self, ctx: click.Context, args: list[str]):
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from ppl.runtime.data.suggest import suggest

            near = suggest(args[0], VERBS)
            advice = f"; did you mean `ppl {near}`?" if near else ""
            raise click.UsageError(f"there is no command `{args[0]}`{advice} (commands: {', '.join(VERBS)})")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from ppl import __version__

        click.echo(f"ppl {__version__}")
        ctx.exit()


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def cli() -> None:
    """A probabilistic programming language: check, run and examine models."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:] if argv is None else list(argv)))


def run(argv: list[str]) -> int:
    """The exit code of one command; messages go to standard error. ``--debug`` may stand anywhere."""
    debug = "--debug" in argv
    argv = [a for a in argv if a != "--debug"]
    try:
        result = cli.main(argv, prog_name="ppl", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else INTERNAL
    except (Exception, KeyboardInterrupt) as e:
        if debug:
            import traceback

            traceback.print_exc()
        return report(e)


if __name__ == "__main__":
    main()
