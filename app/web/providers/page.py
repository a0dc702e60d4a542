"""The blueprint of the pages of providers."""

from __future__ import annotations

from flask import Blueprint

pages = Blueprint("providers", __name__, url_prefix="/providers")
