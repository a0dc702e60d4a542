"""``whetstone runs rejudge``: judge a finished training again under other rules, or on a corrected version of its dataset."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from app import wiring
from app.cli import foreground
from app.cli.console import Exit, Refused, emit, json_option, say, with_options
from app.cli.train import report, scorer_of
from app.services import documents, rejudging, runs
from app.services.errors import Problem
from app.services.rejudging.missing import Missing, count

OPTIONS = (
    click.option(
        "--scorer", multiple=True, metavar="NAME[:KEY=VALUE]", help="How answers are scored; may be repeated."
    ),
    click.option("--judge-model", metavar="MODEL", help="Model that grades answers for the scorer rubric."),
    click.option("--judge-api-base", metavar="URL", help="API base of the judge model."),
    click.option("--acceptance", metavar="RULE", help="improvement, or confidence."),
    click.option("--alpha", metavar="NUMBER", help="Significance level."),
    click.option("--min-delta", "min_improvement", metavar="NUMBER", help="Least improvement on validation to accept."),
    click.option("--seed", metavar="N", help="Seed of minibatches, blocks and intervals."),
    click.option("--dataset", metavar="NAME", help="A version of the training's dataset."),
    click.option("--missing", metavar="RULE", help="What is not on record: leave, buy, or retry (what failed too)."),
    click.option("--budget-usd", metavar="USD", help="Most US dollars."),
    click.option("--budget-calls", metavar="N", help="Most model calls."),
    click.option("--budget-tokens", metavar="N", help="Most tokens."),
    click.option("--budget-minutes", metavar="MINUTES", help="Most minutes."),
)
"""One option for each of rejudging.FIELDS; values are checked there."""


@click.command()
@click.argument("run_id", metavar="RUN")
@with_options(OPTIONS)
@click.option("--here", is_flag=True, help="Work on it in this process instead of a worker.")
@click.option("--estimate", "only_estimate", is_flag=True, help="Say what is missing and its price, and stop there.")
@click.option("--yes", is_flag=True, help="Do not ask, whatever it may cost.")
@json_option
def rejudge(run_id: str, here: bool, only_estimate: bool, yes: bool, as_json: bool, **asked: Any) -> int:
    """Judge a finished training again; what it has on record costs nothing."""
    settings, gateway = wiring.settings(), wiring.open_llm()
    raw = {**asked, "scorer": [scorer_of(text) for text in asked["scorer"]]}
    with wiring.database().session() as session, closing(wiring.open_tools(settings)) as tools:
        run = runs.get(session, run_id)
        spec = rejudging.parse(session, run, raw, settings=settings, gateway=gateway, tools=tools)
        found = count(session, spec, gateway=gateway, tools=tools)
        if only_estimate:
            emit(documents.values(found), as_json, lambda: click.echo(in_words(found)))
            return Exit.DONE
        say(in_words(found))
        most, limit = found.usd_high, settings.budget.confirm_usd
        if spec["missing"] != "leave" and most is not None and most > limit and not yes:
            told = (
                f"This may cost up to ${most:.2f}, more than budget.confirm_usd (${limit:.2f}); give --yes to start it"
            )
            raise Refused([Problem("yes", told)])
        made = rejudging.start(session, spec)
    if here:
        return report(foreground.here(made.id), None, as_json)
    hinted = wiring.enqueue(made.id)
    emit({"run": made.id, "status": made.status, "hinted": hinted}, as_json, lambda: click.echo(made.id))
    return Exit.DONE


def in_words(found: Missing) -> str:
    """What is missing, in one line."""
    if found.nothing:
        return f"on record: {found.on_record:,} answers; nothing is missing"
    usd = "at an unknown price"
    if found.usd_low is not None and found.usd_high is not None:
        usd = f"${found.usd_low:.4f} to ${found.usd_high:.4f}"
    judged = f", {found.judgements_low:,} to {found.judgements_high:,} judgements" if found.judgements_high else ""
    missing = f"about {found.answers_low:,} answers, at most {found.answers_high:,}{judged}, {usd}"
    return f"on record: {found.on_record:,} answers; missing: {missing}"
