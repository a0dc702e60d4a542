"""Labels: what speaks against an answer, what people ruled about it, and the versions of a dataset that come of it."""

from app.services.labels.appended import append_example
from app.services.labels.difference import Changed, difference
from app.services.labels.doctor import STATES, Case, Diagnosis, cases, diagnosis
from app.services.labels.rulings import RULINGS, Decision, counted, rule, rulings_of, take_back
from app.services.labels.versions import make_version, parent, versions

__all__ = [
    "RULINGS",
    "STATES",
    "Case",
    "Changed",
    "Decision",
    "Diagnosis",
    "append_example",
    "cases",
    "counted",
    "diagnosis",
    "difference",
    "make_version",
    "parent",
    "rule",
    "rulings_of",
    "take_back",
    "versions",
]
