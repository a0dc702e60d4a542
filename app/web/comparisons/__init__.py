"""Comparing prompts on a dataset: the form and the start."""

from app.web.comparisons import new
from app.web.comparisons.page import pages

__all__ = ["new", "pages"]
