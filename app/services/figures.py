"""What charts and matrices of a run look like as JSON: one shape for the API and for the pages."""

from __future__ import annotations

from app.core.stats.confusion import Confusion
from app.services.documents import Document, time
from app.services.runs.timeline import Timeline
from app.store.models import Run


def timeline(what: Timeline) -> Document:
    """What had been bought so many seconds after the start, by role; what has no known price is in no sum of money."""
    return {
        "start": time(what.start),
        "unpriced_calls": what.unpriced,
        "points": [
            {
                "seconds": point.seconds,
                "roles": {
                    role: {"calls": calls, "tokens": tokens, "known_usd": usd}
                    for role, (calls, tokens, usd) in point.roles.items()
                },
            }
            for point in what.points
        ],
    }


def confusions(run: Run, split: str, found: list[tuple[int, Confusion]]) -> Document:
    """The confusion matrices of versions: a row for each expected label, a column for each answered one and one for others."""
    return {
        "run": run.id,
        "split": split,
        "labels": list(found[0][1].labels) if found else [],
        "versions": [
            {"number": number, "n": one.n, "asked": one.asked, "agreeing": one.agreeing, "counts": one.counts}
            for number, one in found
        ],
    }
