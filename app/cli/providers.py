"""``whetstone providers``: what is ready, keys, own servers. A key is asked for or read from stdin, never an option."""

from __future__ import annotations

import sys

import click

from app import wiring
from app.cli.console import Exit, emit, json_option, plain, table
from app.services import documents
from app.services import providers as service
from app.services.errors import NotFound
from app.services.providers.servers import Form
from app.services.providers.trial import Trial
from app.store.provider_tables import Server


@click.group()
def providers() -> None:
    """Providers: what is ready, keys that were entered, servers of your own."""


@providers.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the providers that are known by name, and how each was found."""
    found = service.found(wiring.settings(), wiring.environ(), wiring.keys())
    rows = [(one.name, "ready" if one.ready else "not set up", one.how_found or one.missing) for one in found]
    emit([documents.values(one) for one in found], as_json, lambda: table(("provider", "", "how"), rows, ""))


@providers.command()
@click.argument("name")
@click.option("--remove", is_flag=True, help="Remove the key.")
@json_option
def key(name: str, remove: bool, as_json: bool) -> None:
    """Keep the key of provider NAME, encrypted; it is asked for, or read from stdin."""
    with wiring.database().session() as session:
        if remove:
            service.keys.forget(session, name)
        else:
            service.keys.enter(session, wiring.settings(), name, _typed(f"Key of {name}"))
    emit({"provider": name, "key": not remove}, as_json, lambda: click.echo("removed" if remove else "kept, encrypted"))


@providers.command()
@json_option
def servers(as_json: bool) -> None:
    """List the servers of your own."""
    with wiring.database().session() as session:
        kept = service.keys.kept(session, wiring.settings())
        found = [service.servers.document(one, kept) for one in service.servers.listed(session)]
    rows = [(d["name"], d["base_url"], len(d["models"]), "key set" if d["key_set_at"] else "") for d in found]
    empty = "No server yet: whetstone providers set NAME --base-url URL"
    emit(found, as_json, lambda: table(("name", "base URL", "models", ""), rows, empty))


@providers.command("set")
@click.argument("name")
@click.option("--base-url", metavar="URL", help="Its address; needed for a new one.")
@click.option("--key", "with_key", is_flag=True, help="Ask for its key, or read it from stdin.")
@click.option("--no-key", is_flag=True, help="Remove its key.")
@json_option
def set_(name: str, base_url: str | None, with_key: bool, no_key: bool, as_json: bool) -> None:
    """Add the OpenAI-compatible server NAME, or change it."""
    with wiring.database().session() as session:
        try:
            server: Server | None = service.servers.by_name(session, name)
        except NotFound:
            server = None
        base = base_url if base_url is not None else server.base_url if server else ""
        form = Form(name, base, _typed(f"Key of {name}") if with_key else "", no_key)
        saved = service.servers.save(session, wiring.settings(), wiring.open_llm().around.guard, form, server)
        result = service.servers.document(saved, service.keys.kept(session, wiring.settings()))
    emit(result, as_json, lambda: click.echo(f"{plain(result['name'])}: {plain(result['base_url'])}"))


@providers.command("test")
@click.argument("name")
@click.option("--model", default="", metavar="MODEL", help="Model to call; else the first that it lists.")
@json_option
def test(name: str, model: str, as_json: bool) -> int:
    """Test the server NAME: reachable, lists models, answers, streams. Exit 1 when no model answers."""
    with wiring.database().session() as session:
        server = service.servers.by_name(session, name)
        own = service.servers.key_of(wiring.keys(), server)
        trial = service.trial.run(server.base_url, wiring.open_llm().around, own, model)
        service.servers.record(session, server, trial)
        result = service.servers.document(server, service.keys.kept(session, wiring.settings()))
    emit(result, as_json, lambda: _show(trial))
    return Exit.DONE if trial.passed else Exit.FAILED


@providers.command()
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Remove the server NAME and its key."""
    with wiring.database().session() as session:
        service.servers.delete(session, service.servers.by_name(session, name))
    emit({"removed": name}, as_json, lambda: click.echo(f"{plain(name)}: removed"))


@providers.command()
@json_option
def reseal(as_json: bool) -> int:
    """Encrypt every key anew under the present secret_key, after a change of it (see former_secret_keys)."""
    with wiring.database().session() as session:
        done, lost = service.keys.reseal(session, wiring.settings())
    words = f"{done} encrypted anew" + (f", {lost} cannot be read: enter them again" if lost else "")
    emit({"resealed": done, "unreadable": lost}, as_json, lambda: click.echo(words))
    return Exit.FAILED if lost else Exit.DONE


def _typed(prompt: str) -> str:
    """A key from the terminal, unseen, or the first line of stdin."""
    return str(click.prompt(prompt, hide_input=True, err=True)) if sys.stdin.isatty() else sys.stdin.readline()


def _show(trial: Trial) -> None:
    signs = {True: "yes", False: "NO", None: "-"}
    for step in trial.steps:
        took = "" if step.seconds is None else f" ({step.seconds:.2f} s)"
        click.echo(f"{step.name:<10} {signs[step.ok]:<4} {plain(step.words)}{took}")
