"""The pages of the playground."""

from app.web.playground import panel, show, stream
from app.web.playground.page import pages

__all__ = ["pages", "panel", "show", "stream"]
