"""The pages of runs: the list, and for each run its overview, examples, calls, log and settings."""

from app.web.runs import actions, browse, overview, records
from app.web.runs.page import pages

__all__ = ["actions", "browse", "overview", "pages", "records"]
