"""The bill of a run: what it cost and how its calls kept to the rate limits."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from app.services import feed, runs
from app.web.database import session
from app.web.runs.page import get, pages, render


@pages.get("/<run_id>/bill")
def bill(run_id: str) -> ResponseReturnValue:
    """The bill as it is now; while the run goes on, it is fetched again."""
    run = get(run_id)
    cursor = feed.newest(session(), run_id)
    found = runs.bill(session(), run)
    return render(
        "runs/bill.html",
        run,
        cursor=cursor,
        bill=found,
        cost=runs.cost_in_words(found.totals),
        speed_titles=runs.SPEED_TITLES,
    )
