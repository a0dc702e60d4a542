"""The answers of a try, one card for each model: from the outcome once there is one, before that from the calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.kinds.attempt import step_key
from app.ports.llm import Json
from app.services.models import in_words
from app.store.models import CallRow, Run

OVER = frozenset({"done", "failed", "cancelled"})


@dataclass(frozen=True)
class Card:
    """One model's answer. title: as it was asked for. answer: see app.core.kinds.attempt.as_answer; None until it is there.

    adjustments: what the model is sent otherwise than was asked, by our registry and by the provider.
    state: waiting, answered, failed, or "none" when the run ended without an answer of this model.
    """

    number: int
    title: str
    model: str
    answer: Json = None
    over: bool = False
    adjustments: list[Json] = field(default_factory=list)

    @property
    def state(self) -> str:
        """See the class."""
        if self.answer:
            return "failed" if self.answer["error"] else "answered"
        return "none" if self.over else "waiting"

    @property
    def adjusted(self) -> list[str]:
        """The adjustments in words."""
        return [in_words(one) for one in self.adjustments]

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens of the answer by the seconds from sending to its end; None when nothing was measured."""
        answer = self.answer
        if not answer or answer["error"] or not answer["ttlb_s"]:
            return None
        return float(answer["usage"]["completion_tokens"] / answer["ttlb_s"])


def cards(session: Session, run: Run) -> list[Card]:
    """One card for each model, in their order."""
    return finished(run) if run.outcome else _cards(run, _ended(session, run))


def finished(run: Run) -> list[Card]:
    """The cards by the outcome alone."""
    return _cards(run, dict(enumerate((run.outcome or {}).get("answers", ()))))


def _cards(run: Run, found: Mapping[int, Json]) -> list[Card]:
    return [_card(run, number, found.get(number)) for number in range(len(run.spec["models"]))]


def card(session: Session, run: Run, number: int) -> Card | None:
    """One of them; None when there is no such model."""
    return next((one for one in cards(session, run) if one.number == number), None)


def _card(run: Run, number: int, answer: Json) -> Card:
    pinned = run.spec["models"][number]
    config = pinned.get("config")
    title = config["name"] if config else pinned["name"]
    told = [*pinned.get("adjustments", ()), *((answer or {}).get("adjustments") or ())]
    return Card(number, title, pinned["name"], answer, run.status in OVER, told)


def look(session: Session, run_id: str) -> tuple[str, set[int]]:
    """The run's status ("" when it is gone), and the numbers of the models whose call has ended."""
    status = session.scalar(select(Run.status).where(Run.id == run_id, Run.deleted_at.is_(None))) or ""
    ended = session.scalars(select(CallRow.key).where(CallRow.run_id == run_id, CallRow.settled))
    return status, {int(key.split("/")[1]) for key in ended}


def _ended(session: Session, run: Run) -> dict[int, Json]:
    rows = session.scalars(select(CallRow).where(CallRow.run_id == run.id, CallRow.settled)).all()
    found = {}
    for number in range(len(run.spec["models"])):
        row = next((one for one in rows if one.key.startswith(f"{step_key(number)}/")), None)
        if row is not None and row.error != "unsent":
            found[number] = _answer(row)
    return found


def _answer(row: CallRow) -> Json:
    usage = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
    same = ("text", "error", "finish_reason", "cost_usd", "ttft_s", "ttlb_s", "served_model", "retries")
    return {name: getattr(row, name) for name in same} | {
        "usage": {name: getattr(row, name) for name in usage} | {"estimated": row.tokens_estimated},
        "adjustments": (row.raw or {}).get("adjustments", []),
    }
