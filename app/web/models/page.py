"""The blueprint of the pages of model configs, and what several of them need."""

from __future__ import annotations

from flask import Blueprint

from app.services import models
from app.store.models import ModelConfig
from app.web.database import session

pages = Blueprint("models", __name__, url_prefix="/models")

pages.add_app_template_filter(models.in_words, "adjusted")


def get(config_id: int) -> ModelConfig:
    """The config, or NotFound."""
    return models.by_id(session(), config_id)
