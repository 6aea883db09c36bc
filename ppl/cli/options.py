"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

LARGEST_SEED = 2**64 - 1


class Seed(click.ParamType):
    """An integer of 64 bits."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            seed = int(str(value), 10)
        except ValueError:
            self.fail(f"`{value}` is not an integer", param, ctx)
        if not 0 <= seed <= LARGEST_SEED:
            self.fail(f"{value} does not fit: a seed is from 0 to 2^64 - 1", param, ctx)
        return seed


class Alpha(click.ParamType):
    """An error rate strictly between 0 and 1."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            alpha = float(value)
        except ValueError:
            self.fail(f"`{value}` is not a number", param, ctx)
        if not 0 < alpha < 1:
            self.fail(f"{value} is no error rate: it must lie strictly between 0 and 1", param, ctx)
        return alpha


def file_argument(command: Callable) -> Callable:
    return click.argument("file")(command)


def model_option(command: Callable) -> Callable:
    return click.option("--model", metavar="NAME", help="The model to use, where the file has several.")(command)


def data_option(command: Callable) -> Callable:
    return click.option(
        "--data",
        multiple=True,
        metavar="FILE|NAME=VALUE",
        help="Data: JSON, CSV, Parquet, NPZ, NetCDF, or one value. Repeatable.",
    )(command)


def seed_option(command: Callable) -> Callable:
    return click.option("--seed", type=Seed(), default=0, show_default=True, help="Recorded in the results.")(command)


def out_options(command: Callable) -> Callable:
    command = click.option("--force", is_flag=True, help="Overwrite the output.")(command)
    return click.option("--out", "-o", metavar="PATH", help="Where to write the result.")(command)


def format_option(command: Callable) -> Callable:
    return click.option(
        "--format",
        "style",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="Form of the summary.",
    )(command)


def machine_options(command: Callable) -> Callable:
    command = click.option("--device", type=click.Choice(["auto", "cpu", "gpu"]), default="auto", show_default=True)(
        command
    )
    return click.option(
        "--precision", type=click.Choice(["32", "64"]), help="Bits of reals: 64 on CPU by default, 32 elsewhere."
    )(command)


def bits(precision: str | None) -> int | None:
    return None if precision is None else int(precision)
