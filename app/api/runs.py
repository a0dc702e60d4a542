"""/runs: list, show, bill, follow, pause, resume, cancel, rejudge, export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from flask import Blueprint, Response, request, stream_with_context, url_for
from sqlalchemy.orm import Session

from app import wiring
from app.api import context, shapes
from app.api.context import answer, backend, body, page_size, session, text
from app.api.openapi import Parameter, describe, paged, whole
from app.api.shapes import page
from app.core.catalog import KINDS
from app.ports.llm import Json
from app.ports.scoring import Tools
from app.services import comparison, documents, rejudging, training
from app.services import runs as service
from app.services.errors import Conflict, Invalid, Problem
from app.services.rejudging.missing import count
from app.store.models import Run


def _report(session: Session, run: Run) -> Iterator[str]:
    yield service.report_html(session, run)


def _packed(session: Session, run: Run) -> Iterator[bytes]:
    return service.export_zip(session, run, wiring.image_files(backend().settings))


EXPORTS: dict[str, tuple[str, Callable[[Session, Run], Iterator[str] | Iterator[bytes]]]] = {
    "csv": ("text/csv", service.export_csv),
    "jsonl": ("application/x-ndjson", service.export_jsonl),
    "failed": ("text/csv", service.export_failed),
    "html": ("text/html", _report),
    "zip": ("application/zip", _packed),
}
FILES = {"text/csv": "answers and scores", "application/x-ndjson": "the same as JSON lines", "text/html": "the report"}
FILES |= {"application/zip": "everything"}
SEARCH = Parameter("words that name, prompt or dataset contain")
FILTERS = {
    "kind": Parameter("such as train", choices=("", *KINDS)),
    "status": Parameter("such as done"),
    "sort": Parameter("the order", choices=("", *service.ORDERS)),
    "search": SEARCH,
}
OF_SAMPLES = {
    "candidate": Parameter("digest of a candidate"),
    "split": Parameter("train, validation or test"),
    "outcome": Parameter("such as scored"),
}
routes = Blueprint("runs", __name__, url_prefix="/runs")


@routes.get("")
@describe(page(shapes.Run), query=FILTERS | paged("a run's id"))
def list_all() -> Response:
    """The runs: kind, status, search, sort (newest, oldest or name), after, limit."""
    size, order = page_size(), request.args.get("sort") or "newest"
    if order not in service.ORDERS:
        raise Invalid([Problem("sort", f"must be one of {', '.join(service.ORDERS)}, not {order[:40]!r}")])
    found = service.list_runs(
        session(),
        status=request.args.get("status", ""),
        search=request.args.get("search", ""),
        kind=request.args.get("kind", ""),
        order=order,
        after=request.args.get("after", ""),
        limit=size,
    )
    items = [documents.run(run) for run in found]
    return answer({"items": items, "next": items[-1]["id"] if len(items) == size else None})


@routes.get("/<run_id>")
@describe(shapes.FullRun)
def show(run_id: str) -> Response:
    """One run: its spec, outcome, what it has spent and how far it is."""
    run = service.get(session(), run_id)
    progress = service.progress(session(), run)
    return answer(
        {
            **documents.run(run, full=True),
            "spent": documents.spent(service.totals(session(), run.id)),
            "progress": documents.values(progress) if progress else None,
        }
    )


@routes.get("/<run_id>/result")
@describe(shapes.Result)
def result(run_id: str) -> Response:
    """How it came out."""
    run = service.get(session(), run_id)
    return answer(documents.result(run, service.totals(session(), run.id)))


@routes.get("/<run_id>/bill")
@describe(shapes.Bill)
def bill(run_id: str) -> Response:
    """What it has cost, by role and model and by day, and how its calls kept to the rate limits."""
    return answer(documents.bill(service.bill(session(), service.get(session(), run_id))))


@routes.get("/<run_id>/form")
@describe(shapes.RunFields)
def form(run_id: str) -> Response:
    """The fields that start the same training, or comparison, again."""
    run = service.get(session(), run_id)
    if run.kind == "benchmark":
        raise Conflict(f"run {run.id} is a benchmark; its fields are at /api/v1/benchmarks/{run.id}/form")
    return answer(comparison.of_run(run.spec) if run.kind == "compare" else training.as_form(run.spec))


@routes.get("/<run_id>/events")
@describe(page(shapes.Event), query=paged(whole("an event's number")))
def events(run_id: str) -> Response:
    """What happened, in order: after (an event's id), limit."""
    run, size = service.get(session(), run_id), page_size()
    found = service.events(session(), run.id, context.whole("after", 0), size)
    items = [documents.event(event) for event in found]
    return answer({"items": items, "next": items[-1]["id"] if len(items) == size else None})


@routes.get("/<run_id>/samples")
@describe(page(shapes.Sample), query=OF_SAMPLES | paged(whole("an answer's number")))
def samples(run_id: str) -> Response:
    """Every answer with its score: candidate, split, outcome, after (a sample's id), limit."""
    run, size = service.get(session(), run_id), page_size()
    wanted = {key: request.args.get(key, "") for key in ("candidate", "split", "outcome")}
    found = service.samples(session(), run.id, **wanted, after=context.whole("after", 0), limit=size)
    items = [documents.sample(row) for row in found]
    return answer({"items": items, "next": items[-1]["id"] if len(items) == size else None})


@routes.get("/<run_id>/unprocessed")
@describe(page(shapes.Unprocessed), query=paged(whole("an answer's number")))
def unprocessed(run_id: str) -> Response:
    """Every answer without a score, with its cause and how often it was asked again: after (a sample's id), limit."""
    run, size = service.get(session(), run_id), page_size()
    found = service.unprocessed(session(), run, after=context.whole("after", 0), limit=size)
    items = [documents.sample(one.sample) | {"retries": one.retries} for one in found]
    return answer({"items": items, "next": items[-1]["id"] if len(items) == size else None})


@routes.post("/<run_id>/pause")
@describe(shapes.Run)
def pause(run_id: str) -> Response:
    """Pause it; a running one stops within five seconds."""
    return answer(documents.run(service.request_pause(session(), run_id)))


@routes.post("/<run_id>/resume")
@describe(shapes.StartedRun, body=shapes.Resumed)
def resume(run_id: str) -> Response:
    """Continue a paused run; uncertain says what becomes of calls that were cut off: repeat or skip."""
    given = body() if request.get_data() else {}
    run = service.request_resume(session(), run_id, text(given, "uncertain", ""))
    return answer({**documents.run(run), "hinted": backend().enqueue(run.id)})


@routes.post("/<run_id>/cancel")
@describe(shapes.Run)
def cancel(run_id: str) -> Response:
    """Cancel it for good."""
    return answer(documents.run(service.request_cancel(session(), run_id)))


@routes.post("/<run_id>/rejudge/estimate")
@describe(shapes.Missing, body=shapes.Rejudging)
def missing(run_id: str) -> Response:
    """What judging it again so would lack: answers and judgements that are not on record, and their price."""
    with closing(wiring.open_tools(backend().settings)) as tools:
        spec = _rejudged(run_id, body(), tools)
        return answer(documents.values(count(session(), spec, gateway=backend().gateway, tools=tools)))


@routes.post("/<run_id>/rejudge")
@describe(shapes.StartedRun, 201, body=shapes.NamedRejudging)
def rejudge(run_id: str) -> Response:
    """Judge a finished training again: the fields that are given replace the training's own."""
    given = body()
    name = text({"name": given.pop("name", "")}, "name")
    with closing(wiring.open_tools(backend().settings)) as tools:
        spec = _rejudged(run_id, given, tools)
        count(session(), spec, gateway=backend().gateway, tools=tools)  # refuses what cannot be judged
    run = rejudging.start(session(), spec, name=name)
    hinted = backend().enqueue(run.id)
    return answer({**documents.run(run), "hinted": hinted}, 201, Location=url_for("api.runs.show", run_id=run.id))


def _rejudged(run_id: str, given: dict[str, Json], tools: Tools) -> Json:
    run, settings = service.get(session(), run_id), backend().settings
    return rejudging.parse(session(), run, given, settings=settings, gateway=backend().gateway, tools=tools)


@routes.get("/<run_id>/export")
@describe(FILES, query={"format": Parameter("csv when left out", choices=tuple(EXPORTS))})
def export(run_id: str) -> Response:
    """A file: format csv or jsonl (answers and scores), failed (those without a score), html (the report) or zip (all)."""
    run, kind = service.get(session(), run_id), request.args.get("format", "csv")
    if kind not in EXPORTS:
        raise Invalid([Problem("format", f"must be one of {', '.join(EXPORTS)}, not {kind[:40]!r}")])
    mimetype, write = EXPORTS[kind]
    response = Response(stream_with_context(write(session(), run)), mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{run.id}.{kind}"'
    return response


@routes.patch("/<run_id>")
@describe(shapes.Run, body=shapes.Name)
def rename(run_id: str) -> Response:
    """Give it another name."""
    return answer(documents.run(service.rename(session(), run_id, text(body(), "name"))))


@routes.delete("/<run_id>")
@describe(None, 204)
def delete(run_id: str) -> Response:
    """Remove it with everything that it recorded."""
    service.delete(session(), run_id)
    return Response(status=204)


@routes.post("/<run_id>/folder")
@describe(shapes.Folder)
def folder(run_id: str) -> Response:
    """Write the whole run into the experiments folder of the server."""
    try:
        run, settings = service.get(session(), run_id), backend().settings
        images = wiring.image_files(settings)
        place = service.export_folder(session(), run, settings.experiments_dir, images=images)
    except OSError as error:
        raise Conflict(f"the folder could not be written: {error.strerror or error}") from error
    return answer({"folder": str(place)})
