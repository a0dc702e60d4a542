"""The blueprint of the training pages."""

from __future__ import annotations

from flask import Blueprint

pages = Blueprint("trainings", __name__, url_prefix="/trainings")
