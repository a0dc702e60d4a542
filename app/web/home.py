"""Home: what to do next, and what is going on."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app.services import runs
from app.services.local_model import offer as local_offer
from app.services.standing import Standing, standing
from app.web.context import backend, settings
from app.web.database import session
from app.web.unattended import why_unattended

pages = Blueprint("home", __name__)

RECENT = 8


@dataclass(frozen=True)
class Step:
    """One of the three things that lead to a trained prompt."""

    title: str
    text: str
    action: str
    href: str
    done: bool
    next: bool = False


@pages.get("/")
def index() -> ResponseReturnValue:
    """The first page."""
    now = standing(session())
    recent = runs.list_runs(session(), limit=RECENT)
    return render_template(
        "home.html",
        steps=_steps(now),
        recent=recent,
        totals={run.id: runs.totals(session(), run.id) for run in recent},
        warning=why_unattended() if now.waiting else "",
        offer=local_offer(settings(), backend().environ) if not now.has_real_run else None,
    )


def _steps(now: Standing) -> list[Step]:
    following = 1 if not now.has_data else 2 if not now.has_prompt and not now.has_run else 3
    return [
        Step(
            "Bring examples",
            "A CSV or JSONL file of inputs with the answers that you want; 60 rows are a start. There are samples to try.",
            "Datasets" if now.has_data else "Add a dataset",
            url_for("datasets.index" if now.has_data else "datasets.new"),
            now.has_data,
            following == 1,
        ),
        Step(
            "Write a first prompt",
            "A system prompt, and the text that follows each input. A plain one will do; it is the baseline to beat.",
            "Prompts" if now.has_prompt else "Write a prompt",
            url_for("prompts.index" if now.has_prompt else "prompts.new"),
            now.has_prompt,
            following == 2,
        ),
        Step(
            "Train it",
            "Changes are proposed, tried on your examples and kept when they help. A sealed test says whether to ship.",
            "New training",
            url_for("trainings.new"),
            now.has_run,
            following == 3,
        ),
    ]
