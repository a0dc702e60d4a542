"""``whetstone reviews``: the prompts that reviewers of benchmarks are given."""

from __future__ import annotations

from pathlib import Path

import click

from app import wiring
from app.cli.console import Exit, Refused, emit, json_option, table
from app.services import reviews as service
from app.services.benchmarks import documents
from app.services.errors import Problem


@click.group()
def reviews() -> None:
    """Review prompts: criteria, scale and wording of what a reviewer is asked."""


@reviews.command("list")
@click.option("--search", default="", help="Words that must each occur.")
@json_option
def list_all(search: str, as_json: bool) -> None:
    """List the review prompts with what stands against them, and how much each is used."""
    with wiring.database().session() as session:
        found = service.list_all(session, search)
        items = [documents.review_prompt(one, service.usage(session, one.name)) for one in found]
    rows = [
        (one["name"], one["version"] or "shipped", ", ".join(one["criteria"] or ()), one["runs"], len(one["errors"]))
        for one in items
    ]
    heads = ("NAME", "VERSION", "CRITERIA", "USED", "ERRORS")
    emit(items, as_json, lambda: table(heads, rows, "no review prompt fits"))


@reviews.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show a review prompt: NAME, NAME@VERSION or NAME@LABEL."""
    with wiring.database().session() as session:
        found = service.get(session, name)
        document = documents.review_prompt(found, service.usage(session, found.name), full=True)
    emit(document, as_json, lambda: click.echo(found.template))


@reviews.command()
@click.argument("name")
@click.option("--template", required=True, type=click.Path(exists=True, dir_okay=False), help="File with the wording.")
@click.option("--settings", default="", metavar="JSON", help="Criteria, scale, details and model as JSON.")
@click.option("--description", default="", help="What it is for.")
@click.option("--check", "only_check", is_flag=True, help="Only say what stands against it.")
@json_option
def save(name: str, template: str, settings: str, description: str, only_check: bool, as_json: bool) -> int:
    """Create a review prompt, or make a new version of it."""
    try:
        words = Path(template).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused([Problem("template", f"{template} cannot be read as text: {error}")]) from None
    checked = service.check(words, settings)
    if only_check:
        told = [*(("error", one) for one in checked.errors), *(("warning", one) for one in checked.warnings)]
        rows = [(kind, one.field, one.message) for kind, one in told]
        items = [{"kind": kind, "field": field, "message": message} for kind, field, message in rows]
        emit(items, as_json, lambda: table(("KIND", "FIELD", "WHAT"), rows, "nothing stands against it"))
        return Exit.FAILED if checked.errors else Exit.DONE
    with wiring.database().session() as session:
        saved = service.save(session, name, words, settings, description=description)
        document = documents.review_prompt(saved, service.usage(session, saved.name), full=True)
    emit(document, as_json, lambda: click.echo(f"{saved.name}, version {saved.version}"))
    return Exit.DONE


@reviews.command()
@click.argument("name")
@click.option("--as", "new_name", default="", metavar="NAME", help="Name of the new one.")
@json_option
def duplicate(name: str, new_name: str, as_json: bool) -> None:
    """Make a review prompt that says the same."""
    with wiring.database().session() as session:
        made = service.duplicate(session, name, new_name)
        document = documents.review_prompt(made, service.Usage(), full=True)
    emit(document, as_json, lambda: click.echo(made.name))


@reviews.command()
@click.argument("name")
@json_option
def delete(name: str, as_json: bool) -> None:
    """Delete a review prompt that no benchmark uses."""
    with wiring.database().session() as session:
        service.delete(session, name)
    emit({"deleted": name}, as_json, lambda: click.echo(f"{name} is deleted"))
