"""What the specification, outcome and events of a try and of a benchmark must look like for their pages to show them."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.review import LETTERS
from app.ports.llm import Json
from app.services.transfer.parts import ADJUSTMENT, BUDGET, CALLS, COUNT, MAYBE_MODEL, MODEL, NUMBER, SCORERS
from app.services.transfer.shapes import Check, Wrong, fields, flag, listed, maybe, named, number, one_of, text, whole

MOST = len(LETTERS)
"""Rivals of one benchmark or try."""
_MESSAGE = fields({"role": one_of("system", "user", "assistant"), "content": text()})
_MODEL = fields(MODEL, MAYBE_MODEL)
_ASKED = fields(
    {
        "models": listed(text(400), MOST), "prompt": text(400), "system_prompt": text(), "output_prompt": text(),
        "messages": listed(_MESSAGE, 1_000), "variables": named(text()), "input": text(), "temperature": number(0, 2),
        "max_output_tokens": whole(1),
    },
    closed=True,
)  # fmt: skip
TRY_SPEC = fields(
    {
        "messages": listed(_MESSAGE, 1_000, 1), "asked": _ASKED, "models": listed(_MODEL, MOST, 1), "calls": CALLS,
        "budget": BUDGET, "concurrency": whole(1), "seed": whole(), "cache": text(20),
    },
    closed=True,
)  # fmt: skip
_USAGE = fields(
    {
        "prompt_tokens": COUNT, "completion_tokens": COUNT, "reasoning_tokens": COUNT, "cached_tokens": COUNT,
        "estimated": flag,
    }
)  # fmt: skip
_ANSWER = fields(
    {
        "text": text(), "error": text(30), "finish_reason": text(20), "usage": _USAGE, "cost_usd": maybe(number(0)),
        "ttft_s": maybe(number(0)), "ttlb_s": number(0), "served_model": text(200), "retries": COUNT,
        "adjustments": listed(ADJUSTMENT),
    }
)  # fmt: skip
TRY_OUTCOME = fields({"simulated": flag, "answers": listed(_ANSWER, MOST)}, closed=True)
ANSWERING_CALL = fields({"raw": maybe(fields({}, {"adjustments": listed(ADJUSTMENT)}))})
"""A call of a try: its answer is read from it when there is no outcome."""

_CASE_SHAPE = fields(
    {
        "id": text(64, 1), "name": text(), "row": whole(), "messages": listed(_MESSAGE, 1_000, 1), "reference": text(),
    },
    {"prompt": text(400), "version": whole(), "category": text(200)},
)  # fmt: skip


def _case(value: Json, place: str) -> None:
    _CASE_SHAPE(value, place)
    if "prompt" in value and "version" not in value:
        raise Wrong(place, "has no 'version'")


_REVIEW_SHAPE = fields(
    {
        "prompt": text(300), "version": whole(), "template": text(), "criteria": listed(listed(text(), 2, 2), 100),
        "scale": listed(whole(0, 1_000), 2, 2), "details": flag,
    }
)  # fmt: skip


def _review(value: Json, place: str) -> None:
    _REVIEW_SHAPE(value, place)
    low, high = value["scale"]
    if low >= high:
        raise Wrong(f"{place}.scale", "must have the lower number first")


_NAMES = listed(text(400), 1_000)
_FORM = fields(
    {
        "prompts": _NAMES, "text": text(), "jsonl": text(), "first": maybe(whole(1)), "dataset": text(200),
        "rows": maybe(whole(1)), "models": _NAMES, "review_prompt": text(300), "reviewer_model": text(400), "runs": whole(1),
        "repeats": whole(1), "scorer": listed(text(), 100), "temperature": number(0, 2), "max_output_tokens": whole(1),
        "concurrency": whole(1), "seed": whole(), "cache": text(20), "on_uncertain": text(20),
    },
    closed=True,
)  # fmt: skip
_BENCHMARK_SHAPE = fields(
    {
        "dataset": fields({"name": text(200), "digest": text(64)}), "cases": listed(_case, 10_000, 1),
        "configs": listed(fields({"label": text(400, 1), **MODEL}, MAYBE_MODEL), MOST, 1), "review": maybe(_review),
        "judge": maybe(_MODEL), "scorers": SCORERS, "runs": whole(1, 100), "repeats": whole(1, 100), "concurrency": whole(1),
        "seed": whole(), "budget": BUDGET, "calls": CALLS, "cache": text(20), "apart": flag, "form": _FORM,
    },
    closed=True,
)  # fmt: skip


def BENCHMARK_SPEC(value: Json, place: str) -> None:  # noqa: N802 - a check like its neighbours
    """The specification of a benchmark; who reviews must be known, and no two configs or prompts may be called alike."""
    _BENCHMARK_SHAPE(value, place)
    if value["review"] and not value["judge"]:
        raise Wrong(f"{place}.judge", "must say who reviews")
    for name, key in (("cases", "id"), ("configs", "label")):
        known = [one[key] for one in value[name]]
        if len(set(known)) < len(known):
            raise Wrong(f"{place}.{name}", f"has the same {key} twice")


_STANDING = fields(
    {
        "config": text(), "asked": COUNT, "answered": COUNT, "failed": COUNT, "seconds": NUMBER, "cost_usd": NUMBER,
        "reviews": COUNT, "score": NUMBER, "rank": NUMBER, "measured": NUMBER,
    }
)  # fmt: skip
_STANDINGS = listed(_STANDING, MOST)
BENCHMARK_OUTCOME = fields(
    {
        "verdict": text(40), "sentence": text(), "standings": _STANDINGS, "runs": fields({"done": COUNT, "asked": COUNT}),
        "stopped_by": text(40), "stopped_why": text(), "simulated": flag,
    },
    closed=True,
)  # fmt: skip
_GIVEN = fields(
    {
        "config": text(), "label": text(2), "rank": whole(1, MOST), "score": number(-1_000, 1_000), "comment": text(),
        "criteria": named(number(-1_000, 1_000)),
    }
)  # fmt: skip
EVENTS: Mapping[str, Check] = {
    "answer": fields({"number": whole(0, MOST), "model": text(200), "error": text(30)}),
    "benchmark": fields({"configs": listed(text(), MOST), "prompts": COUNT, "runs": COUNT, "repeats": COUNT}),
    "answers": fields({"number": COUNT, "asked": COUNT, "standings": _STANDINGS}),
    "review": fields(
        {"run": COUNT, "case": text(64), "repeat": COUNT, "places": listed(_GIVEN, MOST), "error": text()}
    ),
    "run_end": fields({"number": COUNT, "standings": _STANDINGS}),
    "standings": fields({"sentence": text()}),
}
RANKING_PLACES = named(whole(1, MOST))
