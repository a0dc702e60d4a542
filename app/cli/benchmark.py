"""``whetstone benchmark`` and ``whetstone review``: compare configs on prompts, and review the same answers again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from app import wiring
from app.cli import foreground
from app.cli.console import Exit, Refused, emit, json_option, say, with_options
from app.cli.told import show_benchmark
from app.cli.train import announce, estimate_line, exit_code, leave, scorer_of
from app.ports.llm import Json
from app.services import benchmarks, documents, models, runs
from app.services.benchmarks.meanings import MEANINGS
from app.services.errors import Problem
from app.services.training import adjustments
from app.store.models import Run


def _option(flag: str, field: str = "", **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option for a field of a benchmark; its name is the flag's unless another one is given."""
    names = (flag, field) if field else (flag,)
    return click.option(*names, help=MEANINGS[field or flag.removeprefix("--").replace("-", "_")], **more)


OPTIONS = (
    _option("--prompt", "prompts", multiple=True, metavar="NAME"),
    _option("--text", metavar="TEXT"),
    _option("--file", "jsonl", type=click.Path(exists=True, dir_okay=False)),
    _option("--first", metavar="N"),
    _option("--dataset", metavar="NAME"),
    _option("--rows", metavar="N"),
    _option("--model", "models", multiple=True, metavar="MODEL"),
    _option("--review-prompt", metavar="NAME"),
    _option("--reviewer-model", metavar="MODEL"),
    _option("--runs", metavar="N"),
    _option("--repeats", metavar="N"),
    _option("--scorer", multiple=True, metavar="NAME[:KEY=VALUE]"),
    _option("--temperature", metavar="NUMBER"),
    _option("--max-output-tokens", metavar="N"),
    _option("--concurrency", metavar="N"),
    _option("--seed", metavar="N"),
    _option("--budget-usd", metavar="USD"),
    _option("--budget-calls", metavar="N"),
    _option("--budget-tokens", metavar="N"),
    _option("--budget-minutes", metavar="MINUTES"),
    _option("--cache", metavar="RULE"),
    _option("--on-uncertain", metavar="RULE"),
)
"""One option for each field of a benchmark; values are checked there, as at every door."""


@click.command()
@with_options(OPTIONS)
@click.option("--name", default="", help="Name of the benchmark.")
@click.option("--min-score", type=float, metavar="X", help="Exit with 3 when the best mean review is below X.")
@click.option("--queue", is_flag=True, help="Let a worker do it, and watch.")
@click.option("--no-wait", is_flag=True, help="With --queue: do not watch.")
@click.option("--estimate", "only_estimate", is_flag=True, help="Say what it may cost, and stop there.")
@click.option("--yes", is_flag=True, help="Do not ask, whatever it may cost.")
@json_option
def benchmark(
    name: str,
    min_score: float | None,
    queue: bool,
    no_wait: bool,
    only_estimate: bool,
    yes: bool,
    as_json: bool,
    **form: Any,
) -> int:
    """Ask the same prompts of several configs and let a reviewer rank the answers."""
    if no_wait and not queue:
        raise Refused([Problem("no_wait", "--no-wait needs --queue: a benchmark in this process has to be waited for")])
    wiring.database().upgrade()
    with wiring.database().session() as session:
        spec = _parsed(session, _raw(form))
        if only_estimate:
            return _estimated(spec, as_json)
        _told_before(spec, yes)
        run = benchmarks.start(session, spec, name=name)
    return _through(run, queue, no_wait, min_score, as_json)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--review-prompt", default="", metavar="NAME", help="What the reviewer is asked.")
@click.option("--reviewer-model", default="", metavar="MODEL", help="Model that ranks the answers.")
@click.option("--name", default="", help="Name of the new run.")
@click.option("--min-score", type=float, metavar="X", help="Exit with 3 when the best mean review is below X.")
@click.option("--queue", is_flag=True, help="Let a worker do it, and watch.")
@click.option("--no-wait", is_flag=True, help="With --queue: do not watch.")
@click.option("--yes", is_flag=True, help="Do not ask, whatever it may cost.")
@json_option
def review(
    run_id: str,
    name: str,
    min_score: float | None,
    queue: bool,
    no_wait: bool,
    yes: bool,
    as_json: bool,
    **asked: str,
) -> int:
    """Review the answers of a benchmark again; those that are in the cache cost nothing."""
    with wiring.database().session() as session:
        source = runs.get(session, run_id)
        raw = benchmarks.review_again(source, **asked)
        spec = _parsed(session, raw)
        _told_before(spec, yes)
        run = benchmarks.start(session, spec, name=name, cloned_from=source.id)
    return _through(run, queue, no_wait, min_score, as_json)


def _raw(form: Mapping[str, Any]) -> dict[str, object]:
    raw: dict[str, object] = {key: list(value) if isinstance(value, tuple) else value for key, value in form.items()}
    raw["scorer"] = [scorer_of(text) for text in form["scorer"]]
    if form["jsonl"]:
        try:
            raw["jsonl"] = Path(form["jsonl"]).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Refused([Problem("jsonl", f"{form['jsonl']} cannot be read as text: {error}")]) from None
    return raw


def _parsed(session: Session, raw: Mapping[str, object]) -> Json:
    settings = wiring.settings()
    with closing(wiring.open_tools(settings)) as tools:
        return benchmarks.parse(session, raw, settings=settings, gateway=wiring.open_llm(), tools=tools)


def _estimated(spec: Json, as_json: bool) -> int:
    found = benchmarks.estimate(spec, gateway=wiring.open_llm())
    result = {**documents.values(found), "prompts": len(spec["cases"]), "adjustments": adjustments(spec)}
    emit(result, as_json, lambda: click.echo(estimate_line(found)))
    return Exit.DONE


def _told_before(spec: Json, yes: bool) -> None:
    for one in adjustments(spec):
        say(f"note: {one['role']}: {models.in_words(one)}")
    announce(benchmarks.estimate(spec, gateway=wiring.open_llm()), wiring.settings().budget.confirm_usd, yes)


def _through(run: Run, queue: bool, no_wait: bool, min_score: float | None, as_json: bool) -> int:
    """Work on the run here or through a worker, and print how it came out. Returns the exit code."""
    if queue and no_wait:
        return leave(run, as_json)
    waited = foreground.through_worker(run.id) if queue else foreground.here(run.id)
    with wiring.database().session() as session:
        totals = runs.totals(session, run.id)
        result = documents.result(waited.run, totals)
    if min_score is not None:
        scores = [one["score"] for one in result["standings"] or () if one["score"] is not None]
        result["gate"] = {"min_score": min_score, "met": bool(scores) and max(scores) >= min_score}
    emit(result, as_json, lambda: show_benchmark(result, totals))
    return Exit.STOPPED if waited.interrupted else exit_code(result)
