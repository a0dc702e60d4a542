"""The label doctor's page: doubtful examples with what speaks against them, and a ruling on each."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.datasets.doctor import MARGIN
from app.services import labels, rejudging, runs
from app.services.errors import Invalid
from app.services.runs.tables import version_numbers
from app.store.models import Dataset
from app.web import params
from app.web.context import backend, settings
from app.web.database import session
from app.web.datasets.page import get, pages
from app.web.errors import by_field

PAGE = 20
AT_ONCE = 20_000
"""Larger datasets are examined only when asked: it takes the reading of every answer of their runs."""
SIGNS = (("", "All"), ("failing", "All strong prompts fail"), ("conflict", "Conflicts"), ("flips", "Flips"))
STATES = (("open", "Open"), ("ruled", "Ruled"), ("all", "Both"))


@pages.get("/<int:dataset_id>/labels")
def doctor(dataset_id: int) -> ResponseReturnValue:
    """Examples worth a look."""
    return _page(get(dataset_id))


@pages.post("/<int:dataset_id>/labels/<int:row>")
def rule(dataset_id: int, row: int) -> ResponseReturnValue:
    """Rule about a row, or take the ruling back."""
    dataset, do = get(dataset_id), params.clean(request.form.get("do", ""))
    chosen = _chosen()
    if do == "undo":
        labels.take_back(session(), dataset, row)
        return redirect(url_for("datasets.doctor", dataset_id=dataset.id, **chosen), 303)
    reference = request.form.get("reference", "").replace("\r\n", "\n")
    decision = labels.Decision(do, reference, params.clean(request.form.get("note", "")))
    try:
        labels.rule(session(), dataset, row, decision, most_chars=settings().uploads.max_cell_chars)
    except Invalid as error:
        return _page(dataset, wrong=(row, decision, by_field(error)))
    return redirect(url_for("datasets.doctor", dataset_id=dataset.id, **chosen, last=row), 303)


@pages.post("/<int:dataset_id>/versions")
def make_version(dataset_id: int) -> ResponseReturnValue:
    """Make the corrected version."""
    made = labels.make_version(session(), get(dataset_id))
    flash(f"{made.name} is made: {made.rows} rows.", "good")
    return redirect(url_for("datasets.changes", dataset_id=made.id), 303)


@pages.get("/<int:dataset_id>/changes")
def changes(dataset_id: int) -> ResponseReturnValue:
    """What a version changed, against the one that it was made from or any other."""
    dataset, after = get(dataset_id), params.whole("after")
    others = [one for one in labels.versions(session(), dataset) if one.id != dataset.id]
    against = params.whole("against")
    other = get(against) if against else labels.parent(session(), dataset)
    found = labels.difference(session(), other, dataset) if other else []
    rows = [one for one in found if one.row > after]

    def at(**place: Any) -> str:
        chosen: dict[str, Any] = {"against": against} if against else {}
        return url_for("datasets.changes", dataset_id=dataset.id, **(chosen | place))

    return render_template(
        "datasets/changes.html",
        dataset=dataset,
        other=other,
        others=others,
        rows=rows[:PAGE],
        history=rejudging.history(session(), dataset),
        excluded=sum(one.after is None for one in found),
        corrected=sum(one.after is not None and one.before is not None for one in found),
        first=at() if after else "",
        more=at(after=rows[PAGE - 1].row) if len(rows) > PAGE else "",
    )


@pages.post("/<int:dataset_id>/rescore/<run_id>")
def rescore(dataset_id: int, run_id: str) -> ResponseReturnValue:
    """Judge one training of the version before again with the labels of this one; nothing is bought."""
    dataset, run = get(dataset_id), runs.get(session(), run_id)
    with closing(backend().open_tools()) as tools:
        asked = {"dataset": dataset.name, "missing": "leave"}
        spec = rejudging.parse(session(), run, asked, settings=settings(), gateway=backend().gateway, tools=tools)
    made = rejudging.start(session(), spec)
    backend().enqueue(made.id)
    flash("The training is queued to be judged again.", "good")
    return redirect(url_for("runs.overview", run_id=made.id), 303)


def _chosen() -> dict[str, Any]:
    """The filters in the address, the defaults left out."""
    sign = params.choice("sign", [value for value, _ in SIGNS])
    state = params.choice("state", [value for value, _ in STATES], "open")
    chosen = {"sign": sign, "state": "" if state == "open" else state, "names": params.choice("names", ("1",))}
    chosen["examine"] = params.choice("examine", ("1",))
    return {name: value for name, value in chosen.items() if value}


def _page(dataset: Dataset, wrong: tuple[int, labels.Decision, dict[str, str]] | None = None) -> ResponseReturnValue:
    chosen, after, last = _chosen(), params.text("after"), params.whole("last")
    waits = dataset.rows > AT_ONCE and "examine" not in chosen
    sign, state = chosen.get("sign", ""), chosen.get("state", "open")
    found = [] if waits else _cases(dataset, sign, "" if state == "all" else state, after)

    def at(**changed: Any) -> str:
        return url_for("datasets.doctor", dataset_id=dataset.id, **(chosen | changed))

    def rule_at(row: int) -> str:
        return url_for("datasets.rule", dataset_id=dataset.id, row=row, **chosen)

    page = render_template(
        "datasets/labels.html",
        dataset=dataset,
        waits=waits,
        diagnosis=None if waits else labels.diagnosis(session(), dataset),
        margin=MARGIN,
        cases=found[:PAGE],
        versions_of=_versions(found[:PAGE]),
        names="names" in chosen,
        chosen=chosen,
        counted=labels.counted(session(), dataset),
        last=labels.rulings_of(session(), dataset).get(last) if last else None,
        wrong=wrong,
        at=at,
        rule_at=rule_at,
        signs=[(title, at(sign=value or None), value == sign) for value, title in SIGNS],
        states=[(title, at(state=value), value == state) for value, title in STATES],
        first=at() if after else "",
        more=at(after=found[PAGE - 1].cursor) if len(found) > PAGE else "",
    )
    return page, 422 if wrong else 200


def _cases(dataset: Dataset, sign: str, state: str, after: str) -> list[labels.Case]:
    return labels.cases(session(), dataset, sign=sign, state=state, after=after, limit=PAGE + 1)


def _versions(cases: Iterable[labels.Case]) -> dict[tuple[str, str], int]:
    """By run and candidate: which of the run's versions it is."""
    named = {
        given.run for case in cases if case.finding.failing for one in case.finding.failing.answers for given in one.by
    }
    return {
        (run_id, digest): number
        for run_id in named
        for digest, number in version_numbers(session(), runs.get(session(), run_id)).items()
    }


@pages.app_template_filter("versions_against")
def versions_against(others: Iterable[Dataset], dataset: Dataset, other: Dataset | None) -> list[tuple[str, str, bool]]:
    """For a row of choices: the versions that this one can be held against."""
    return [
        (one.name, url_for("datasets.changes", dataset_id=dataset.id, against=one.id), one is other) for one in others
    ]
