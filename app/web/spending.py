"""What all runs have cost lately: a column for each day, and tables by role, model and run."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app.ports.journal import Totals
from app.services import runs
from app.services.spending import MOST_DAYS, Ledger, spending
from app.web import params
from app.web.database import session

pages = Blueprint("spending", __name__, url_prefix="/spending")

SPANS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "A year"))


@pages.get("")
def index() -> ResponseReturnValue:
    """The spending of the last days, real and simulated money apart."""
    days = params.whole("days", default=30, low=1, high=MOST_DAYS)
    found = spending(session(), days)
    ledgers = [(False, found.real), (True, found.simulated)]
    return render_template(
        "spending/index.html",
        spending=found,
        days=days,
        spans=[(title, url_for("spending.index", days=span), span == days) for span, title in SPANS],
        ledgers=[
            (simulated, ledger, runs.cost_in_words(ledger.totals), _highest(ledger)) for simulated, ledger in ledgers
        ],
        nothing=Totals(),
    )


def _highest(ledger: Ledger) -> float:
    """The most that one day may have cost, for the height of the columns."""
    return max(totals.cost_usd + totals.uncertain_usd for _, totals in ledger.days)
