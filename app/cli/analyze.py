"""``whetstone analyze``: what a benchmark comes to, and its results as a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from app import wiring
from app.cli.console import Exit, Refused, emit, json_option, say, table
from app.cli.runs import writing
from app.core.stats.recommendation import Weights
from app.services import runs
from app.services.benchmarks import documents, judgement, tables
from app.services.benchmarks.results import results
from app.services.errors import Problem


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--export", type=click.Path(path_type=Path), metavar="FILE", help="Write every answer as CSV there.")
@click.option("--quality", type=float, default=60, show_default=True, metavar="WEIGHT", help="Weight of quality.")
@click.option("--speed", type=float, default=30, show_default=True, metavar="WEIGHT", help="Weight of speed.")
@click.option("--cost", type=float, default=10, show_default=True, metavar="WEIGHT", help="Weight of cost.")
@click.option("--expect", metavar="CONFIG", help="Exit with 3 when another config is recommended.")
@json_option
def analyze(
    run_id: str, export: Path | None, quality: float, speed: float, cost: float, expect: str | None, as_json: bool
) -> int:
    """Say which config to take, how sure that is, and how people and the reviewer agree."""
    try:
        weights = Weights.of(quality, speed, cost)
    except ValueError as error:
        raise Refused([Problem("quality", str(error))]) from None
    with wiring.database().session() as session:
        found = results(session, runs.get(session, run_id))
        document = documents.benchmark(found, judgement.summary(found, weights))
        if export:
            with writing(), export.open("w", encoding="utf-8", newline="") as file:
                file.writelines(tables.results_csv(session, found))
            say(f"written: {export}")
    recommended = document["recommendation"]["config"]
    if expect is not None:
        document["gate"] = {"expect": expect, "met": recommended == expect}
    emit(document, as_json, lambda: _show(document))
    return Exit.DONE if expect is None or recommended == expect else Exit.GATE


def _show(document: Mapping[str, Any]) -> None:
    rows = [
        (
            one["config"],
            f"{one['answered']}/{one['asked']}",
            _number(one["score"], 2),
            one["reviews"],
            _number(one["share"], 2),
            one["rankings"],
            _number(one["fixed"]["mean"], 2) if one["fixed"]["humans"] else "",
            _number(one["seconds"], 2),
            "unknown" if one["cost_usd"] is None else f"{one['cost_usd']:.6f}",
            one["unacceptable"],
        )
        for one in document["configs"]
    ]
    heads = ("CONFIG", "ANSWERS", "AI SCORE", "N", "PEOPLE", "N", "CORRECTED", "SECONDS", "USD", "UNACCEPTABLE")
    table(heads, rows, "no config")
    _show_recommendation(document["recommendation"])
    agreed = document["agreement"]
    click.echo(
        f"people: {agreed['rankings']} rankings by {len(agreed['rankers'])}; with the reviewer tau "
        f"{_number(agreed['with_reviewer']['mean_tau'], 2) or 'not available'}, between people "
        f"{_number(agreed['between_people']['mean_tau'], 2) or 'not available'}"
    )
    if worth := document["worth_ranking"]:
        click.echo(f"worth a minute: rank {worth['prompt']} (repeat {worth['repeat']}): {worth['why']}")


def _show_recommendation(found: Mapping[str, Any]) -> None:
    if found["config"] is None:
        click.echo("recommended: nothing yet; no answer has been judged")
        return
    said = f"recommended: {found['config']}, confidence {found['confidence']} ({found['points']} of 5 points)"
    if found["runner_up"]:
        said += f"; before {found['runner_up']} by {found['margin']:.3f}"
    if found["interval"]:
        low, high = found["interval"]
        said += f" [{low:+.3f}, {high:+.3f}]" + (", which may be noise" if found["noise"] else "")
    click.echo(said)
    for reason in found["reasons"]:
        click.echo(f"  {reason}")


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
