"""Trainings and their re-judging: the fields that start them, and what they may take."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from app.api.shapes.base import Shape
from app.core.kinds.rejudge import MISSING
from app.services.rejudging import FIELDS
from app.services.training import MEANINGS, TrainingForm


class Estimate(Shape):
    """What a training may take, from an early stop to the last epoch; usd is null when a price is unknown."""

    model_config = ConfigDict(extra="allow")

    calls_low: int
    calls_high: int
    tokens_low: int
    tokens_high: int
    usd_low: float | None
    usd_high: float | None
    notes: list[str]
    adjustments: Any


class Missing(Shape):
    """What is not on record for judging a run again, and its price."""

    on_record: int
    answers_low: int
    answers_high: int
    judgements_low: int
    judgements_high: int
    usd_low: float | None
    usd_high: float | None
    sealed: int


def _fields(names: Iterable[str]) -> dict[str, Any]:
    """Fields of the training form; each may be left out or be null, and then has its default."""
    known = TrainingForm.model_fields
    return {
        name: (known[name].annotation | None, Field(None, description=MEANINGS[name]))  # type: ignore[operator]
        for name in names
        if name in known
    }


def _body(name: str, about: str, fields: dict[str, Any]) -> type[BaseModel]:
    return create_model(name, __base__=Shape, __doc__=about, **fields)


_NAME: dict[str, Any] = {"name": (str, "")}
_MISSING: dict[str, Any] = {"missing": (Literal[*MISSING] | None, None)}
_JUDGED = _fields(FIELDS) | _MISSING
_TRAINED = _fields(TrainingForm.model_fields)
Training = _body("Training", "The fields of a training; what is left out has its default.", _TRAINED)
NamedTraining = _body("NamedTraining", "The fields of a training, and a name for the run.", _TRAINED | _NAME)
Rejudging = _body("Rejudging", "How a run is judged again; what is left out is as it was.", _JUDGED)
NamedRejudging = _body("NamedRejudging", "How a run is judged again, and a name for the new run.", _JUDGED | _NAME)
