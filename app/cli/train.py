"""``whetstone train``: a training in this process, or through the workers; both are the same engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from app import wiring
from app.cli import foreground
from app.cli.console import Exit, Refused, emit, json_option, say, text_or_file, with_options
from app.cli.datasets import open_file
from app.cli.told import SHOWS
from app.core import scorers
from app.llm.gateway import Gateway
from app.ports.journal import Totals
from app.ports.llm import Json
from app.services import access, benchmarks, datasets, documents, models, runs, training
from app.services.errors import Problem
from app.services.pictures import Folder
from app.store.models import Run


def _option(flag: str, field: str = "", **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option for a field of a training; its name is the flag's unless another one is given."""
    names = (flag, field) if field else (flag,)
    about = training.MEANINGS[field or flag.removeprefix("--").replace("-", "_")]
    return click.option(*names, help=about, **more)


OPTIONS = (
    _option("--dataset", required=True, metavar="NAME_OR_FILE"),
    _option("--prompt", metavar="NAME"),
    _option("--system-prompt", metavar="TEXT_OR_FILE"),
    _option("--output-prompt", metavar="TEXT_OR_FILE"),
    _option("--primary-model", metavar="MODEL"),
    _option("--optimizer-model", metavar="MODEL"),
    _option("--api-base", metavar="URL"),
    _option("--judge-model", metavar="MODEL"),
    _option("--judge-api-base", metavar="URL"),
    _option("--optimizer-api-base", metavar="URL"),
    _option("--temperature", metavar="NUMBER"),
    _option("--optimizer-temperature", metavar="NUMBER"),
    _option("--max-output-tokens", metavar="N"),
    _option("--scorer", multiple=True, metavar="NAME[:KEY=VALUE]"),
    _option("--strategy", metavar="NAME"),
    _option("--acceptance", metavar="RULE"),
    _option("--alpha", metavar="NUMBER"),
    _option("--min-delta", "min_improvement", metavar="NUMBER"),
    _option("--epochs", metavar="N"),
    _option("--batch-size", metavar="N"),
    _option("--patience", metavar="N"),
    _option("--repeats", metavar="N"),
    _option("--concurrency", metavar="N"),
    _option("--split", metavar="A/B/C"),
    _option("--seed", metavar="N"),
    _option("--max-prompt-tokens", metavar="N"),
    _option("--max-prompt-chars", metavar="N"),
    _option("--locked", metavar="TEXT_OR_FILE"),
    _option("--shorten", metavar="RULE"),
    _option("--shorten-margin", metavar="X"),
    _option("--shorten-answers", metavar="N"),
    _option("--target-rpm", metavar="N"),
    click.option(
        "--no-cache", "cache", flag_value="off", help="Take no replies of earlier runs, and leave none to later ones."
    ),
    _option("--on-uncertain", metavar="RULE"),
    _option("--conflicts", metavar="RULE"),
    _option("--budget-usd", metavar="USD"),
    _option("--budget-calls", metavar="N"),
    _option("--budget-tokens", metavar="N"),
    _option("--budget-minutes", metavar="MINUTES"),
    _option("--stop-above-usd-per-point", metavar="USD"),
    _option("--worth-points", metavar="POINTS"),
    _option("--pilot-examples", metavar="N"),
    _option("--instructions", metavar="TEXT_OR_FILE"),
)
"""One option for each field of a training (services.training.TrainingForm); values are checked there, as at every door."""

TEXTS = ("system_prompt", "output_prompt", "instructions", "locked")


@click.command()
@with_options(OPTIONS)
@click.option("--name", default="", help="Name of the run.")
@click.option(
    "--min-improvement", "gate", type=float, metavar="X", help="Exit with 3 when the test improves by less than X."
)
@click.option("--queue", is_flag=True, help="Let a worker do it, and watch.")
@click.option("--no-wait", is_flag=True, help="With --queue: do not watch.")
@click.option("--estimate", "only_estimate", is_flag=True, help="Say what it may cost, and stop there.")
@click.option("--yes", is_flag=True, help="Do not ask, whatever it may cost.")
@click.option("--skip-check", is_flag=True, help="Do not ask first whether the models answer.")
@json_option
def train(
    name: str,
    gate: float | None,
    queue: bool,
    no_wait: bool,
    only_estimate: bool,
    yes: bool,
    skip_check: bool,
    as_json: bool,
    **form: Any,
) -> int:
    """Train a prompt and say whether it helped."""
    if no_wait and not queue:
        raise Refused([Problem("no_wait", "--no-wait needs --queue: a training in this process has to be waited for")])
    wiring.database().upgrade()
    settings, gateway = wiring.settings(), wiring.open_llm()
    with wiring.database().session() as session:
        spec = parsed(session, form, gateway)
        estimate = training.estimate(session, spec, gateway=gateway)
        adjusted = training.adjustments(spec)
        if only_estimate:
            result = {**documents.values(estimate), "adjustments": adjusted}
            emit(result, as_json, lambda: click.echo(estimate_line(estimate)))
            return Exit.DONE
        for one in adjusted:
            say(f"note: {one['role']} model: {models.in_words(one)}")
        announce(estimate, settings.budget.confirm_usd, yes)
        if not skip_check:
            _ask_models(session, spec)
        run = training.start(session, spec, name=name)
    if queue and no_wait:
        return leave(run, as_json)
    return report(foreground.through_worker(run.id) if queue else foreground.here(run.id), gate, as_json)


def _ask_models(session: Session, spec: Json) -> None:
    """Ask whether the models answer. Raises: Invalid when one will not."""
    settings, engine = wiring.settings(), wiring.database().engine
    ask = partial(wiring.check_access, engine, wiring.open_llm(), settings)
    found = access.silent(session, spec, settings.access, ask)
    for one in found:
        if one.passing:
            say(f"warning: {one.sentence}; the run will try again by itself")
    access.refuse(found, "--skip-check starts it all the same")


def parsed(session: Session, form: Mapping[str, Any], gateway: Gateway) -> Json:
    """The spec of the options (see OPTIONS). Raises: Invalid, Refused."""
    settings = wiring.settings()
    raw = _raw(form)
    raw["dataset"] = _dataset(session, str(raw["dataset"]))
    with closing(wiring.open_tools(settings)) as tools:
        return training.parse(session, raw, settings=settings, gateway=gateway, tools=tools)


def leave(run: Run, as_json: bool) -> int:
    """Hint at the run and leave it to the workers."""
    hinted = wiring.enqueue(run.id)
    emit({"run": run.id, "status": run.status, "hinted": hinted}, as_json, lambda: click.echo(run.id))
    return Exit.DONE


def _raw(form: Mapping[str, Any]) -> dict[str, object]:
    raw: dict[str, object] = {**form, "scorer": [scorer_of(text) for text in form["scorer"]]}
    return raw | {field: text_or_file(field, form[field]) for field in TEXTS if form[field]}


def scorer_of(given: str) -> str:
    """A scorer in which the files that it names stand as their text."""
    if given.lstrip().startswith("{"):
        return given
    try:
        name, texts = scorers.written(given)
        kinds = {one.name: one.kind for one in scorers.settings(name)}
    except ValueError:
        return given  # told with everything else that is wrong
    named = [key for key in texts if kinds.get(key) in ("text", "file")]
    if not named:
        return given
    for key in named:
        if kinds[key] == "file" and not Path(texts[key]).is_file():
            raise Refused([Problem("scorer", f"{name}: there is no file {texts[key][:200]!r}")])
        texts[key] = text_or_file("scorer", texts[key])
    return scorers.format(scorers.read(name, texts))


def _dataset(session: Session, given: str) -> str:
    """The name of the dataset; a file is imported, unless it was before."""
    file = Path(given)
    if not file.is_file() or any(row.name == given for row in datasets.list_datasets(session)):
        return given
    with open_file(file) as stream:
        loader = wiring.image_loader(wiring.settings(), Folder(file.resolve().parent))
        limits = datasets.limits_of(wiring.settings())
        return datasets.import_file(session, stream, file.name, limits=limits, images=loader).name


def estimate_line(estimate: training.Estimate | benchmarks.Estimate) -> str:
    """An estimate in one line."""
    usd = "at an unknown price"
    if estimate.usd_low is not None and estimate.usd_high is not None:
        usd = f"${estimate.usd_low:.4f} to ${estimate.usd_high:.4f}"
    return (
        f"estimate: {estimate.calls_low:,} to {estimate.calls_high:,} calls, "
        f"{estimate.tokens_low:,} to {estimate.tokens_high:,} tokens, {usd}{_shows(estimate)}"
    )


def _shows(estimate: training.Estimate | benchmarks.Estimate) -> str:
    """What the sealed test may show, before anything is measured."""
    test = estimate.detectable_test if isinstance(estimate, training.Estimate) else None
    return "" if test is None else f"; the test can show improvements from about {100 * test:.0f} points on"


def announce(estimate: training.Estimate | benchmarks.Estimate, limit: float, yes: bool) -> None:
    """Say what it may cost; ask before it may cost more than the limit, and refuse it where nobody can be asked."""
    costly = not yes and estimate.usd_high is not None and estimate.usd_high > limit
    question = f"This may cost up to ${estimate.usd_high or 0:.2f}, more than budget.confirm_usd (${limit:.2f})"
    if costly and not sys.stdin.isatty():
        raise Refused([Problem("yes", f"{question}; give --yes to start it all the same, or ask for less")])
    say(estimate_line(estimate))
    for note in estimate.notes:
        say(f"note: {note}")
    if costly:
        click.confirm(f"{question}. Start it?", abort=True, err=True)


def report(waited: foreground.Waited, gate: float | None, as_json: bool) -> int:
    """Print how a run came out. Returns the exit code."""
    with wiring.database().session() as session:
        totals = runs.totals(session, waited.run.id)
        result = documents.result(waited.run, totals)
    if gate is not None:
        met = result.get("delta") is not None and result["delta"] >= gate
        result["gate"] = {"min_improvement": gate, "met": met}
    show = SHOWS.get(waited.run.kind, _show)
    emit(result, as_json, lambda: show(result, totals))
    return Exit.STOPPED if waited.interrupted else exit_code(result)


def exit_code(result: Mapping[str, Any]) -> Exit:
    """0 done, 1 failed or paused, 3 gate not met, 4 cancelled or out of budget."""
    if result["status"] == "cancelled" or result.get("stopped_by") == "budget":
        return Exit.STOPPED
    if result["status"] != "done":
        return Exit.FAILED
    return Exit.DONE if result.get("gate", {"met": True})["met"] else Exit.GATE


def _show(result: Mapping[str, Any], totals: Totals) -> None:
    mark = " (simulated models)" if result["simulated"] else ""
    click.echo(f"run {result['run']}: {result['status']}{mark}" + (f", {result['reason']}" if result["reason"] else ""))
    if result["sentence"]:
        click.echo(f"verdict: {result['verdict']}. {result['sentence']}")
    if result["delta"] is not None:
        low, high = result["interval"]
        click.echo(
            f"sealed test: {result['baseline']:.3f} -> {result['final']:.3f}, difference {result['delta']:+.3f} "
            f"[{low:+.3f}, {high:+.3f}], p = {result['p_value']:.3g}"
        )
    if result["stopped_by"] == "not_worth":
        click.echo(f"stopped: {result['stopped_why']}")
    if shorter := result["shorter"]:
        after, before = shorter["tokens_after"], shorter["tokens_before"]
        click.echo(
            f"shorter: {shorter['sentence']}" + (f" (about {after:,} tokens instead of {before:,})" if after else "")
        )
    click.echo(f"spent: {runs.spent_in_words(totals)}")
    if "gate" in result:
        click.echo(
            f"gate: at least {result['gate']['min_improvement']:+.3f}: {'met' if result['gate']['met'] else 'NOT met'}"
        )
