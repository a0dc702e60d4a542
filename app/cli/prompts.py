"""``whetstone prompts``: the library of prompts."""

from __future__ import annotations

from pathlib import Path

import click

from app import wiring
from app.cli.console import Refused, emit, json_option, table
from app.services import documents
from app.services import prompts as service
from app.services.errors import Problem


@click.group()
def prompts() -> None:
    """The library of prompts: versions and labels."""


@prompts.command("list")
@click.option("--search", default="", help="Words that name, description, category or tags contain.")
@json_option
def list_(search: str, as_json: bool) -> None:
    """List the prompts."""
    with wiring.database().session() as session:
        summaries = service.summaries(session, service.list_prompts(session, search))
        found = [documents.prompt(one.prompt, one.versions) for one in summaries]
    rows = [
        (p["name"], p["kind"], p["versions"], ", ".join(f"{k}=v{v}" for k, v in p["labels"].items()), p["description"])
        for p in found
    ]
    headings = ("name", "kind", "versions", "labels", "description")
    emit(found, as_json, lambda: table(headings, rows, "No prompts yet; a training saves what it tries here."))


@prompts.command()
@click.argument("name")
@click.option("--version", "which", default="", help="A version's number, or a label; else the current one.")
@json_option
def show(name: str, which: str, as_json: bool) -> None:
    """Show a prompt, its versions, and the text of one of them."""
    with wiring.database().session() as session:
        prompt = service.get(session, name)
        chosen = documents.version(service.version(session, prompt, which))
        history = [documents.version(version) for version in service.versions(session, prompt)]
        about = documents.prompt(prompt, len(prompt.versions))
        text = service.export(service.version(session, prompt, which), "text")

    def display() -> None:
        click.echo(f"{about['name']}  version {chosen['version']} of {about['versions']}\n")
        click.echo(text)
        rows = [
            (
                v["version"],
                ", ".join(v["labels"]),
                v["author"],
                v["fate"],
                v["run"],
                v["created_at"],
                v["reasoning"][:60],
            )
            for v in history
        ]
        table(("version", "labels", "author", "fate", "run", "created", "reasoning"), rows, "")

    emit({**about, "shown": chosen, "history": history}, as_json, display)


@prompts.command()
@click.argument("name")
@click.option("--version", "which", default="", help="A version's number, or a label; else the current one.")
@click.option(
    "--format", "kind", type=click.Choice(list(service.FORMATS)), default="text", show_default=True, help="Format."
)
@json_option
def export(name: str, which: str, kind: str, as_json: bool) -> None:
    """Print a version, to be kept in a file or pasted into a program. --json is short for --format json."""
    with wiring.database().session() as session:
        version = service.version(session, service.get(session, name), which)
        click.echo(service.export(version, "json" if as_json else kind), nl=False)


@prompts.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", default="", help="Under this name; else the file's own.")
@json_option
def import_(file: Path, name: str, as_json: bool) -> None:
    """Import prompts from FILE: our JSON, promptfoo YAML, Langfuse JSON, or a list of chat messages."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused([Problem("file", f"{file} cannot be read as text: {error}")]) from None
    with wiring.database().session() as session:
        found = [
            {**documents.version(one.version), "adjusted": list(one.adjusted)}
            for one in service.import_prompts(session, text, name=name)
        ]
    lines = [f"{one['prompt']}, version {one['version']}" for one in found]
    emit(found, as_json, lambda: click.echo("\n".join(lines)))


@prompts.command()
@click.argument("name")
@click.argument("label")
@click.argument("which", metavar="VERSION", default="")
@click.option("--remove", is_flag=True, help="Take the label away.")
@json_option
def label(name: str, label: str, which: str, remove: bool, as_json: bool) -> None:
    """Point LABEL at VERSION of a prompt (a number or another label; else the current one)."""
    with wiring.database().session() as session:
        prompt = service.get(session, name)
        if remove:
            service.remove_label(session, prompt, label)
            number = None
        else:
            version = service.version(session, prompt, which)
            service.set_label(session, prompt, label, version)
            number = version.number
    result = {"prompt": prompt.name, "label": label, "version": number}
    words = f"{prompt.name}: {label} {'removed' if remove else f'is version {number}'}"
    emit(result, as_json, lambda: click.echo(words))
