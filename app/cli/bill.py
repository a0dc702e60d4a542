"""``whetstone runs bill`` and ``whetstone spend``: what one run, and all runs, have cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from app import wiring
from app.cli.console import emit, json_option, table
from app.core.stats.latency import QUANTILES, Percentiles
from app.ports.journal import Totals
from app.services import documents
from app.services import runs as service
from app.services.runs import Rate, SpeedLine
from app.services.spending import MOST_DAYS, Ledger, spending

COSTS = ("calls", "from cache", "tokens in", "tokens out", "cost", "at most", "note")


@click.command()
@click.argument("run_id", metavar="RUN")
@json_option
def bill(run_id: str, as_json: bool) -> None:
    """Show what a run has cost, by model and day, and how it kept to rate limits."""
    with wiring.database().session() as session:
        found = service.bill(session, service.get(session, run_id))

    def display() -> None:
        click.echo(f"spent: {service.spent_in_words(found.totals)}" + (" (simulated)" if found.simulated else ""))
        if found.totals.cached_calls:
            click.echo(f"saved: ${found.totals.saved_usd:.4f} by replies from the cache")
        models = [(line.role, line.model, *_costs(line.totals)) for line in found.lines]
        table(("role", "model", *COSTS), models, "No calls yet.")
        if len(found.days) > 1:
            _section("By day (UTC)", "day", found.days)
        if found.rates:
            click.echo("\nRate limits")
            headings = (
                "model@region",
                "target rpm",
                "actual rpm",
                "sendings",
                "throttled",
                "waited",
                "mean wait",
                "429",
            )
            table(headings, map(_rate, found.rates), "")
        if found.speeds:
            click.echo("\nSpeed (p50 / p95 / p99, n)")
            table(("role", "model", *service.SPEED_TITLES.values()), map(_speed, found.speeds), "")

    emit(documents.bill(found), as_json, display)


@click.command()
@click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), default=30, show_default=True, help="So many days, with today (UTC)."
)
@json_option
def spend(days: int, as_json: bool) -> None:
    """Show what all runs have cost lately, by day, role, model and run."""
    with wiring.database().session() as session:
        found = spending(session, days)

    def display() -> None:
        for title, ledger in (("Real money", found.real), ("Simulated money", found.simulated)):
            if ledger.used:
                _ledger(title, ledger)
        if not found.real.used and not found.simulated.used:
            click.echo(f"Nothing was spent from {found.first} to {found.last}.")

    emit(documents.spending(found), as_json, display)


def _ledger(title: str, ledger: Ledger) -> None:
    click.echo(f"{title}: {service.spent_in_words(ledger.totals)}")
    _section("By day (UTC)", "day", [(str(day), totals) for day, totals in ledger.days if totals != Totals()])
    _section("By role", "role", ledger.roles)
    _section("By model", "model", ledger.models)
    named = [(f"{run.run_id} {run.name or '(deleted)'}", run.totals) for run in ledger.runs]
    _section("Dearest runs", "run", named)
    click.echo()


def _section(title: str, what: str, rows: Iterable[tuple[str, Totals]]) -> None:
    click.echo(f"\n{title}")
    table((what, *COSTS), [(name, *_costs(totals)) for name, totals in rows], "")


def _costs(totals: Totals) -> Sequence[object]:
    """The cells of COSTS. What is not known for sure is in the last two."""
    notes = []
    if totals.uncertain_calls:
        notes.append(f"{service.numbered(totals.uncertain_calls, 'sending')} of unknown fate")
    if totals.unpriced_calls:
        notes.append(f"{service.numbered(totals.unpriced_calls, 'call')} of unknown price")
    most = "unknown" if totals.unpriced_calls else f"${totals.cost_usd + totals.uncertain_usd:.4f}"
    return (
        f"{totals.calls:,}",
        f"{totals.cached_calls:,}",
        f"{totals.prompt_tokens:,}",
        f"{totals.completion_tokens:,}",
        f"${totals.cost_usd:.4f}",
        most,
        ", ".join(notes),
    )


def _speed(line: SpeedLine) -> Sequence[object]:
    where = " ".join(part for part in (line.model, line.region and f"@{line.region}", line.tier, line.config) if part)
    return line.role, where, *(_percentiles(line.speed.of(name), name) for name in service.SPEED_TITLES)


def _percentiles(found: Percentiles, name: str) -> str:
    told = [found.at(share) for share in QUANTILES]
    unit = " s" if name.endswith("token_s") or name.startswith("tt") else ""
    return (
        " / ".join(f"{value:.3g}" for value in told if value is not None) + f"{unit} (n {found.n:,})" if found.n else ""
    )


def _rate(rate: Rate) -> Sequence[object]:
    return (
        rate.lane,
        "no limit" if rate.target_rpm is None else f"{rate.target_rpm:g}",
        "" if rate.actual_rpm is None else f"{rate.actual_rpm:.1f}",
        f"{rate.sendings:,}",
        f"{rate.throttled:,}",
        f"{rate.throttled_s:.1f} s",
        "" if rate.mean_wait_s is None else f"{rate.mean_wait_s:.2f} s",
        f"{rate.limited:,}",
    )
