"""The blueprint of the pages of model configs, and what several of them need."""

from __future__ import annotations

from flask import Blueprint

from app.ports.llm import Json
from app.services import models
from app.store.models import ModelConfig
from app.web.database import session
from app.web.models.form import text_of

pages = Blueprint("models", __name__, url_prefix="/models")

pages.add_app_template_filter(models.in_words, "adjusted")


@pages.app_template_filter("valued")
def valued(value: Json) -> str:
    """A setting's value in a line."""
    return ", ".join(str(one) for one in value) if isinstance(value, list) else text_of(value)


def get(config_id: int) -> ModelConfig:
    """The config, or NotFound."""
    return models.by_id(session(), config_id)
