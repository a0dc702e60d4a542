"""What each line of a record must look like: the run, its dataset, and its rows."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.kinds.reviewing import REVIEW
from app.ports.llm import Json
from app.services.pictures.decoding import KEPT
from app.services.transfer.rivals import RANKING_PLACES
from app.services.transfer.shapes import (
    Check,
    anything,
    digest,
    fields,
    flag,
    listed,
    maybe,
    moment,
    named,
    number,
    one_of,
    text,
    whole,
)

COUNT = whole(0, 2**31 - 1)
BIG = whole(0, 2**53)
STATUSES = ("queued", "running", "paused", "done", "cancelled", "failed")
OUTCOMES_OF_SAMPLES = (
    "scored", "refused", "truncated", "parse_failed", "scoring_failed", "provider_error", "timed_out", "cancelled",
)  # fmt: skip
SPLITS = ("train", "validation", "test", REVIEW, "")
TOTALS = fields(
    {
        "calls": BIG, "prompt_tokens": BIG, "completion_tokens": BIG, "cost_usd": number(0), "unpriced_calls": BIG,
        "uncertain_calls": BIG, "uncertain_usd": number(0), "open_calls": BIG, "cached_calls": BIG, "saved_usd": number(0),
    },
    closed=True,
)  # fmt: skip
MANIFEST_SHAPE = fields(
    {
        "format": text(40),
        "files": named(fields({"bytes": BIG, "lines": BIG, "sha256": text(64, 64)}, closed=True)),
    }
)
RUN_SHAPE = fields(
    {
        "id": text(16, 1), "origin": maybe(text(16)), "kind": text(20, 1), "name": text(200), "status": one_of(*STATUSES),
        "reason": text(), "spec": fields({}), "simulated": flag, "cloned_from": maybe(text(16)), "outcome": maybe(fields({})),
        "spent": maybe(TOTALS), "created_at": moment, "started_at": maybe(moment), "ended_at": maybe(moment),
        "calls_pruned_at": maybe(moment), "prompt": maybe(text(200)),
    },
    closed=True,
)  # fmt: skip
DATASET_SHAPE = fields(
    {"name": text(200, 1), "digest": text(64), "source": text(), "report": fields({}), "images": flag}, closed=True
)
REPORT_SHAPE = fields(
    {},
    {
        "format": text(20), "encoding": text(60), "delimiter": text(20), "rows": COUNT, "kept": COUNT, "dropped_total": COUNT,
        "reasons": named(COUNT), "dropped": listed(fields({"row": COUNT, "line": COUNT, "reason": text()}), 10_000),
        "notes": listed(text(), 1_000), "columns": listed(text()), "input_column": maybe(text()),
        "answer_column": maybe(text()), "images": fields({"column": text(200)}),
    },
)  # fmt: skip
_PROBLEM = fields({"problem": text(None, 1), "source": text()}, closed=True)
_IMAGE = fields(
    {
        "digest": digest, "media_type": one_of(*KEPT.values()), "width": whole(1), "height": whole(1), "source": text(),
    },
    {"note": text()},
    closed=True,
)  # fmt: skip


def _image(value: Json, place: str) -> None:
    (_PROBLEM if isinstance(value, dict) and "problem" in value else _IMAGE)(value, place)


EXAMPLE_SHAPE = fields(
    {"row": whole(1), "input": text(), "reference": text(), "extra": named(text())}, {"image": _image}, closed=True
)
ROWS: Mapping[str, Check] = {
    "samples.jsonl": fields(
        {
            "key": text(64, 1), "candidate": text(64), "case": text(64), "repeat": COUNT, "split": one_of(*SPLITS),
            "outcome": one_of(*OUTCOMES_OF_SAMPLES), "score": maybe(number(0, 1)), "feedback": text(), "response": text(),
            "scores": maybe(named(number())), "error": text(), "calls": COUNT, "tokens": COUNT, "cost_usd": maybe(number(0)),
            "seconds": number(0),
        },
        closed=True,
    ),
    "calls.jsonl": fields(
        {
            "key": text(120, 1), "attempts": COUNT, "role": text(12), "model": text(200), "request": fields({}),
            "reserved_usd": maybe(number(0)), "settled": flag, "text": text(), "error": text(30), "finish_reason": text(20),
            "prompt_tokens": COUNT, "completion_tokens": COUNT, "reasoning_tokens": COUNT, "cached_tokens": COUNT,
            "tokens_estimated": flag, "cost_usd": maybe(number(0)), "ttft_s": maybe(number(0)), "ttlb_s": number(0),
            "served_model": text(200), "raw": anything, "retries": COUNT, "wait_s": number(0), "uncertain": COUNT,
            "cached": flag, "lane": text(250), "throttled_s": number(0), "limited": COUNT, "sent_at": moment,
            "settled_at": maybe(moment),
        },
        closed=True,
    ),
    "events.jsonl": fields({"note": maybe(whole(1)), "name": text(30, 1), "data": fields({}), "at": moment}, closed=True),
    "spending.jsonl": fields({"day": text(10, 10), "role": text(12), "model": text(200), "totals": TOTALS}, closed=True),
    "looks.jsonl": fields({"split": text(12), "candidate": text(64), "at": moment}, closed=True),
    "rankings.jsonl": fields(
        {
            "case": text(64, 1), "repeat": COUNT, "ranker": text(80, 1), "places": RANKING_PLACES, "notes": text(),
            "seconds": number(0), "blind": flag, "revision": whole(1), "created_at": moment, "saved_at": moment,
        },
        closed=True,
    ),
    "marks.jsonl": fields(
        {"sample": text(64, 1), "verdict": one_of("acceptable", "unacceptable"), "marked_by": text(80), "at": moment},
        closed=True,
    ),
}  # fmt: skip
UNIQUE = {"samples.jsonl": "key", "calls.jsonl": "key", "events.jsonl": "note", "marks.jsonl": "sample"}
"""The column in which no two rows of a run may be the same."""
