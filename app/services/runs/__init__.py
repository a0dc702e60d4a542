"""Runs: found, followed, paused, cancelled and resumed, compared example by example, and taken away as files."""

from app.services.runs.bill import Bill, Line, Rate, bill
from app.services.runs.confusion import confusions, in_cell, labels_of
from app.services.runs.examples import Pair, asked_twice, at_places, before_after
from app.services.runs.files import export_csv, export_failed, export_folder, export_jsonl, export_zip
from app.services.runs.lookup import ORDERS, Order, delete, get, list_runs, rename
from app.services.runs.record import (
    Progress,
    Unprocessed,
    calls,
    count_unprocessed,
    events,
    notes,
    progress,
    samples,
    totals,
    unprocessed,
)
from app.services.runs.report import REPORT_POLICY, report_html
from app.services.runs.speed import SPEED_TITLES, SpeedLine, speed, timing
from app.services.runs.timeline import Timeline, timeline
from app.services.runs.wishes import request_cancel, request_pause, request_resume, resumes_in, undecided
from app.services.runs.words import cost as cost_in_words
from app.services.runs.words import numbered
from app.services.runs.words import spent as spent_in_words
from app.services.runs.words import time as time_in_words

__all__ = [
    "ORDERS",
    "REPORT_POLICY",
    "SPEED_TITLES",
    "Bill",
    "Line",
    "Order",
    "Pair",
    "Progress",
    "Rate",
    "SpeedLine",
    "Timeline",
    "Unprocessed",
    "asked_twice",
    "at_places",
    "before_after",
    "bill",
    "calls",
    "confusions",
    "cost_in_words",
    "count_unprocessed",
    "delete",
    "events",
    "export_csv",
    "export_failed",
    "export_folder",
    "export_jsonl",
    "export_zip",
    "get",
    "in_cell",
    "labels_of",
    "list_runs",
    "notes",
    "numbered",
    "progress",
    "rename",
    "report_html",
    "request_cancel",
    "request_pause",
    "request_resume",
    "resumes_in",
    "samples",
    "speed",
    "spent_in_words",
    "time_in_words",
    "timeline",
    "timing",
    "totals",
    "undecided",
    "unprocessed",
]
