"""The results of a benchmark: whom to take, how every config stands, how people and the reviewer agree, and every prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from app.core.stats.recommendation import Weights
from app.services import benchmarks, reviews
from app.services.benchmarks import judgement
from app.services.benchmarks.judgement import Row
from app.services.benchmarks.results import Place, Results
from app.services.benchmarks.tables import results_csv
from app.services.errors import Invalid, Problem
from app.web import params
from app.web.benchmarks.new import queued
from app.web.benchmarks.page import get, pages
from app.web.context import backend, settings
from app.web.database import session

WEIGHTS = {"quality": 60, "speed": 30, "cost": 10}
PROMPTS = 50


def _known_first(value: float | None, *, most: bool = False) -> tuple[bool, float]:
    return value is None, (-value if most else value) if value is not None else 0.0


SORTS: dict[str, tuple[str, Callable[[Row], Any]]] = {
    "ai": ("AI score", lambda row: _known_first(row.score, most=True)),
    "people": ("People", lambda row: _known_first(row.share, most=True)),
    "time": ("Time", lambda row: _known_first(row.seconds)),
    "price": ("Price", lambda row: _known_first(row.cost_usd)),
    "tokens": ("Tokens", lambda row: _known_first(row.tokens)),
    "name": ("Name", lambda row: row.config.casefold()),
}


@pages.get("/<run_id>")
def show(run_id: str) -> ResponseReturnValue:
    """Everything about one benchmark on one page."""
    found = get(run_id)
    sort = params.choice("sort", list(SORTS), "ai")
    weights = {name: params.whole(name, default=value, high=100) for name, value in WEIGHTS.items()}
    recommended = judgement.recommended(found, _weights(weights))
    first = params.whole("from", default=0, high=100_000)
    here: dict[str, Any] = {"run_id": run_id, **{k: v for k, v in weights.items() if v != WEIGHTS[k]}}
    cases = found.cases[first : first + PROMPTS]
    return render_template(
        "benchmarks/show.html",
        found=found,
        run=found.run,
        rows=sorted(judgement.table(found), key=SORTS[sort][1]),
        sorts=[(title, url_for("benchmarks.show", **here, sort=key), key == sort) for key, (title, _) in SORTS.items()],
        weights=weights,
        rec=recommended,
        standing=judgement.standing(found),
        worth=judgement.worth_a_minute(found, recommended),
        prompts=[(case, _of_prompt(found, case["id"])) for case in cases],
        before=url_for("benchmarks.show", **{**here, "from": max(0, first - PROMPTS)}) if first else "",
        after=url_for("benchmarks.show", **{**here, "from": first + PROMPTS})
        if first + PROMPTS < len(found.cases)
        else "",
        review_prompts=[(one.name, one.name) for one in reviews.list_all(session())],
    )


def _weights(given: dict[str, int]) -> Weights:
    try:
        return Weights.of(**given)
    except ValueError as error:
        raise Invalid([Problem("quality", str(error))]) from None


def _of_prompt(found: Results, case: str) -> dict[str, Any]:
    """What the list says of a prompt: whom reviewer and people put first, and how many rankings there are."""
    places = [place for place in found.by_place if place.case == case]
    firsts = [config for place in places for config, one in found.reviews.get(place, {}).items() if one.rank == 1]
    rows = [row for place in places for row in found.ranked.get(place, [])]
    liked = [config for row in rows for config, at in row.places.items() if at == 1]
    answers = [answer for place in places for answer in found.by_place[place]]
    return {
        "reviewer": _most(firsts),
        "people": _most(liked),
        "rankings": len(rows),
        "missing": sum(not answer.readable for answer in answers),
        "unread": [place for place in places if place in found.failed],
    }


def _most(names: list[str]) -> str:
    """The name that occurs most, and how often, "" for none."""
    if not names:
        return ""
    best = max(sorted(set(names)), key=names.count)
    return f"{best}, {names.count(best)} of {len(names)}" if len(names) > 1 else best


@pages.get("/<run_id>/results.csv")
def results_file(run_id: str) -> ResponseReturnValue:
    """Every answer with what was said of it, as CSV."""
    found = get(run_id)
    headers = {"Content-Disposition": f'attachment; filename="{found.run.id}-results.csv"'}
    return Response(stream_with_context(results_csv(session(), found)), mimetype="text/csv", headers=headers)


@pages.post("/<run_id>/review")
def review_again(run_id: str) -> ResponseReturnValue:
    """The same answers under another review: a new run, in which answers that are in the cache cost nothing."""
    found, gateway = get(run_id), backend().gateway
    wanted = {name: params.clean(request.form.get(name, "")) for name in ("review_prompt", "reviewer_model")}
    raw = benchmarks.review_again(found.run, **wanted)
    try:
        spec = benchmarks.parse(session(), raw, settings=settings(), gateway=gateway)
    except Invalid as error:
        for problem in error.problems:
            flash(f"{problem.field.replace('_', ' ')}: {problem.message}", "bad")
        return redirect(url_for("benchmarks.show", run_id=run_id), 303)
    name = f"{found.run.name}, reviewed by {spec['review']['prompt']}" if spec["review"] else found.run.name
    return queued(benchmarks.start(session(), spec, name=name, cloned_from=found.run.id))


@pages.app_template_filter("place_of")
def place_of(place: Place) -> dict[str, Any]:
    """A place as the values of an address."""
    return {"case": place.case, "repeat": place.repeat}
