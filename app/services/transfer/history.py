"""What the events, the specification and the outcome of a run must look like for its pages to show them."""

from __future__ import annotations

from collections.abc import Mapping

from app.services.transfer import rivals
from app.services.transfer.parts import BUDGET, CALLS, COUNT, MAYBE_MODEL, MODEL, NUMBER, SCORERS
from app.services.transfer.shapes import (
    Check,
    anything,
    fields,
    flag,
    listed,
    maybe,
    named,
    number,
    one_of,
    text,
    whole,
)

MEAN = fields({"mean": NUMBER, "n": COUNT, "asked": COUNT, "low": NUMBER, "high": NUMBER})
ENDS = fields({"value": number(), "low": number(), "high": number()})
CASES = listed(text(64))
PAIRED = fields(
    {
        "n": COUNT, "asked": COUNT, "delta": NUMBER, "low": NUMBER, "high": NUMBER, "p_value": NUMBER, "test": text(40),
        "fixed": CASES, "broken": CASES, "both_right": COUNT, "both_wrong": COUNT,
    },
    {"level": number(0, 1), "before": NUMBER, "after": NUMBER, "sd": NUMBER},
)  # fmt: skip
BOUNDS = {"n": COUNT, "asked": COUNT, "delta": NUMBER, "low": NUMBER, "high": NUMBER}
VERSION = fields({"number": whole(), "digest": text(64), "system_prompt": text(), "output_prompt": text()})
TEST = fields({"initial": MEAN, "final": MEAN, "paired": PAIRED})
UNIT = fields(
    {
        **BOUNDS,
        "n": maybe(COUNT),
        "asked": maybe(COUNT),
        "text": text(),
        "tokens": COUNT,
        "fate": text(20),
        "why": text(),
    }
)
_SHORT = {
    "of": whole(), "units": listed(UNIT), "answers": COUNT, "stopped": text(), "tokens_before": COUNT,
    "tokens_after": maybe(COUNT), "offer": maybe(VERSION), "validation": maybe(fields(BOUNDS)),
}  # fmt: skip
SHORTENED = fields({**BOUNDS, "level": number(0, 1)})
SHORTENING = fields(
    {
        **_SHORT, "margin": number(), "usable": maybe(flag), "sentence": text(),
        "test": maybe(fields({"mean": MEAN, "comparison": SHORTENED})),
    }
)  # fmt: skip
FATES = ("accepted", "rejected", "invalid", "shortened")

EVENTS: Mapping[str, Check] = {
    **rivals.EVENTS,
    "baseline": fields(
        {"number": whole(0, 0), "digest": text(64), "system_prompt": text(), "output_prompt": text(), "validation": MEAN}
    ),
    "proposal": fields(
        {
            "number": whole(1), "digest": maybe(text(64)), "system_prompt": text(), "output_prompt": text(),
            "fate": one_of(*FATES), "epoch": whole(), "parent": whole(), "strategy": text(), "reasoning": text(), "why": text(),
            "batch": maybe(MEAN), "gate": maybe(PAIRED), "validation": maybe(MEAN), "paired": maybe(PAIRED),
        }
    ),
    "epoch": fields({"epoch": whole(), "parent": whole(), "batch": maybe(MEAN), "failures": COUNT}),
    "epoch_end": fields(
        {"epoch": whole(), "train": maybe(MEAN), "validation": maybe(MEAN), "best": maybe(MEAN), "best_number": whole()},
        {"gain": NUMBER, "usd": NUMBER, "usd_per_point": NUMBER},
    ),
    "test": TEST,
    "verdict": fields({"verdict": text(40), "sentence": text()}),
    "advice": fields({"verdict": text(40), "sentence": text()}),
    "shortening": fields({**_SHORT}),
    "shortened": fields({"number": whole(1), "sentence": text(), "mean": MEAN}),
    "candidate": fields(
        {"number": whole(), "title": text(), "digest": text(64), "system_prompt": text(), "output_prompt": text()}
    ),
    "log": fields({"level": text(20), "text": text()}),
    "wait": fields({"seconds": NUMBER}, {"model": text(), "why": text()}),
    "status": fields({"status": text(12)}, {"reason": text()}),
    "progress": fields(
        {
            "stage": text(), "done": COUNT, "total": COUNT, "fraction": number(0, 1), "eta_s": NUMBER, "calls": COUNT,
            "tokens": COUNT, "cost_usd": number(),
        }
    ),
}  # fmt: skip
"""By name; of other events only that they are objects."""

_MODEL = fields(MODEL, MAYBE_MODEL)
_DATASET = fields({"name": text(200), "digest": text(64)})
_SPLIT = fields(
    {
        "ratios": listed(whole(0, 100), 3, 3), "seed": whole(), "digest": text(64),
        "train": COUNT, "validation": COUNT, "test": COUNT,
    },
    {"notes": listed(text())},
)  # fmt: skip
_SPEC: dict[str, Check] = {
    "dataset": _DATASET, "split": _SPLIT, "system_prompt": text(), "output_prompt": text(), "primary": _MODEL,
    "scorers": SCORERS, "budget": BUDGET, "calls": CALLS, "seed": whole(),
}  # fmt: skip
_SEARCH: dict[str, Check] = {
    "prompt": text(200), "strategy": text(60), "acceptance": text(20), "alpha": number(0, 1), "min_delta": number(-1, 1),
    "epochs": whole(), "batch_size": whole(), "patience": whole(), "concurrency": whole(1), "failures": whole(),
    "successes": whole(), "instructions": text(), "conflicts": text(20), "max_prompt_chars": maybe(whole()),
}  # fmt: skip
"""What every search was told, since the first release."""
_MAYBE_SPEC: dict[str, Check] = {
    "prompt": text(200), "optimizer": maybe(_MODEL), "judge": maybe(_MODEL), "cache": text(20), "repeats": whole(1),
    "worth_points": NUMBER, "pilot_examples": maybe(whole()), "stop_above_usd_per_point": NUMBER, "locked": listed(text()),
    "max_prompt_tokens": maybe(whole()), "shorten": text(20), "shorten_margin": NUMBER, "shorten_answers": maybe(whole()),
    "bounds": named(anything),
}  # fmt: skip
_SOURCE = fields(
    {
        "run": text(16, 1), "name": text(200), "dataset": _DATASET, "verdict": maybe(text(40)), "final": maybe(whole()),
        "test": maybe(TEST),
    },
    {"looks": named(whole())},
)  # fmt: skip
_CANDIDATE = fields({"name": text(), "said": text(), "system_prompt": text(), "output_prompt": text()})
SPECS: Mapping[str, Check] = {
    "train": fields(_SPEC | _SEARCH, _MAYBE_SPEC),
    "plan": fields(_SPEC | _SEARCH, _MAYBE_SPEC),
    "rejudge": fields({**_SPEC, **_SEARCH, "source": _SOURCE, "missing": text(20)}, _MAYBE_SPEC),
    "compare": fields(
        {
            **_SPEC, "alpha": number(0, 1), "concurrency": whole(1), "repeats": whole(1),
            "part": one_of("test", "validation", "train", "all"),
            "candidates": listed(_CANDIDATE, 100, 1),
        },
        _MAYBE_SPEC,
    ),
    "benchmark": rivals.BENCHMARK_SPEC,
    "try": rivals.TRY_SPEC,
}  # fmt: skip
"""By kind of run."""
DATA_AT_WILL = ("benchmark", "try")
"""Kinds whose runs may have no dataset."""

_VERDICT: dict[str, Check] = {"verdict": text(40), "sentence": text()}
_LOOKS = fields({"validation": COUNT, "test": COUNT})
_FLIPS = fields({"rate": NUMBER, "low": NUMBER, "high": NUMBER, "n": COUNT})
_TRAINED: dict[str, Check] = {
    "initial": maybe(VERSION), "final": maybe(VERSION), "test": maybe(TEST), "gap": NUMBER, "looks": maybe(_LOOKS),
    "flips": maybe(_FLIPS), "stopped_by": maybe(text(40)), "stopped_why": maybe(text()), "shortening": maybe(SHORTENING),
    "validation": maybe(fields({"initial": maybe(MEAN), "final": maybe(MEAN)})), "epochs": maybe(COUNT),
    "accepted": maybe(COUNT), "proposals": maybe(COUNT),
}  # fmt: skip
_DECIDED = fields({"fate": text(20), "why": text(), "validation": maybe(MEAN)}, {"measured": flag})
_DECISION = fields(
    {
        "number": whole(), "epoch": whole(), "then": _DECIDED,
        "now": maybe(fields({"fate": text(20), "why": text(), "validation": maybe(MEAN), "measured": flag})),
    }
)  # fmt: skip
_REJUDGED: dict[str, Check] = {
    "decisions": listed(_DECISION), "changed": COUNT, "unmeasured": COUNT, "left_out": COUNT, "rejudged": text(16),
    "then": _SOURCE, "final": VERSION,
}  # fmt: skip
_PILOT = fields({"examples": COUNT, "train_n": COUNT, "repeats": COUNT, "mean": MEAN, "flips": _FLIPS})
_NOISE = fields({"n": COUNT, "error": ENDS, "randomness": ENDS})
_PAIR = listed(number(), 2, 2)
_EXPECTED = fields(
    {
        "calls": _PAIR, "tokens": _PAIR, "minutes": _PAIR, "usd": maybe(_PAIR),
        "per_answer": fields({"seconds": number(), "tokens": number(), "usd": NUMBER, "n": COUNT}),
    }
)  # fmt: skip
_PLANNED: dict[str, Check] = {
    "advice": listed(text(), 100), "pilot": _PILOT, "worth": number(), "alpha": number(0, 1), "power": number(0, 1),
    "comparison": COUNT, "test_alpha": number(0, 1), "alike": number(), "needed": ENDS,
    "split": maybe(listed(whole(0, 100), 3, 3)),
    "noise": fields({"validation": maybe(_NOISE), "test": maybe(_NOISE)}),
    "detectable": fields({"validation": maybe(ENDS), "test": maybe(ENDS)}), "expected": maybe(_EXPECTED),
}  # fmt: skip
_FOUND = fields(
    {"number": whole(), "name": text(), "digest": text(64), "mean": MEAN, "paired": maybe(PAIRED), "finding": text(20)}
)
OUTCOMES: Mapping[str, Check] = {
    "train": fields(_VERDICT, _TRAINED),
    "rejudge": fields({**_VERDICT}, {**_TRAINED, **_REJUDGED}),
    "plan": fields(_VERDICT, {**_TRAINED, **_PLANNED}),
    "compare": fields(
        {**_VERDICT, "candidates": listed(_FOUND, 100), "comparison": COUNT, "part": text(20), "n": COUNT},
        {**_TRAINED, "alpha": number(0, 1)},
    ),
    "benchmark": rivals.BENCHMARK_OUTCOME,
    "try": rivals.TRY_OUTCOME,
}  # fmt: skip
"""By kind of run."""
