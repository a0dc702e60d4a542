"""How the outcomes of plans, comparisons and benchmarks are written on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from app.cli.console import table
from app.cli.tried import show_tried
from app.ports.journal import Totals
from app.services import runs


def show_plan(result: Mapping[str, Any], totals: Totals) -> None:
    """The result of a plan (documents.result) in lines."""
    mark = " (simulated models)" if result["simulated"] else ""
    click.echo(f"run {result['run']}: {result['status']}{mark}" + (f", {result['reason']}" if result["reason"] else ""))
    if result["sentence"]:
        click.echo(f"plan: {result['sentence']}")
    for text in result["advice"]:
        click.echo(f"  - {text}")
    if expected := result["expected"]:
        click.echo(f"the training may take {expected_line(expected)}, judged by {expected['per_answer']['n']} answers")
    click.echo(f"spent: {runs.spent_in_words(totals)}")
    if result["status"] == "done":
        split = f" --split {'/'.join(map(str, result['split']))}" if result["split"] else ""
        click.echo(f"start it with the same options: whetstone train ...{split}")


def show_benchmark(result: Mapping[str, Any], totals: Totals) -> None:
    """The result of a benchmark (documents.benchmark_result) in lines."""
    mark = " (simulated models)" if result["simulated"] else ""
    click.echo(f"run {result['run']}: {result['status']}{mark}" + (f", {result['reason']}" if result["reason"] else ""))
    if result["sentence"]:
        click.echo(result["sentence"])
    if result["stopped_why"]:
        click.echo(f"stopped: {result['stopped_why']}")
    rows = [
        (
            one["config"],
            f"{one['answered']}/{one['asked']}",
            "" if one["score"] is None else f"{one['score']:.2f}",
            one["reviews"],
            "" if one["seconds"] is None else f"{one['seconds']:.2f}",
            "unknown" if one["cost_usd"] is None else f"{one['cost_usd']:.6f}",
        )
        for one in result["standings"] or ()
    ]
    table(("CONFIG", "ANSWERS", "AI SCORE", "REVIEWS", "SECONDS", "USD"), rows, "no config has answered yet")
    click.echo(f"spent: {runs.spent_in_words(totals)}")
    click.echo(f"go on with: whetstone analyze {result['run']}")


def expected_line(expected: Mapping[str, Any]) -> str:
    """What a training may take, in a line."""
    usd = "at an unknown price" if expected["usd"] is None else "${:.4f} to ${:.4f}".format(*expected["usd"])
    return f"{_range(expected['calls'])} calls, {_range(expected['tokens'])} tokens, {_minutes(expected['minutes'])}, {usd}"


def _range(ends: Sequence[int]) -> str:
    return "{:,} to {:,}".format(*ends)


def _minutes(ends: Sequence[float]) -> str:
    return f"{runs.time_in_words(60 * ends[0])} to {runs.time_in_words(60 * ends[1])}"


def show_comparison(result: Mapping[str, Any], totals: Totals) -> None:
    """The result of a comparison on a dataset, for people."""
    mark = " (simulated models)" if result["simulated"] else ""
    click.echo(f"run {result['run']}: {result['status']}{mark}" + (f", {result['reason']}" if result["reason"] else ""))
    if result["sentence"]:
        click.echo(f"comparison: {result['sentence']}")
    for one in result["candidates"]:
        mean, against = one["mean"], one["paired"]
        score = "not scored" if mean["mean"] is None else f"{mean['mean']:.3f} ({mean['n']} of {mean['asked']} scored)"
        difference = ""
        if against and against["delta"] is not None:
            low, high = against["low"], against["high"]
            difference = f", difference {against['delta']:+.3f} [{low:+.3f}, {high:+.3f}]: {one['finding']}"
        click.echo(f"  {one['name']}: {score}{difference}")
    click.echo(f"spent: {runs.spent_in_words(totals)}")


SHOWS: dict[str, Callable[[Mapping[str, Any], Totals], None]] = {
    "plan": show_plan,
    "compare": show_comparison,
    "try": show_tried,
    "benchmark": show_benchmark,
}
"""By kind of run; the others are shown as trainings."""
