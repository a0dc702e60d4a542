"""A run's examples before and after, its calls, and what it was told."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from app.ports.llm import Json
from app.services import runs, training
from app.services.errors import Invalid, NotFound, Problem
from app.services.runs.examples import Asked, images_of, texts_of
from app.services.runs.words import long_texts, measured, shown
from app.store.models import Run
from app.web import params
from app.web.database import session
from app.web.runs.page import PAGE, get, pages, render, told_story
from app.web.story import Story, Version

CHANGES = ("fixed", "broken", "both_wrong", "both_right", "unscored")
SHOWS = (
    ("", "All"),
    ("fixed", "Fixed"),
    ("broken", "Broken"),
    ("both_wrong", "Both wrong"),
    ("both_right", "Both right"),
    ("unscored", "Not scored"),
)
SPLITS = ("test", "validation", "train")


@pages.get("/<run_id>/examples")
def examples(run_id: str) -> ResponseReturnValue:
    """Both answers to each example, with what changed."""
    run = get(run_id)
    if run.kind == "plan":
        return _asked_twice(run)
    if run.kind == "benchmark":
        return redirect(url_for("benchmarks.show", run_id=run.id))
    tale = told_story(run)
    options = [
        (v.number, _title(v, run)) for v in sorted(tale.versions.values(), key=lambda v: v.number) if v.validation
    ]
    if len(options) < 2:
        return render("runs/examples.html", run, versions=options)
    before = version_named(tale, "a", 0)
    after = version_named(tale, "b", _final(run, tale))
    split = params.choice("split", SPLITS, "test" if tale.test else "validation")
    show = params.choice("show", CHANGES)
    place = params.whole("after")
    rows = runs.before_after(
        session(), run, before.digest, after.digest, split=split, change=show, after=place, limit=PAGE + 1
    )
    here = partial(url_for, "runs.examples", run_id=run_id, a=before.number, b=after.number, split=split)
    return render(
        "runs/examples.html",
        run,
        versions=options,
        splits=[(name, f"{name} ({run.spec['split'].get(name, 0)})") for name in SPLITS if run.spec["split"].get(name)],
        a=before,
        b=after,
        split=split,
        show=show,
        shows=[(title, here(show=value or None), value == show) for value, title in SHOWS],
        rows=rows[:PAGE],
        first=here(show=show or None) if place else "",
        more=here(show=show or None, after=rows[PAGE - 1].cursor) if len(rows) > PAGE else "",
    )


def _asked_twice(run: Run) -> str:
    """The pilot of a plan: both answers to each example."""
    place = params.whole("after")
    rows = runs.asked_twice(session(), run, after=place, limit=PAGE + 1)
    here = partial(url_for, "runs.examples", run_id=run.id)
    more = here(after=rows[PAGE - 1].cursor) if len(rows) > PAGE else ""
    return render("runs/pilot.html", run, rows=rows[:PAGE], first=here() if place else "", more=more)


@pages.get("/<run_id>/unprocessed")
def unprocessed(run_id: str) -> ResponseReturnValue:
    """Every answer without a score: what failed, why, and how often it was asked again."""
    run, place = get(run_id), params.whole("after")
    rows = runs.unprocessed(session(), run, after=place, limit=PAGE + 1)
    here = partial(url_for, "runs.unprocessed", run_id=run.id)
    return render(
        "runs/unprocessed.html",
        run,
        rows=rows[:PAGE],
        count=runs.count_unprocessed(session(), run),
        texts=texts_of(session(), Asked.of(run), {one.sample.case for one in rows}),
        images=images_of(session(), run.dataset_id, {one.sample.case for one in rows}),
        versions={version.digest: version.number for version in told_story(run).versions.values()},
        first=here() if place else "",
        more=here(after=rows[PAGE - 1].sample.id) if len(rows) > PAGE else "",
    )


def version_named(tale: Story, field: str, default: int) -> Version:
    """The version whose number stands in the address."""
    number = params.whole(field, default=default)
    if number not in tale.versions:
        raise Invalid([Problem(field, f"this run has no proposal {number}")])
    return tale.versions[number]


def _final(run: Run, tale: Story) -> int:
    ended = (run.outcome or {}).get("final") or {}
    best = tale.best.number if tale.best else 0
    tried = [v.number for v in tale.proposals if v.validation]
    return int(ended.get("number") or best or (tried[0] if tried else 0))


def _title(version: Version, run: Run) -> str:
    del run
    return "initial prompts" if version.number == 0 else f"proposal {version.number}, {version.fate}"


CALL_SHOWS = (
    ("", "All"),
    ("primary", "Primary"),
    ("optimizer", "Optimizer"),
    ("cached", "From the cache"),
    ("errors", "Failed"),
    ("open", "Unknown fate"),
)


@pages.get("/<run_id>/calls")
def calls(run_id: str) -> ResponseReturnValue:
    """Every model call, in order."""
    run = get(run_id)
    show = params.choice("show", [value for value, _ in CALL_SHOWS])
    place = params.whole("after")
    rows = runs.calls(session(), run_id, show=show, after=place, limit=PAGE + 1)
    here = partial(url_for, "runs.calls", run_id=run_id)
    return render(
        "runs/calls.html",
        run,
        show=show,
        shows=[(title, here(show=value or None), value == show) for value, title in CALL_SHOWS],
        rows=rows[:PAGE],
        first=here(show=show or None) if place else "",
        more=here(show=show or None, after=rows[PAGE - 1].id) if len(rows) > PAGE else "",
    )


@pages.get("/<run_id>/calls/<int:call_id>")
def call(run_id: str, call_id: int) -> ResponseReturnValue:
    """One call with its full request and response."""
    run = get(run_id)
    found = runs.calls(session(), run_id, after=max(0, min(call_id, params.LARGEST) - 1), limit=1)
    if not found or found[0].id != call_id:
        raise NotFound(f"This run has no call {call_id}.")
    return render("runs/call.html", run, call=found[0], timing=runs.timing(found[0]))


@pages.get("/<run_id>/settings")
def told(run_id: str) -> ResponseReturnValue:
    """What the run was told, and its name."""
    run = get(run_id)
    return render("runs/settings.html", run, facts=facts(run.spec))


TITLES = {
    "min_delta": "Minimum improvement",
    "alpha": "Significance level",
    "calls": "Each call",
    "failures": "Failures shown to the optimizer",
    "successes": "Successes shown to the optimizer",
    "max_prompt_chars": "Longest prompt",
    "max_prompt_tokens": "Longest prompt",
    "locked": "Locked texts",
    "shorten": "Shortening",
    "shorten_margin": "A shortened prompt may be worse by",
    "shorten_answers": "Answers for the shortening",
    "primary": "Primary model",
    "optimizer": "Optimizer model",
    "judge": "Judge model",
    "prompt": "Library prompt",
    "cache": "Replies of earlier runs",
    "source": "Judged again from run",
    "missing": "What is not on record",
    "worth_points": "Improvement worth finding",
    "pilot_examples": "Examples of a plan",
    "stop_above_usd_per_point": "Most for a further point",
}
UNITS = {
    "max_prompt_chars": " characters",
    "max_prompt_tokens": " tokens",
    "worth_points": " points",
    "stop_above_usd_per_point": " US dollars",
}
LONG = frozenset({"system_prompt", "output_prompt", "instructions", "bounds", "cases", "form", "apart"})
SOURCE = "source"
"""The run whose record this one works on, with how it had come out."""
UNTOLD = frozenset({"digest", "id", "lanes", "target_rpm", "asked", "adjustments", "price", "template"})
"""Parts of settings that say nothing to a reader, or are said in a fact of their own."""


def facts(spec: Json) -> list[tuple[str, str]]:
    """The specification as title and words, without the long texts."""
    said = (
        (name, in_words(value if name != SOURCE else value["run"])) for name, value in spec.items() if name not in LONG
    )
    titles = (
        (TITLES.get(name, name.replace("_", " ").capitalize()), words, UNITS.get(name, "")) for name, words in said
    )
    more = [("Rate limits", _limits(spec.get("calls", {}).get("lanes", {}))), ("Prices of configs", _prices(spec))]
    return [*((title, words + unit) for title, words, unit in titles if words), *(fact for fact in more if fact[1])]


def _prices(spec: Json) -> str:
    """The prices that model configs brought along, "" when none did."""
    return "; ".join(
        f"{model['name']}: USD {price['prompt_usd'] * 1e6:g} in, {price['completion_usd'] * 1e6:g} out, per million tokens"
        for model in (spec.get(role) for role in ("primary", "optimizer", "judge"))
        if model and (price := model.get("price"))
    )


def _limits(lanes: Json) -> str:
    """The rate limits of a run's models, "" when there are none."""
    return "; ".join(f"{lane['name']}: {lane['rpm']:g} requests a minute" for lane in lanes.values() if lane["rpm"])


def in_words(value: Any) -> str:
    """A setting's value the way a person would write it."""
    if value is None or value == "":
        return ""
    if isinstance(value, dict):
        parts = ((str(k), in_words(v)) for k, v in value.items() if k not in UNTOLD)
        return ", ".join(_said(key, text) for key, text in parts if text)
    if isinstance(value, list):
        words = [in_words(item) for item in value]
        return "/".join(words) if all(isinstance(item, int) for item in value) else "; ".join(words)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else shown(value)


def _said(key: str, text: str) -> str:
    if key in {"name", "params"}:
        return text
    if key == "usd":
        return f"${text}"
    return f"{key[:-2].replace('_', ' ')} {text} s" if key.endswith("_s") else f"{key.replace('_', ' ')} {text}"


pages.add_app_template_filter(long_texts, "long_texts")
pages.add_app_template_filter(measured, "measured")
pages.add_app_template_filter(training.adjustments, "adjustments")
pages.add_app_template_filter(in_words, "told")


@pages.app_template_filter("pretty")
def pretty(value: Json) -> str:
    """JSON to read."""
    return json.dumps(value, indent=2, ensure_ascii=False)


@pages.app_template_filter("messages")
def messages(request: Json) -> list[Json]:
    """The messages of a recorded request."""
    said = request.get("messages") if isinstance(request, dict) else None
    return [m for m in said if isinstance(m, dict)] if isinstance(said, list) else []


@pages.app_template_filter("last_message")
def last_message(request: Json) -> str:
    """What was asked last in a recorded request."""
    said = messages(request)
    return str(said[-1].get("content", "")) if said else ""
