"""``ppl validate FILE``"""

from __future__ import annotations

import importlib.util

import click

from ppl.cli.options import Alpha, data_option, file_argument, model_option, seed_option


@click.command(name="validate", short_help="statistical certificate of a method on a model")
@file_argument
@data_option
@model_option
@click.option("--method", default="auto", show_default=True)
@seed_option
@click.option("--alpha", type=Alpha(), default=1e-9, show_default=True, help="False-alarm rate of each check.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop after this time.")
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(
    file: str,
    data: tuple[str, ...],
    model: str | None,
    method: str,
    seed: int,
    alpha: float,
    budget: float | None,
    style: str,
) -> int:
    """Test on a model that a method does what it claims. Exit code 7 where a claim is refuted."""
    from ppl.cli.loading import load_query
    from ppl.core.errors import UsageError

    target, chosen = load_query(file, data, model, method)
    if importlib.util.find_spec("ppl.inference.validation.command") is None:
        raise UsageError(
            "validate is not part of this version of ppl", helps=("ppl run FILE --data D samples the model",)
        )
    run = importlib.import_module("ppl.inference.validation.command").run
    return run(target, chosen, seed=seed, alpha=alpha, budget=budget, style=style)
