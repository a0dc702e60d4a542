"""The blueprint of the form that compares prompts on a dataset."""

from __future__ import annotations

from flask import Blueprint

pages = Blueprint("comparisons", __name__, url_prefix="/comparisons")
