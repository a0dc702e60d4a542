"""What can be done to a run: pause, resume, stop, rename, delete, take away."""

from __future__ import annotations

from flask import Response, flash, redirect, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.services import runs
from app.services.errors import Conflict, Invalid, NotFound
from app.web import params
from app.web.context import backend, settings
from app.web.database import session
from app.web.errors import by_field, is_fragment
from app.web.runs.page import get, pages, render
from app.web.runs.records import facts
from app.web.works import Work, begin


@pages.post("/<run_id>/pause")
def pause(run_id: str) -> ResponseReturnValue:
    """Ask the worker to pause after the calls under way; one that is paused already then waits for a person."""
    paused = runs.request_pause(session(), run_id).status == "paused"
    return _answer(run_id, "The run waits for you." if paused else "The run pauses after the calls under way.")


@pages.post("/<run_id>/resume")
def resume(run_id: str) -> ResponseReturnValue:
    """Queue a paused or failed run again, or take back the wish that it pauses; uncertain: what of calls that were cut off."""
    runs.request_resume(session(), run_id, params.clean(request.form.get("uncertain", "")))
    told = backend().enqueue(run_id)
    return _answer(
        run_id, "The run goes on." if told else "The run goes on as soon as a worker looks; Redis does not answer."
    )


@pages.post("/<run_id>/stop")
def cancel(run_id: str) -> ResponseReturnValue:
    """End a run for good."""
    runs.request_cancel(session(), run_id)
    return _answer(run_id, "The run stops after the calls under way.")


@pages.post("/<run_id>/delete")
def delete(run_id: str) -> ResponseReturnValue:
    """Remove a run with everything it recorded."""
    runs.delete(session(), run_id)
    flash("The run is deleted.", "good")
    return redirect(url_for("runs.index"), 303)


@pages.post("/<run_id>/rename")
def rename(run_id: str) -> ResponseReturnValue:
    """Give a run another name."""
    name = params.clean(request.form.get("name", ""))
    try:
        runs.rename(session(), run_id, name)
    except Invalid as error:
        run = get(run_id)
        return render("runs/settings.html", run, facts=facts(run.spec), errors=by_field(error), typed=name), 422
    return redirect(url_for("runs.told", run_id=run_id), 303)


def _answer(run_id: str, words: str) -> ResponseReturnValue:
    """The head of the run as it is now, or the whole page for a browser without scripts."""
    if is_fragment():
        return render("runs/parts/head.html", get(run_id), told=words)
    flash(words, "good")
    return redirect(url_for("runs.overview", run_id=run_id), 303)


@pages.get("/<run_id>/samples.<format>")
def export(run_id: str, format: str) -> ResponseReturnValue:
    """All samples, streamed."""
    run = get(run_id)
    makers = {
        "csv": (runs.export_csv, "text/csv"),
        "jsonl": (runs.export_jsonl, "application/jsonl"),
        "failed": (runs.export_failed, "text/csv"),
    }
    if format not in makers:
        raise NotFound(f"Samples come as csv, jsonl or failed, not as {format[:20]}.")
    maker, kind = makers[format]
    name = f"{run.id}-failed.csv" if format == "failed" else f"{run.id}-samples.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(maker(session(), run)), mimetype=kind, headers=headers)


@pages.post("/<run_id>/folder")
def folder(run_id: str) -> ResponseReturnValue:
    """Write the whole run into the experiments folder of the server."""
    engine, target, images = backend().engine, settings().experiments_dir, backend().image_loader().files
    name = get(run_id).name

    def job(work: Work) -> str:
        with Session(engine) as own:
            return str(runs.export_folder(own, runs.get(own, run_id), target, tell=work.tell, images=images))

    return begin(Work(f"Writing {name or run_id}", lambda work: _written(work, run_id)), job)


def _written(work: Work, run_id: str) -> ResponseReturnValue:
    if isinstance(work.error, OSError):
        raise Conflict(f"The folder could not be written: {work.error.strerror or work.error}.") from work.error
    if work.error is not None:
        raise work.error
    flash(f"The run is written to {work.result}.", "good")
    return redirect(url_for("runs.overview", run_id=run_id), 303)


@pages.get("/<run_id>/report.html")
def report(run_id: str) -> ResponseReturnValue:
    """The self-contained report; it may style itself, and nothing else."""
    text = runs.report_html(session(), get(run_id))
    return Response(
        text, mimetype="text/html", headers={"Content-Security-Policy": f"{runs.REPORT_POLICY}; frame-ancestors 'none'"}
    )
