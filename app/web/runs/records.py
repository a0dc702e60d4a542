"""A run's calls, what it could not score, and what it was told."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from flask import url_for
from flask.typing import ResponseReturnValue

from app.ports.llm import Json
from app.services import runs, training
from app.services.errors import NotFound
from app.services.runs.examples import Asked, images_of, texts_of
from app.services.runs.words import long_texts, measured, shown
from app.web import params
from app.web.database import session
from app.web.runs.page import PAGE, get, pages, render, told_story


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
    "part": "Compared on",
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
LONG = frozenset({"system_prompt", "output_prompt", "instructions", "bounds", "candidates", "cases", "form", "apart"})
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
