"""The pages of runs: the list, and for each run its overview, examples, calls, bill, log and settings."""

from app.web.runs import actions, bill, browse, examples, importing, overview, records, rejudge
from app.web.runs.page import pages

__all__ = ["actions", "bill", "browse", "examples", "importing", "overview", "pages", "records", "rejudge"]
