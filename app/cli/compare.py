"""``whetstone compare``: what runs measured, side by side; ``whetstone prompts compare``: measure versions on a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import click

from app import wiring
from app.cli import foreground
from app.cli.console import Exit, Refused, emit, json_option, say, table, with_options
from app.cli.train import report, scorer_of
from app.services import comparison, documents
from app.services.comparison import SPLITS, VERSION
from app.services.errors import Problem

OPTIONS = (
    click.option("--dataset", metavar="NAME", required=True, help="Dataset to measure on."),
    click.option("--part", metavar="PART", help="What of it: test, validation, train or all."),
    click.option("--split", metavar="A/B/C", help="Shares of train, validation and test, in percent."),
    click.option("--seed", metavar="N", help="Seed of the split and of intervals."),
    click.option("--primary-model", metavar="MODEL", help="Model that answers."),
    click.option("--api-base", metavar="URL", help="API base of the model."),
    click.option("--temperature", metavar="NUMBER", help="Temperature of the model."),
    click.option("--max-output-tokens", metavar="N", help="Most tokens of one answer."),
    click.option(
        "--scorer", multiple=True, metavar="NAME[:KEY=VALUE]", help="How answers are scored; may be repeated."
    ),
    click.option("--judge-model", metavar="MODEL", help="Model that grades answers for the scorer rubric."),
    click.option("--judge-api-base", metavar="URL", help="API base of the judge model."),
    click.option("--alpha", metavar="NUMBER", help="Significance level, shared out among the comparisons."),
    click.option("--repeats", metavar="N", help="Answers to each example."),
    click.option("--concurrency", metavar="N", help="Calls at the same time."),
    click.option("--target-rpm", metavar="NUMBER", help="Most requests a minute."),
    click.option("--cache", metavar="RULE", help="Replies of earlier runs: reuse, or off."),
    click.option("--on-uncertain", metavar="RULE", help="Calls that were cut off: repeat, ask or skip."),
    click.option("--budget-usd", metavar="USD", help="Most US dollars."),
    click.option("--budget-calls", metavar="N", help="Most model calls."),
    click.option("--budget-tokens", metavar="N", help="Most tokens."),
    click.option("--budget-minutes", metavar="MINUTES", help="Most minutes."),
)
"""One option for each of comparison.FIELDS; values are checked there."""


@click.command()
@click.argument("versions", metavar="RUN[:NUMBER]...", nargs=-1)
@click.option("--split", type=click.Choice(SPLITS), default=SPLITS[0], show_default=True, help="Which examples.")
@json_option
def compare(versions: tuple[str, ...], split: str, as_json: bool) -> None:
    """Compare what runs have measured: two to eight of them, or versions of them, each against the first."""
    with wiring.database().session() as session:
        found = comparison.document(comparison.compare(session, comparison.sides(session, versions), split), split)
    emit(found, as_json, lambda: _show(found))


def _show(found: Mapping[str, Any]) -> None:
    headings = ("version", "of", "mean", "scored", "difference", "interval", "p", "USD/answer", "median s")
    rows = []
    for one in found["versions"]:
        mean, difference, answers = one["mean"], one["difference"] or {}, one["answers"]
        readable = one["comparable"] and difference["delta"] is not None
        rows.append((
            one["title"], one["of"], _number(mean["mean"]), f"{mean['n']}/{mean['asked']}",
            f"{difference['delta']:+.3f}" if readable else "",
            f"{difference['low']:+.3f} to {difference['high']:+.3f}" if readable else "",
            f"{difference['p_value']:.3g}" if readable else "",
            _number(answers["usd"], 6), _number(answers["median_s"], 2),
        ))  # fmt: skip
    table(headings, rows, "")
    for one in found["versions"][1:]:
        click.echo(f"{one['title']} of {one['run']}: {one['sentence']}")


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"


@click.command("compare")
@click.argument("versions", metavar="VERSION...", nargs=-1)
@with_options(OPTIONS)
@click.option("--name", default="", help="Name of the run.")
@click.option("--here", is_flag=True, help="Work on it in this process instead of a worker.")
@click.option("--estimate", "only_estimate", is_flag=True, help="Say what it may take, and stop there.")
@click.option("--yes", is_flag=True, help="Do not ask, whatever it may cost.")
@json_option
def measure(
    versions: tuple[str, ...], name: str, here: bool, only_estimate: bool, yes: bool, as_json: bool, **asked: Any
) -> int:
    """Measure two to eight versions on a dataset: NAME@NUMBER-or-label of the library, or RUN:NUMBER."""
    settings, gateway = wiring.settings(), wiring.open_llm()
    raw = {**asked, "scorer": [scorer_of(text) for text in asked["scorer"]], VERSION: list(versions)}
    with wiring.database().session() as session, closing(wiring.open_tools(settings)) as tools:
        spec = comparison.parse(session, raw, settings=settings, gateway=gateway, tools=tools)
        found = comparison.estimate(session, spec, gateway=gateway)
        if only_estimate:
            emit(documents.values(found), as_json, lambda: _announce(found, click.echo))
            return Exit.DONE
        _announce(found, say)
        limit = settings.budget.confirm_usd
        if found.usd is not None and found.usd > limit and not yes:
            told = f"This may cost up to ${found.usd:.2f}, more than budget.confirm_usd (${limit:.2f}); give --yes to start it"
            raise Refused([Problem("yes", told)])
        run = comparison.start(session, spec, name=name)
    if here:
        return report(foreground.here(run.id), None, as_json)
    hinted = wiring.enqueue(run.id)
    emit({"run": run.id, "status": run.status, "hinted": hinted}, as_json, lambda: click.echo(run.id))
    return Exit.DONE


def _announce(found: comparison.Estimate, tell: Any) -> None:
    usd = "at an unknown price" if found.usd is None else f"about ${found.usd:.4f}"
    shows = f"can show differences from about {100 * found.detectable:.0f} points on"
    tell(
        f"estimate: {found.calls:,} calls, about {found.tokens:,} tokens, {usd}; {found.examples:,} examples each, {shows}"
    )
    for note in found.notes:
        tell(f"note: {note}")
