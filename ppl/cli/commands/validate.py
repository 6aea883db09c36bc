"""``ppl validate FILE``"""

from __future__ import annotations

import sys

import click

from ppl.cli.options import Alpha, data_option, file_argument, model_option, seed_option


@click.command(name="validate", short_help="statistical certificate of a method on a model")
@file_argument
@data_option
@model_option
@click.option("--method", default="auto", show_default=True)
@seed_option
@click.option("--alpha", type=Alpha(), default=1e-9, show_default=True, help="False-alarm rate of each check.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    default=60,
    show_default=True,
    help="Stop after this time; what is not decided by then is undecided.",
)
@click.option("--n", type=click.IntRange(min=100), default=8_000, show_default=True, help="Draws of the first stage.")
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(
    file: str,
    data: tuple[str, ...],
    model: str | None,
    method: str,
    seed: int,
    alpha: float,
    budget: float,
    n: int,
    style: str,
) -> int:
    """Test on a model that a method does what it claims. Exit code 7 where a claim is refuted."""
    from ppl.api.inference import wants_marginals
    from ppl.api.parts import compiled, environment
    from ppl.cli.failures import say
    from ppl.cli.loading import load_query
    from ppl.core.errors import Refuted

    target, chosen = load_query(file, data, model, method)
    with environment():
        from ppl.inference.validation.models.certify import certify

        bound = compiled(target, wants_marginals(chosen))
        resolved, _ = chosen.resolve(bound)
        certificate = certify(
            bound,
            resolved,
            seed=seed,
            alpha=alpha,
            budget=budget,
            n=n,
            model_hash=target.identity,
            listener=say if sys.stderr.isatty() else lambda _: None,
        )
    click.echo(certificate.to_json() if style == "json" else certificate.table())
    return Refuted.exit_code if certificate.refuted else 0
