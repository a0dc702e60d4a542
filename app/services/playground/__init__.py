"""The playground: one input, several models or configs side by side; what is liked becomes an example."""

from __future__ import annotations

import secrets

from sqlalchemy.orm import Session

from app.ports.llm import Json
from app.services.playground.answers import Card, card, cards, look
from app.services.playground.draft import Texts, parse, texts_of
from app.services.playground.estimate import Estimate, estimate, in_words
from app.services.playground.examples import save_example
from app.services.playground.form import MOST_MODELS, TryForm, defaults, read
from app.services.runs.lookup import add_once
from app.store.models import Run

__all__ = [
    "MOST_MODELS",
    "Card",
    "Estimate",
    "Texts",
    "TryForm",
    "card",
    "cards",
    "defaults",
    "estimate",
    "in_words",
    "look",
    "parse",
    "read",
    "save_example",
    "start",
    "texts_of",
]

NAME_CHARS = 80


def start(session: Session, spec: Json, *, prompt_id: int | None = None, once: str = "") -> Run:
    """Queue the run. Enqueue its id after this returns: the row is committed by then.

    prompt_id: of the library's prompt that is tried. once: an id for the run, made when its form was made: the same form sent
    twice gives the same run.
    """
    known = session.get(Run, once) if once else None
    if known and known.spec == spec:
        return known
    asked = spec["asked"]
    run = Run(
        id=once if once and not known else secrets.token_hex(5),
        kind="try",
        name=" ".join((asked["input"] or asked["prompt"] or spec["messages"][-1]["content"]).split())[:NAME_CHARS]
        or "Try",
        status="queued",
        spec=spec,
        simulated=any(model["name"].startswith("simulated/") for model in spec["models"]),
        dataset_id=None,
        prompt_id=prompt_id,
    )
    return add_once(session, run, once)
