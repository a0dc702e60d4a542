"""Runs: found, followed, paused, cancelled and resumed, compared example by example, and taken away as files."""

from app.services.runs.examples import Pair, before_after
from app.services.runs.lookup import delete, get, list_runs, rename
from app.services.runs.record import (
    Progress,
    Unprocessed,
    calls,
    events,
    notes,
    progress,
    samples,
    totals,
    unprocessed,
)
from app.services.runs.wishes import request_cancel, request_pause, request_resume

__all__ = [
    "Pair",
    "Progress",
    "Unprocessed",
    "before_after",
    "calls",
    "delete",
    "events",
    "get",
    "list_runs",
    "notes",
    "progress",
    "rename",
    "request_cancel",
    "request_pause",
    "request_resume",
    "samples",
    "totals",
    "unprocessed",
]
