"""``whetstone plan``: what a training can show on this data, and what it will take, from a few calls."""

from __future__ import annotations

from typing import Any

import click

from app import wiring
from app.cli import foreground
from app.cli.console import Refused, json_option, with_options
from app.cli.train import OPTIONS, leave, parsed, report
from app.services import training
from app.services.errors import Problem


@click.command()
@with_options(OPTIONS)
@click.option("--name", default="", help="Name of the run.")
@click.option("--queue", is_flag=True, help="Let a worker do it, and watch.")
@click.option("--no-wait", is_flag=True, help="With --queue: do not watch.")
@json_option
def plan(name: str, queue: bool, no_wait: bool, as_json: bool, **form: Any) -> int:
    """Say what a training with these options can show, and what it will take, from a pilot on train examples."""
    if no_wait and not queue:
        raise Refused([Problem("no_wait", "--no-wait needs --queue: a plan in this process has to be waited for")])
    wiring.database().upgrade()
    gateway = wiring.open_llm()
    with wiring.database().session() as session:
        spec = training.planned(session, parsed(session, form, gateway), gateway=gateway)
        run = training.start(session, spec, kind="plan", name=name)
    if queue and no_wait:
        return leave(run, as_json)
    return report(foreground.through_worker(run.id) if queue else foreground.here(run.id), None, as_json)
