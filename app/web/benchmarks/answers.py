"""The answers to one prompt side by side, as cards or as a table; and the marks that a person gives them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.ports.llm import Json
from app.services.benchmarks.ballots import mark
from app.services.benchmarks.calls import Figures, figures
from app.services.benchmarks.results import ACCEPTABLE, UNACCEPTABLE, Answer, Results, texts
from app.services.benchmarks.tables import explained
from app.services.errors import NotFound
from app.web import params
from app.web.benchmarks.page import get, pages, ranker
from app.web.database import session
from app.web.errors import is_fragment


@dataclass(frozen=True)
class Card:
    """One answer as a page shows it. people: mean place by people, None without rankings; rankings: how many."""

    answer: Answer
    model: str
    text: str
    figures: Figures
    people: float | None
    rankings: int

    @property
    def note(self) -> str:
        """Why it is missing, empty or short."""
        return explained(self.answer, self.figures.reasoning_tokens)


def _known_first(value: float | None, *, most: bool = False) -> tuple[bool, float]:
    return value is None, (-value if most else value) if value is not None else 0.0


def _judged(card: Card) -> tuple[bool, float]:
    given = card.answer.review
    return given is None, given.rank if given else 0.0


SORTS: dict[str, tuple[str, Callable[[Card], Any]]] = {
    "ai": ("AI", _judged),
    "people": ("People", lambda card: _known_first(card.people)),
    "time": ("Time", lambda card: (not card.answer.readable, card.answer.seconds)),
    "price": ("Price", lambda card: _known_first(card.answer.cost_usd)),
    "tokens": ("Tokens", lambda card: (not card.answer.readable, card.answer.tokens)),
    "name": ("Name", lambda card: card.answer.config.casefold()),
}
SHOWS: dict[str, tuple[str, Callable[[Answer], bool]]] = {
    "": ("All", lambda _: True),
    "missing": ("Missing", lambda answer: not answer.readable),
    "unmarked": ("Not marked", lambda answer: not answer.mark),
    ACCEPTABLE: ("Acceptable", lambda answer: answer.mark == ACCEPTABLE),
    UNACCEPTABLE: ("Unacceptable", lambda answer: answer.mark == UNACCEPTABLE),
}
VIEWS = {"cards": "Cards", "table": "Table"}


@pages.get("/<run_id>/prompts/<case>")
def answers(run_id: str, case: str) -> ResponseReturnValue:
    """All answers to a prompt. Sort, filter, run and view stand in the address."""
    found = get(run_id)
    prompt = found.case(case)
    sort, show = params.choice("sort", list(SORTS), "ai"), params.choice("show", list(SHOWS))
    view, repeats = params.choice("view", list(VIEWS), "cards"), found.run.spec["runs"] * found.run.spec["repeats"]
    repeat = params.whole("repeat", default=0, high=repeats)
    mine = [a for a in found.answers if a.place.case == case and (not repeat or a.place.repeat == repeat - 1)]
    cards = _cards(found, [answer for answer in mine if SHOWS[show][1](answer)])
    cards.sort(key=lambda card: (SORTS[sort][1](card), card.answer.place.repeat, card.answer.config))
    chosen = {"sort": sort, "show": show, "view": view, "repeat": repeat}

    def here(**changed: Json) -> str:
        values = {k: v for k, v in {**chosen, **changed}.items() if v and v != {"sort": "ai", "view": "cards"}.get(k)}
        return url_for("benchmarks.answers", run_id=run_id, case=case, **values)

    return render_template(
        "benchmarks/answers.html",
        found=found,
        run=found.run,
        prompt=prompt,
        cards=cards,
        count=len(mine),
        repeat=repeat,
        view=view,
        sorts=[(title, here(sort=key), key == sort) for key, (title, _) in SORTS.items()],
        shows=[(title, here(show=key), key == show) for key, (title, _) in SHOWS.items()],
        views=[(title, here(view=key), key == view) for key, title in VIEWS.items()],
        repeats=[(f"Run {n}" if n else "All runs", here(repeat=n), n == repeat) for n in range(repeats + 1)],
        neighbours=_neighbours(found, case),
    )


def _cards(found: Results, shown: Sequence[Answer]) -> list[Card]:
    models = {one["label"]: one["name"] for one in found.run.spec["configs"]}
    words, taken = texts(session(), shown), figures(session(), found.run.id, [answer.key for answer in shown])
    cards = []
    for answer in shown:
        places = [r.places[answer.config] for r in found.ranked.get(answer.place, []) if answer.config in r.places]
        people = math.fsum(places) / len(places) if places else None
        own = taken.get(answer.key, Figures())
        cards.append(Card(answer, models[answer.config], words.get(answer.id, ""), own, people, len(places)))
    return cards


def _neighbours(found: Results, case: str) -> tuple[Json, Json]:
    """The prompts before and after, None at the ends."""
    cases = found.cases
    at = next(index for index, one in enumerate(cases) if one["id"] == case)
    return (cases[at - 1] if at else None), (cases[at + 1] if at + 1 < len(cases) else None)


@pages.post("/<run_id>/marks/<key>")
def set_mark(run_id: str, key: str) -> ResponseReturnValue:
    """Mark an answer, or take the mark back."""
    found = get(run_id)
    answer = next((one for one in found.answers if one.key == key), None)
    if answer is None:
        raise NotFound("There is no such answer any more.")
    mark(session(), found.run, key, params.clean(request.form.get("verdict", "")), by=ranker())
    if is_fragment():
        fresh = next(one for one in get(run_id).answers if one.key == key)
        return render_template("benchmarks/parts/mark.html", run=found.run, answer=fresh)
    back = url_for("benchmarks.answers", run_id=run_id, case=answer.place.case, _anchor=f"answer-{key}")
    return redirect(back, 303)
