"""``ppl run FILE --data D``"""

from __future__ import annotations

import click

from ppl.cli.options import (
    bits,
    data_option,
    file_argument,
    format_option,
    machine_options,
    model_option,
    out_options,
    seed_option,
)


@click.command(name="run", short_help="infer the posterior of a model given data")
@file_argument
@data_option
@model_option
@click.option(
    "--method", default="auto", show_default=True, help="An inference expression: nuts(chains=4), importance(10000), …"
)
@seed_option
@out_options
@format_option
@machine_options
@click.option("--strict", is_flag=True, help="Exit with 5 where a diagnostic is bad.")
@click.option("--checkpoint", metavar="PATH", help="Save the state of the run here as it goes.")
@click.option("--resume", metavar="PATH", help="Go on from a checkpoint of the same run.")
@click.option("--quiet", is_flag=True, help="No progress, no notes.")
def command(
    file: str,
    data: tuple[str, ...],
    model: str | None,
    method: str,
    seed: int,
    out: str | None,
    force: bool,
    style: str,
    device: str,
    precision: str | None,
    strict: bool,
    checkpoint: str | None,
    resume: str | None,
    quiet: bool,
) -> int:
    """Infer the posterior of a model given data, and print a summary."""
    from ppl.cli.finish import finish
    from ppl.cli.loading import load_query
    from ppl.runtime.results.files import check_output

    saved = checkpoint or resume or (None if out is None else out + ".checkpoint")
    for path, overwrite in ((out, force), (saved, True)):
        if path is not None:
            check_output(path, overwrite)
    target, chosen = load_query(file, data, model, method)
    from ppl.api.inference import infer

    asked = saved is not None
    saved = saved or _place(target.model.name)
    result = infer(
        target,
        chosen,
        seed=seed,
        device=device,
        precision=bits(precision),
        progress=not quiet,
        checkpoint=saved,
        periodic=asked,
        resume=resume,
    )
    return finish(result, out, style, strict=strict, quiet=quiet, checkpoint=saved, kept=bool(checkpoint or resume))


def _place(model: str) -> str | None:
    """Where an interrupted run is kept that named no place for it; None where there is no cache directory."""
    import os

    from ppl.runtime.cache import directory

    cache = directory()
    if cache is None:
        return None
    folder = cache / "interrupted"
    folder.mkdir(exist_ok=True)
    return str(folder / f"{model}-{os.getpid()}.checkpoint")
