"""The pages of a new training: the form with its live estimate, and the start."""

from app.web.trainings import new, planned
from app.web.trainings.page import pages

__all__ = ["new", "pages", "planned"]
