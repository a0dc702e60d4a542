"""simulated/judge as a reviewer of rival answers: it likes those that take up what the request says, in a clear form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from app.llm.simulated.chance import chance
from app.llm.simulated.study import FENCED
from app.llm.simulated.words import words
from app.llm.simulated.writer import MOST, topics
from app.ports.llm import Json, Message

_NOISE = 0.12
"""By how much chance moves a judgement, of the whole scale."""
_GARBLED = 0.03
"""How often the first reply is one that nobody can use; the second never is."""


def reply(messages: Sequence[Message], params: dict[str, Json], schema: Json) -> str:
    """The ranking of the answers that the request quotes. schema: of the reply; it names labels, scale and criteria."""
    asked = next((m.content for m in messages if m.role == "user"), "")
    texts = {match[1]: match[3] for match in reversed(list(FENCED.finditer(asked)))}
    seed = params.get("seed", 0)
    mends = any(m.role == "assistant" for m in messages)
    if not mends and chance(seed, asked, "garbled") < _GARBLED:
        return "They are all good in their own way; I would not like to choose."
    item = schema["properties"]["rankings"]["items"]["properties"]
    merits = {label: _merit(texts, label, seed) for label in item["label"]["enum"]}
    order = sorted(merits, key=lambda label: (-merits[label], chance(seed, asked, label)))
    rows = [_row(label, rank, merits[label], item) for rank, label in enumerate(order, start=1)]
    return json.dumps({"rankings": rows})


def _merit(texts: Mapping[str, str], label: str, seed: object) -> float:
    """In [0, 1]: what is taken up of the request, and whether it has a form."""
    answer = texts.get(f"response_{label.lower()}", "")
    wanted, got = topics(texts.get("original_prompt", "")), set(words(answer))
    covered = min(1.0, sum(topic in got for topic in wanted) / min(MOST, len(wanted)))
    formed = 0.2 if "\n1. " in answer else 0.0
    noise = _NOISE * (chance(seed, answer, "taste") - 0.5)
    return min(1.0, max(0.0, 0.75 * covered + formed + noise))


def _row(label: str, rank: int, merit: float, item: Mapping[str, Json]) -> Json:
    low, high = item["overall_score"]["minimum"], item["overall_score"]["maximum"]
    score = round(low + merit * (high - low), 1)
    said = (
        "takes up most of what was asked"
        if merit > 0.6
        else "takes up some of it"
        if merit > 0.3
        else "says little of it"
    )
    row = {"label": label, "rank": rank, "overall_score": score, "comment": f"The answer {said}."}
    criteria = item.get("criteria_scores", {}).get("properties", {})
    return row | ({"criteria_scores": dict.fromkeys(criteria, score)} if criteria else {})
