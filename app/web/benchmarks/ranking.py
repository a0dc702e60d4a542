"""Ranking by a person: by mouse, keys or typed places, blind until it is saved, with ties, notes and the time that it took."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.review import LETTERS
from app.services.benchmarks import ballots, judgement
from app.services.benchmarks.ballots import Ballot
from app.services.benchmarks.results import Place, Results, texts
from app.services.errors import Conflict, Invalid, Problem
from app.store.judged import RankingRow
from app.web import params
from app.web.arranged import groups
from app.web.benchmarks.page import get, pages, ranker, remember
from app.web.database import session
from app.web.errors import by_field

ORDER = "order"
"""Field of the list."""


@dataclass(frozen=True)
class Typed:
    """What stands in the form. order: answers' keys in groups of equal place. revision: of what it would replace."""

    ranker: str
    order: Sequence[Sequence[str]]
    notes: str = ""
    seconds: float = 0.0
    revision: int = 0


@pages.get("/<run_id>/rank/<case>")
def rank(run_id: str, case: str) -> ResponseReturnValue:
    """The answers to put in order; blind unless the address says open=1, and with names once this person has ranked them."""
    found = get(run_id)
    place = Place(case, params.whole("repeat", high=100_000))
    found.case(case)
    mine = ballots.find(session(), found.run.id, place, ranker()) if ranker() else None
    return _page(found, place, _typed(found, place, mine), mine)


@pages.post("/<run_id>/rank/<case>")
def save_ranking(run_id: str, case: str) -> ResponseReturnValue:
    """Keep it. What cannot be kept is shown again as it was put, beside what stands against it."""
    found = get(run_id)
    place = Place(case, _whole("repeat"))
    rivals = found.rivals(place)
    by_key = {answer.key: config for config, answer in rivals.items()}
    name, notes = params.clean(request.form.get("ranker", "")), params.clean(request.form.get("notes", ""))
    typed = Typed(name, [], notes, _seconds(), _whole("revision"))
    try:
        order = groups(ORDER, list(by_key))
        typed = Typed(name, order, notes, typed.seconds, typed.revision)
        places = {by_key[key]: number for number, tied in enumerate(order, start=1) for key in tied}
        blind = request.form.get("blind") == "1"
        ballots.save(session(), found, Ballot(place, name, places, notes, typed.seconds, blind, typed.revision))
    except Invalid as error:
        return _page(found, place, typed if typed.order else _reordered(found, place, typed), None, error.problems)
    except Conflict as met:
        return _met(found, place, typed, met)
    remember(name)
    flash("Your ranking is saved.", "good")
    return redirect(url_for("benchmarks.rank", run_id=run_id, case=case, repeat=place.repeat), 303)


def _met(found: Results, place: Place, typed: Typed, met: Conflict) -> ResponseReturnValue:
    """Somebody saved under that name meanwhile: both rankings are shown, and saving again replaces the other one."""
    there = ballots.find(session(), found.run.id, place, typed.ranker)
    again = Typed(typed.ranker, typed.order, typed.notes, typed.seconds, there.revision if there else 0)
    page, _ = _page(found, place, again, None, [Problem(ORDER, str(met))], there)
    return page, 409


@pages.post("/<run_id>/rank/<case>/withdraw")
def withdraw(run_id: str, case: str) -> ResponseReturnValue:
    """Take one's own ranking back."""
    found, place = get(run_id), Place(case, _whole("repeat"))
    ballots.withdraw(session(), found.run, place, ranker())
    flash("Your ranking is taken back.", "good")
    return redirect(url_for("benchmarks.rank", run_id=run_id, case=case, repeat=place.repeat), 303)


def _whole(name: str) -> int:
    given = params.clean(request.form.get(name, ""))
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


def _seconds() -> float:
    """While the page was visible, as its script counted; what is no number is none."""
    given = params.clean(request.form.get("seconds", ""))
    return min(float(given), ballots.LONGEST_S) if given.replace(".", "", 1).isdigit() and len(given) < 12 else 0.0


def _typed(found: Results, place: Place, mine: RankingRow | None) -> Typed:
    if mine is None:
        return _reordered(found, place, Typed(ranker(), []))
    rivals = found.rivals(place)
    known = {config: at for config, at in mine.places.items() if config in rivals}
    numbers = sorted(set(known.values()))
    order = [[rivals[config].key for config in known if known[config] == number] for number in numbers]
    new = [[answer.key] for config, answer in rivals.items() if config not in known]
    return Typed(mine.ranker, [*order, *new], mine.notes, 0.0, mine.revision)


def _reordered(found: Results, place: Place, typed: Typed) -> Typed:
    """With the answers in a random order that stays the same for this person."""
    return Typed(typed.ranker, [[key] for key in _shuffled(found, place)], typed.notes, typed.seconds, typed.revision)


def _shuffled(found: Results, place: Place) -> list[str]:
    keys = sorted(answer.key for answer in found.rivals(place).values())
    random.Random(f"{found.run.id}/{place.case}/{place.repeat}").shuffle(keys)  # noqa: S311 - no secret
    return keys


def _items(found: Results, place: Place, typed: Typed, named: bool) -> list[dict[str, Any]]:
    """For the list: value, label, tied, and the text. Letters follow the shuffled order, so that they tell nothing."""
    rivals = found.rivals(place)
    by_key = {answer.key: answer for answer in rivals.values()}
    letters = {key: LETTERS[at] for at, key in enumerate(_shuffled(found, place))}
    words = texts(session(), list(rivals.values()))
    return [
        {
            "value": key,
            "label": by_key[key].config if named else f"Answer {letters[key]}",
            "tied": at > 0,
            "text": words.get(by_key[key].id, ""),
            "answer": by_key[key],
        }
        for tied in typed.order
        for at, key in enumerate(one for one in tied if one in by_key)
    ]  # fmt: skip


def _page(
    found: Results,
    place: Place,
    typed: Typed,
    mine: RankingRow | None,
    problems: Sequence[Problem] = (),
    other: RankingRow | None = None,
) -> tuple[str, int]:
    blind = params.choice("open", ("1",)) != "1" and request.form.get("blind", "1") == "1"
    others = [row for row in found.ranked.get(place, []) if row.ranker != typed.ranker]
    page = render_template(
        "benchmarks/rank.html",
        found=found,
        run=found.run,
        prompt=found.case(place.case),
        place=place,
        typed=typed,
        items=_items(found, place, typed, named=bool(mine) or not blind),
        blind=blind,
        mine=mine,
        other=other,
        agreement=judgement.agreement_with(found, mine) if mine else None,
        review=found.reviews.get(place, {}),
        others=others if mine else [],
        count=len(others),
        problems=problems,
        errors=by_field(Invalid(problems)),
        following=_following(found, place, typed.ranker) if mine else None,
    )
    return page, 422 if problems else 200


def _following(found: Results, place: Place, name: str) -> Place | None:
    """The next prompt of the list that this person has not ranked, from here on and round again."""
    done = {Place(row.case, row.repeat) for row in found.rankings if row.ranker == name}
    order = [Place(case["id"], place.repeat) for case in found.cases]
    at = order.index(Place(place.case, place.repeat))
    return next((one for one in order[at + 1 :] + order[:at] if one not in done and len(found.rivals(one)) > 1), None)
