"""The terminal door, ``whetstone``: commands by noun over the same services as the pages; errors become exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping, Sequence
from typing import Any

import click

from app import wiring
from app.cli import (
    analyze,
    benchmark,
    bill,
    compare,
    datasets,
    demo,
    doctor,
    models,
    plan,
    prompts,
    providers,
    prune,
    rank,
    reviews,
    runs,
    serve,
    tokens,
    train,
    trying,
)
from app.cli.console import Exit, Refused, explain, refused
from app.cli.supervisor import CannotStart
from app.config import ConfigError, read_env_file
from app.services.errors import Problem, ServiceError
from app.store.schema import Unusable


class Door(click.Group):
    """Turns whatever goes wrong into one clear line for each problem, and an exit code."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run a command and exit with its code."""
        words = list(sys.argv[1:] if args is None else args)
        extra |= {"standalone_mode": False, "obj": words}
        try:
            status = super().main(words, *rest, **extra)
        except click.exceptions.Exit as end:
            status = end.exit_code
        except click.Abort:
            status = Exit.STOPPED
        except click.exceptions.NoArgsIsHelpError as help_text:
            click.echo(help_text.format_message(), err=True)
            status = Exit.USAGE
        except (click.ClickException, Refused, ServiceError, ConfigError, CannotStart, Unusable) as error:
            refusal = _refusal(error)
            explain(refusal.problems, "--json" in words)
            status = refusal.code
        sys.exit(int(status or 0))


def _refusal(error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, ServiceError):
        return refused(error)
    if isinstance(error, ConfigError):
        return Refused([Problem("", problem) for problem in error.problems])
    if isinstance(error, click.UsageError):
        field = getattr(getattr(error, "param", None), "name", None) or ""
        return Refused([Problem(field, error.format_message())])
    return Refused(
        [Problem("", error.format_message() if isinstance(error, click.ClickException) else str(error))], Exit.FAILED
    )


NEED_NO_DATABASE = frozenset(
    {"up", "web", "worker", "migrate", "backup", "doctor", "demo", "train", "plan", "benchmark"}
)
"""They make the database, or look at it themselves."""


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="whetstone")
@click.pass_context
def cli(context: click.Context) -> None:
    """Train prompts the way others train models, and find out honestly whether it helped.

    \b
    Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 gate not met (--min-improvement),
    4 cancelled or out of budget.
    """
    if context.invoked_subcommand not in NEED_NO_DATABASE and {"-h", "--help"}.isdisjoint(context.obj):
        wiring.database().check()


runs.runs.add_command(bill.bill)
prompts.prompts.add_command(compare.measure)
for command in (
    serve.up,
    serve.web,
    serve.worker,
    serve.migrate,
    serve.backup,
    doctor.doctor,
    demo.demo,
    datasets.datasets,
    prompts.prompts,
    models.models,
    providers.providers,
    tokens.tokens,
    train.train,
    plan.plan,
    benchmark.benchmark,
    benchmark.review,
    rank.rank,
    analyze.analyze,
    reviews.reviews,
    trying.try_,
    runs.runs,
    compare.compare,
    prune.prune,
    bill.spend,
):
    cli.add_command(command)


def main(environ: MutableMapping[str, str] = os.environ) -> None:
    """The entry point. An .env file fills in what the environment does not say."""
    for name, value in read_env_file().items():
        environ.setdefault(name, value)
    cli()
