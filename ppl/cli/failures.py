"""Exceptions to messages on standard error and exit codes. Never a traceback."""

from __future__ import annotations

import errno
import os
import sys

import click

from ppl.compiler.diagnostics.diagnostic import Diagnostics, ModelError
from ppl.core.errors import PplError

INTERNAL = 70


def report(error: BaseException) -> int:
    """Say what went wrong and return the exit code."""
    match error:
        case ModelError():
            show(error.diagnostics)
            return 3
        case PplError():
            from ppl.runtime.data.problems import InvalidData

            if isinstance(error, InvalidData):
                say("\n\n".join(p.render(colored()) for p in error.problems))
            else:
                say(f"error: {error}")
            return error.exit_code
        case click.exceptions.Abort() | KeyboardInterrupt():
            say("interrupted")
            return 130
        case click.exceptions.NoArgsIsHelpError():
            say(error.ctx.get_help())
            return 2
        case click.ClickException():
            say(usage_text(error))
            return error.exit_code if error.exit_code != 1 else 2
        case MemoryError():
            say("error: out of memory\n  = help: fewer chains, draws or particles need less of it")
            return 6
        case OSError() if error.strerror:
            say(f"error: {error.filename or 'output'}: {error.strerror} (errno {error.errno})")
            return 6 if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE) else 2
        case _:
            text = str(error).splitlines()
            reason = f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
            say(f"internal error: {reason}\nThis is a defect of ppl: please report it; --debug shows the traceback.")
            return INTERNAL


def usage_text(error: click.ClickException) -> str:
    text = error.format_message()
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        from ppl.runtime.data.suggest import suggest

        options = [o for p in error.ctx.command.params if isinstance(p, click.Option) for o in p.opts]
        near = suggest(error.option_name, options)
        text = f"there is no option {error.option_name}" + (f"; did you mean {near}?" if near else "")
    context = getattr(error, "ctx", None)
    hint = f"\n  = help: {context.command_path} --help" if context is not None else ""
    return f"error: {text}{hint}"


def show(diagnostics: Diagnostics, style: str = "full") -> None:
    """Every diagnostic, on standard error."""
    from ppl.compiler.diagnostics.render import render

    say(render(diagnostics, style, color=colored()).rstrip("\n"))


def say(text: str) -> None:
    """To standard error."""
    print(text, file=sys.stderr)


def colored() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
