"""``whetstone datasets``: examples in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from app import wiring
from app.cli import labels
from app.cli.console import Refused, bar, emit, json_option, plain, table
from app.services import datasets as service
from app.services import documents
from app.services.errors import Problem
from app.services.pictures import Folder, Place, open_archive

SHOWN_DROPPED = 20


@click.group()
def datasets() -> None:
    """Datasets: import, list, show, doctor, rule, version, changes."""


for command in labels.COMMANDS:
    datasets.add_command(command)


@datasets.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--input-column", default=None, help="Column with the inputs; else found by its name.")
@click.option("--answer-column", default=None, help="Column with the expected answers; else found by its name.")
@click.option("--image-column", default=None, help="Column with the images; else found by its name; - for none.")
@click.option(
    "--images", type=click.Path(path_type=Path), default=None, help="ZIP or folder of the images; else FILE's folder."
)
@click.option("--name", default="", help="Name of the dataset; else the file's name.")
@json_option
def import_(
    file: Path,
    input_column: str | None,
    answer_column: str | None,
    image_column: str | None,
    images: Path | None,
    name: str,
    as_json: bool,
) -> None:
    """Import FILE (CSV or JSONL) as a new dataset, and say what was dropped and why."""
    columns = service.Columns(input_column, answer_column, image_column)
    with (
        open_file(file) as stream,
        opened_images(images or file.resolve().parent) as place,
        wiring.database().session() as session,
        bar(f"importing {file.name}") as progress,
    ):
        row = service.import_file(
            session,
            stream,
            file.name,
            columns,
            name=name,
            limits=service.limits_of(wiring.settings()),
            progress=progress,
            images=wiring.image_loader(wiring.settings(), place),
        )
        result = documents.dataset(row, full=True)
    result["dropped"] = result["report"]["dropped_total"]
    emit(result, as_json, lambda: _show_import(result))


@contextmanager
def opened_images(place: Path) -> Iterator[Place]:
    """Where the file names of a table lead: a folder, or a ZIP. Raises: Refused, Invalid."""
    if place.is_dir():
        yield Folder(place)
        return
    with open_file(place, "images") as stream:
        yield open_archive(stream)


def open_file(file: Path, field: str = "file") -> BinaryIO:
    """The file, for reading bytes from any place. Raises: Refused, naming the field, when it cannot be read."""
    try:
        return file.open("rb")
    except OSError as error:
        raise Refused([Problem(field, f"{file} cannot be read: {error.strerror}")]) from None


def _show_import(result: dict[str, Any]) -> None:
    click.echo(f"{result['name']}: {result['rows']:,} rows imported, {result['dropped']:,} dropped")
    for note in result["report"]["notes"]:
        click.echo(f"note: {plain(note)}")
    for line in image_lines(result["report"].get("images")):
        click.echo(line)
    for entry in result["report"]["dropped"][:SHOWN_DROPPED]:
        click.echo(f"dropped row {entry['row']} (line {entry['line']}): {plain(entry['reason'])}")
    if (more := result["dropped"] - SHOWN_DROPPED) > 0:
        click.echo(f"... and {more:,} more; --json lists them")


def image_lines(images: dict[str, Any] | None) -> list[str]:
    """What became of a dataset's images, a line for each."""
    if not images:
        return []
    lines = [f"images: {images['loaded']:,} of {images['rows']:,} loaded"]
    lines += [f"row {one['row']}: {plain(one['reason'])}" for one in images["problems"][:SHOWN_DROPPED]]
    if (more := images["problems_total"] - SHOWN_DROPPED) > 0:
        lines.append(f"... and {more:,} more; --json lists them")
    return lines


@datasets.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the datasets."""
    with wiring.database().session() as session:
        found = [documents.dataset(row) for row in service.list_datasets(session)]
    rows = [(d["name"], d["rows"], d["source"], d["created_at"]) for d in found]
    emit(
        found,
        as_json,
        lambda: table(("name", "rows", "file", "imported"), rows, "No datasets yet: whetstone datasets import FILE"),
    )


@datasets.command()
@click.argument("name")
@click.option("--limit", type=click.IntRange(0, 1000), default=5, show_default=True, help="Examples to show.")
@json_option
def show(name: str, limit: int, as_json: bool) -> None:
    """Show a dataset (by name or number): its statistics and first examples."""
    with wiring.database().session() as session:
        row = service.get(session, name)
        about = documents.dataset(row, full=True)
        found = service.examples(session, row, limit=limit) if limit else []
    examples: list[dict[str, Any]] = [{"row": one.row, "input": one.input, "answer": one.reference} for one in found]

    def display() -> None:
        click.echo(f"{about['name']}: {about['rows']:,} rows from {about['source']}")
        for line in [*statistics_lines(about["statistics"]), *image_lines(about["report"].get("images"))]:
            click.echo(line)
        click.echo()
        table(("row", "input", "answer"), [(e["row"], e["input"][:100], e["answer"][:60]) for e in examples], "")

    emit({**about, "examples": examples}, as_json, display)


def statistics_lines(facts: dict[str, Any]) -> list[str]:
    """A dataset's statistics, a line for each."""
    inputs, answers = facts["input_chars"], facts["answer_chars"]
    lines = [
        f"inputs: {inputs['min']} to {inputs['max']} characters, half of them up to {inputs['median']}",
        f"answers: {facts['labels_distinct']:,} different, {answers['min']} to {answers['max']} characters",
        f"duplicates: {facts['duplicates']:,}, inputs with different answers: {len(facts['conflicts']):,}",
    ]
    if facts["few_labels"]:
        lines.append("labels: " + ", ".join(f"{plain(one['label'])} {one['count']}" for one in facts["labels"]))
    return lines
