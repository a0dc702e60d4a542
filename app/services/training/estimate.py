"""What a training may take, told before anything is spent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy.orm import Session

from app.core import scorers
from app.core.kinds.spending import LARGEST, answers_of_epoch, answers_of_shortening
from app.core.model import model_ref
from app.core.optimizers import STRATEGIES
from app.core.optimizers.length import Length
from app.core.stats import needed, strictness
from app.core.stats.sizing import UNMEASURED, detectable, examples_needed
from app.llm.gateway import Gateway
from app.ports.llm import Json
from app.services.datasets import looks
from app.services.models import warning
from app.services.training.models import ROLES
from app.services.training.seeing import seeing_notes, shown_tokens
from app.store.models import Dataset

GROWTH = 1_000
"""Characters by which proposals are usually longer than the initial prompts."""
JUDGE_FRAME = 800
"""Characters of a request to a judge beside its instructions and the quoted texts."""
JUDGEMENT = 80
"""Tokens of one judgement."""


@dataclass(frozen=True)
class Estimate:
    """What a training may take, from an early stop to every epoch validated in full. usd is None when a price is unknown."""

    calls_low: int
    calls_high: int
    tokens_low: int
    tokens_high: int
    usd_low: float | None
    usd_high: float | None
    notes: tuple[str, ...]
    detectable_validation: float = 1.0
    """The smallest improvement that this many validation examples can show (app.core.stats.sizing), nothing being measured."""
    detectable_test: float | None = None
    """The same of the sealed test; None without one."""


Uses: TypeAlias = Mapping[str, tuple[int, float, float]]
"""By role: calls, prompt tokens, completion tokens."""


def estimate(session: Session, spec: Json, *, gateway: Gateway) -> Estimate:
    """How many calls, tokens and USD a training may take.

    Low: patience runs out at once, one proposal an epoch, and it fails its gate. High: every epoch makes as many proposals as
    the strategy may, on minibatches as large as they get, each reply has to be repaired, and one is validated in full.
    Tokens are guessed at four characters each, answers at the length of the reference answers; high grants every prompt
    the GROWTH that proposals bring. The shortening adds nothing to the low end (there may be nothing to leave out) and all
    that it may take to the high one.
    """
    facts = session.get_one(Dataset, spec["dataset"]["id"]).statistics
    low, high = uses(spec, facts)
    calls = [sum(count for count, _, _ in use.values()) for use in (low, high)]
    tokens = [round(sum(prompt + completion for _, prompt, completion in use.values())) for use in (low, high)]
    usd = [cost(gateway, spec, use) for use in (low, high)]
    strict, level = strictness(spec["alpha"], next_comparison(session, spec))
    notes = (
        *seeing_notes(spec, facts),
        *_notes(spec, facts, usd[1]),
        *_size(spec, strict),
        *_shorter(spec, level),
        *_ends(spec, gateway),
    )
    levels = (("validation", spec["alpha"]), ("test", strict))
    validation, test = (_shown(spec["split"][part], alpha) for part, alpha in levels)
    return Estimate(calls[0], calls[1], tokens[0], tokens[1], usd[0], usd[1], notes, validation or 1.0, test)


def next_comparison(session: Session, spec: Json) -> int:
    """Which comparison on the dataset's test examples the training's sealed test will be, from 1."""
    return 1 + looks(session, session.get_one(Dataset, spec["dataset"]["id"])).comparisons


def _shown(n: int, alpha: float) -> float | None:
    """The smallest improvement that n examples can show, nothing being measured; None of no examples."""
    return detectable(n, UNMEASURED, alpha=alpha) if n else None


def _size(spec: Json, alpha: float) -> list[str]:
    worth, n = spec["worth_points"] / 100, spec["split"]["test"]
    least = examples_needed(worth, UNMEASURED, alpha=alpha)
    if not n or n >= least:
        return []
    told = f"To show an improvement of {spec['worth_points']:g} points, about {least:,} test examples are needed"
    return [f"{told}; this split has {n:,}. A plan measures it on your examples."]


def _shorter(spec: Json, level: float) -> list[str]:
    """Whether the test is too small for a shorter prompt. level: of its interval there."""
    n, margin = spec["split"]["test"], spec.get("shorten_margin", 0.5)
    least = needed(margin, level)
    if spec.get("shorten") != "offer" or n >= least:
        return []
    told = (
        f"A shorter prompt can be offered, but {n} test examples cannot show that it is worse by less than {margin:g}"
    )
    return [f"{told}; that takes {least}."]


def uses(spec: Json, facts: Json) -> list[Uses]:
    """What a training uses at the low and the high end of its estimate. facts: the dataset's statistics."""
    parts, batch = spec["split"], min(spec["batch_size"], spec["split"]["train"])
    validation, test = (spec["repeats"] * parts[name] for name in ("validation", "test"))
    low = validation + 2 * batch * min(spec["patience"], spec["epochs"]) + test
    strategy = STRATEGIES[spec["strategy"]]
    most = answers_of_epoch(strategy, min(LARGEST * spec["batch_size"], parts["train"]), validation)
    shortening = answers_of_shortening(spec.get("shorten", "off"), spec.get("shorten_answers", 0), test)
    high = validation + spec["epochs"] * most + 2 * test + shortening
    asked_for = (min(spec["patience"], spec["epochs"]), 2 * strategy.children * spec["epochs"])
    proposals = asked_for if spec["optimizer"] else (0, 0)
    prompt_chars = len(spec["system_prompt"]) + len(spec["output_prompt"])
    prompt = (facts["input_chars"]["mean"] + prompt_chars) / 4 + 10 + shown_tokens(facts)
    room = Length(spec["max_prompt_chars"], spec.get("max_prompt_tokens")).room
    grown = prompt + max(0, min(GROWTH, room - prompt_chars)) / 4
    answer = facts["answer_chars"]["mean"] / 4 + 2
    asked = (len(spec["instructions"]) + 2 * prompt_chars + 10 * (facts["input_chars"]["mean"] + 200)) / 4
    reply = prompt_chars / 4 + 400
    judged, quoted, said = judgements(spec, facts)
    return [
        {
            "primary": (answers, answers * length, answers * answer),
            "optimizer": (steps, steps * asked, steps * reply),
            "judge": (answers * judged, answers * quoted, answers * said),
        }
        for answers, length, steps in ((low, prompt, proposals[0]), (high, grown, proposals[1]))
    ]


def judgements(spec: Json, facts: Json) -> tuple[int, float, float]:
    """For one answer: how many calls of the judge it takes, with how many prompt and completion tokens in all."""
    rubrics = [one for one in spec["scorers"] if scorers.judgements([one])]
    quoted = facts["input_chars"]["mean"] + 2 * facts["answer_chars"]["mean"] + JUDGE_FRAME
    chars = sum(len(one["instructions"]) + len(one["criteria"]) + quoted for one in rubrics)
    return len(rubrics), chars / 4, JUDGEMENT * len(rubrics)


def cost(gateway: Gateway, spec: Json, use: Uses) -> float | None:
    """USD of what is used, at the price of prompts of mean length; None when a price is unknown."""
    total = 0.0
    for role, (calls, prompt_tokens, completion_tokens) in use.items():
        if not spec.get(role) or not calls:
            continue
        price = gateway.price(model_ref(spec[role]))
        if price is None:
            return None
        price = price.at(round(prompt_tokens / calls))
        total += prompt_tokens * price.prompt_usd + completion_tokens * price.completion_usd
    return total


def _ends(spec: Json, gateway: Gateway) -> list[str]:
    """Which of the models their providers switch off."""
    models = (model_ref(spec[role]) for role in ROLES if spec.get(role))
    told = (warning(gateway, model, dt.datetime.now(dt.UTC).date()) for model in models)
    return list(dict.fromkeys(filter(None, told)))


def _notes(spec: Json, facts: Json, usd: float | None) -> tuple[str, ...]:
    notes = list(spec["split"]["notes"])
    if 0 < spec["split"]["test"] < 30:
        n = spec["split"]["test"]
        notes.append(f"The sealed test has {n} examples; only a large improvement can be shown on so few.")
    if usd is None:
        notes.append("The price of a model is unknown, so the cost cannot be estimated; it is not zero.")
    warnings = (scorers.warning(one, facts) for one in spec["scorers"])
    return (*notes, *filter(None, warnings))
