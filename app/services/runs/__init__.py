"""Runs: found, followed, paused, cancelled and resumed, compared example by example, and taken away as files."""

from app.services.runs.examples import Pair, before_after
from app.services.runs.files import export_csv, export_folder, export_jsonl
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
from app.services.runs.report import REPORT_POLICY, report_html
from app.services.runs.wishes import request_cancel, request_pause, request_resume, undecided

__all__ = [
    "REPORT_POLICY",
    "Pair",
    "Progress",
    "Unprocessed",
    "before_after",
    "calls",
    "delete",
    "events",
    "export_csv",
    "export_folder",
    "export_jsonl",
    "get",
    "list_runs",
    "notes",
    "progress",
    "rename",
    "report_html",
    "request_cancel",
    "request_pause",
    "request_resume",
    "samples",
    "totals",
    "undecided",
    "unprocessed",
]
