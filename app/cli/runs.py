"""``whetstone runs``: what was trained and how it came out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import click
from sqlalchemy.orm import Session

from app import wiring
from app.cli import foreground
from app.cli.console import Exit, Refused, bar, emit, json_option, table
from app.cli.rejudge import rejudge
from app.cli.train import report as report_result
from app.services import documents, transfer
from app.services import runs as service
from app.services.errors import Problem
from app.services.transfer import FolderSource, Limits, ZipSource
from app.store.models import Run

FORMATS: dict[str, Callable[[Session, Run], Iterable[str]]] = {
    "csv": service.export_csv,
    "jsonl": service.export_jsonl,
    "failed": service.export_failed,
}


@click.group()
def runs() -> None:
    """Runs: list, show, bill, watch, pause, resume, cancel, rejudge, export, import, report."""


runs.add_command(rejudge)


@runs.command("list")
@click.option("--kind", default="", help="Only runs of this kind: train, plan, rejudge or compare.")
@click.option("--status", default="", help="Only runs with this status.")
@click.option("--search", default="", help="Only runs whose name contains this.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@json_option
def list_(kind: str, status: str, search: str, limit: int, as_json: bool) -> None:
    """List the runs, the newest first."""
    with wiring.database().session() as session:
        found = [
            documents.run(run)
            for run in service.list_runs(session, kind=kind, status=status, search=search, limit=limit)
        ]
    rows = [
        (
            r["id"],
            r["kind"],
            r["name"],
            r["status"],
            (r["outcome"] or {}).get("verdict"),
            "simulated" if r["simulated"] else "",
            r["created_at"],
        )
        for r in found
    ]
    headings = ("id", "kind", "name", "status", "verdict", "models", "created")
    emit(found, as_json, lambda: table(headings, rows, "No runs yet: whetstone train, or whetstone demo"))


@runs.command()
@click.argument("run_id", metavar="RUN")
@json_option
def show(run_id: str, as_json: bool) -> None:
    """Show one run."""
    with wiring.database().session() as session:
        run = service.get(session, run_id)
        about = documents.run(run, full=True)
        totals = service.totals(session, run.id)
        about["spent"] = documents.spent(totals)
        undecided = service.undecided(session, run)

    def display() -> None:
        lines = ("id", "name", "kind", "status", "reason", "dataset", "prompt", "created_at", "ended_at")
        for key in lines:
            click.echo(f"{key:<11} {about[key] or ''}")
        if about["simulated"]:
            click.echo("models      simulated")
        if outcome := about["outcome"]:
            click.echo(f"verdict     {outcome['verdict']}. {outcome['sentence']}")
        if about["calls_pruned_at"]:
            click.echo(f"calls       removed on {about['calls_pruned_at']} to save room; scores and totals stay")
        if about["resume_at"]:
            click.echo(f"resumes     by itself at {about['resume_at']}")
        if undecided:
            click.echo(
                f"asks        {service.numbered(undecided, 'call')} cut off after sending; resume with --uncertain"
            )
        click.echo(f"spent       {service.spent_in_words(totals)}")

    emit(about, as_json, display)


@runs.command()
@click.argument("run_id", metavar="RUN")
@json_option
def watch(run_id: str, as_json: bool) -> int:
    """Show how a run goes, until it is over or paused. Exit code as for train."""
    return report_result(foreground.watch(run_id), None, as_json)


@runs.command()
@click.argument("run_id", metavar="RUN")
@json_option
def pause(run_id: str, as_json: bool) -> None:
    """Pause a run: calls under way are kept, then it stops."""
    _wish("pause", run_id, as_json)


@runs.command()
@click.argument("run_id", metavar="RUN")
@json_option
def cancel(run_id: str, as_json: bool) -> None:
    """Cancel a run for good."""
    _wish("cancel", run_id, as_json)


@runs.command()
@click.argument("run_id", metavar="RUN")
@click.option("--here", is_flag=True, help="Work on it in this process instead of a worker.")
@click.option(
    "--uncertain",
    type=click.Choice(["repeat", "skip"]),
    help="Calls that were cut off after sending: send them again, or leave them out.",
)
@json_option
def resume(run_id: str, here: bool, uncertain: str | None, as_json: bool) -> int:
    """Continue a paused run where it stopped; nothing is paid for twice."""
    with wiring.database().session() as session:
        run = service.request_resume(session, run_id, uncertain or "")
    if here:
        return report_result(foreground.here(run_id), None, as_json)
    wiring.enqueue(run_id)
    emit(documents.run(run), as_json, lambda: click.echo(f"{run_id}: {run.status}"))
    return Exit.DONE


def _wish(what: str, run_id: str, as_json: bool) -> None:
    with wiring.database().session() as session:
        run = (service.request_pause if what == "pause" else service.request_cancel)(session, run_id)
        about = documents.run(run)
    words = f"{run_id}: {about['status']}" + (f", will {about['wish']}" if about["wish"] else "")
    emit(about, as_json, lambda: click.echo(words))


@runs.command()
@click.argument("run_id", metavar="RUN")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["folder", "zip", *FORMATS]),
    default="folder",
    show_default=True,
    help="Format.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder (folder) or file (zip, csv, jsonl, failed); else the usual place.",
)
@json_option
def export(run_id: str, kind: str, output: Path | None, as_json: bool) -> None:
    """Export a run: all of it as a folder or ZIP file, or its answers and scores (failed: those that have no score)."""
    settings = wiring.settings()
    images = wiring.image_files(settings)
    with wiring.database().session() as session, writing():
        run = service.get(session, run_id)
        if kind == "folder":
            with bar(f"exporting {run_id}") as tell:
                target = output or settings.experiments_dir
                where = service.export_folder(session, run, target, tell=tell, images=images)
        elif kind == "zip":
            where = output or Path(f"{run.id}.zip")
            with where.open("wb") as packed:
                packed.writelines(service.export_zip(session, run, images))
        else:
            where = output or Path(f"{run.id}.failed.csv" if kind == "failed" else f"{run.id}.{kind}")
            with where.open("w", encoding="utf-8", newline="") as file:
                file.writelines(FORMATS[kind](session, run))
    emit({"run": run_id, "format": kind, "path": str(where)}, as_json, lambda: click.echo(where))


@runs.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--again", is_flag=True, help="Import it also when it is here already.")
@json_option
def import_(path: Path, again: bool, as_json: bool) -> None:
    """Import a run that another installation has exported: its folder, or its ZIP file. Nothing of it is executed."""
    with ExitStack() as open_, wiring.database().session() as session:
        source = FolderSource(path) if path.is_dir() else ZipSource(open_.enter_context(_opened(path)))
        tell = open_.enter_context(bar(f"importing {path.name}"))
        limits, images = Limits.of(wiring.settings()), wiring.image_loader(wiring.settings())
        made = transfer.import_run(session, source, limits, again=again, tell=tell, images=images)
        about = documents.run(made.run) | {"already": made.already}
    words = "is here already; --again imports it again" if made.already else "is imported"
    emit(about, as_json, lambda: click.echo(f"{about['id']} {words}"))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Refused([Problem("path", f"{path} cannot be read: {error.strerror}")]) from None


@runs.command()
@click.argument("run_id", metavar="RUN")
@click.option("--output", type=click.Path(path_type=Path), help="File; else RUN.html here.")
@json_option
def report(run_id: str, output: Path | None, as_json: bool) -> None:
    """Write a run's report: one HTML file that needs nothing else."""
    where = output or Path(f"{run_id}.html")
    with wiring.database().session() as session, writing():
        where.write_text(service.report_html(session, service.get(session, run_id)), "utf-8")
    emit({"run": run_id, "path": str(where)}, as_json, lambda: click.echo(where))


@contextmanager
def writing() -> Iterator[None]:
    """Raises: Refused for a place that cannot be written."""
    try:
        yield
    except OSError as error:
        raise Refused([Problem("output", f"{error.filename} cannot be written: {error.strerror}")]) from None
