"""``whetstone models``: named model configs."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import click

from app import wiring
from app.cli.console import Exit, Refused, emit, json_option, plain, say, table
from app.ports.llm import Json
from app.services import access, documents
from app.services import models as service
from app.services.errors import NotFound, Problem
from app.store.models import ModelConfig


@click.group()
def models() -> None:
    """Model configs: a model with its settings, address, rate limit and price, under a name."""


@models.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the model configs."""
    with wiring.database().session() as session:
        found = [service.document(config) for config in service.list_configs(session)]
    rows = [(d["name"], d["model"], d["region"], _pairs(d["params"]), "" if d["active"] else "inactive") for d in found]
    empty = "No model configs yet: whetstone models set NAME --model MODEL"
    emit(found, as_json, lambda: table(("name", "model", "region", "settings", ""), rows, empty))


@models.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show a model config: what it says, what is sent of it, and its revisions."""
    with wiring.database().session() as session:
        config = service.get(session, name)
        said = service.document(config)
        seen = service.look(service.says(service.head(config)), wiring.open_llm())
        revisions = [{"revision": one.number, **service.says(one)} for one in reversed(config.revisions)]
    adjusted = [documents.values(one) for one in seen.adjustments]
    result = {**said, "sent": seen.sent, "adjustments": adjusted, "warnings": list(seen.warnings), "history": revisions}

    def display() -> None:
        click.echo(f"{plain(said['name'])}: {plain(said['model'])}{'' if said['active'] else ' (inactive)'}")
        for key in ("api_base", "region", "target_rpm", "price"):
            if said[key]:
                click.echo(f"{key.replace('_', ' ')}: {plain(str(said[key]))}")
        click.echo(f"sent: {_pairs(seen.sent or {}) or 'nothing but the messages'}")
        for one in seen.adjustments:
            click.echo(f"note: {plain(service.in_words(one))}")
        for warning in seen.warnings:
            click.echo(f"warning: {plain(warning)}")
        click.echo(f"revisions: {len(revisions)}")

    emit(result, as_json, display)


@models.command("set")
@click.argument("name")
@click.option("--model", metavar="MODEL", help="Model, such as openai/gpt-5-mini; needed for a new config.")
@click.option("--api-base", metavar="URL", help="OpenAI-compatible server.")
@click.option("--region", metavar="REGION", help="Region, of Vertex AI and Bedrock.")
@click.option(
    "--param", "params", multiple=True, metavar="KEY=VALUE", help="A setting; without a value it is taken away."
)
@click.option("--target-rpm", type=float, metavar="N", help="Most requests a minute.")
@click.option("--price-prompt", type=float, metavar="USD", help="USD per million tokens of the prompt.")
@click.option("--price-completion", type=float, metavar="USD", help="USD per million tokens of the answer.")
@click.option("--price-cached", type=float, metavar="USD", help="USD per million tokens from the provider's cache.")
@json_option
def set_(name: str, params: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Make a model config, or a new revision of one; what is not given stays as it is."""
    with wiring.database().session() as session:
        try:
            config: ModelConfig | None = service.get(session, name)
        except NotFound:
            config = None
        said = _changed(service.says(service.head(config)) if config else {"params": {}, "price": None}, given, params)
        if config is None:
            config = service.create(session, name, said)
        else:
            service.save(session, config, said)
        result = {**service.document(config), "revision": service.head(config).number}
        seen = service.look(said, wiring.open_llm())
    for one in seen.adjustments:
        say(f"note: {service.in_words(one)}")
    emit(result, as_json, lambda: click.echo(f"{plain(result['name'])}: revision {result['revision']}"))


def _changed(said: dict[str, Any], given: dict[str, Any], params: tuple[str, ...]) -> dict[str, Any]:
    """What a config says, with what was given in place of it."""
    price = {
        **(said["price"] or {}),
        **{k[6:]: v for k, v in given.items() if k.startswith("price_") and v is not None},
    }
    rest = {key: value for key, value in given.items() if not key.startswith("price_") and value is not None}
    settings = dict(said["params"])
    for pair in params:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise Refused([Problem("params", f"write KEY=VALUE, not {pair[:80]!r}")])
        settings.pop(key, None)
        if text:
            settings[key] = _value(text)
    return said | rest | {"params": settings, "price": price or None}


def _value(text: str) -> Json:
    """JSON where it is some, else the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


@models.command()
@click.argument("names", nargs=-1)
@click.option(
    "--try", "trying", is_flag=True, help="Try JSON schemas, tools, logprobs and images too; up to four more calls."
)
@click.option("--asked", is_flag=True, help="Check what pages and the API asked for.")
@json_option
def check(names: tuple[str, ...], trying: bool, asked: bool, as_json: bool) -> int:
    """Ask NAMES (configs or models; else all active configs) for a few tokens. Exit 1 when one does not answer."""
    settings, engine = wiring.settings().access, wiring.database().engine
    if asked:
        count = access.answer_asked(engine, wiring.open_llm(), settings)
        emit({"checked": count}, as_json, lambda: click.echo(f"{count} checked"))
        return Exit.DONE
    with wiring.database().session() as session:
        targets = access.named(session, names)
        access.check(engine, wiring.open_llm(), settings, [(target, trying) for target in targets])
        session.expire_all()
        found = access.states(session, targets)
    empty = "No active config; name a model: whetstone models check openai/gpt-5-mini"
    show = partial(
        table, ("model", "where", "", "seconds", "USD", "", "can"), [_access_row(one) for one in found], empty
    )
    emit([access.document(one) for one in found], as_json, show)
    return Exit.DONE if all(one.answers for one in found) else Exit.FAILED


def _access_row(state: access.State) -> tuple[object, ...]:
    seconds = "" if state.seconds is None else f"{state.seconds:.2f}"
    usd = "unknown" if state.usd is None and state.answers else "" if state.usd is None else f"{state.usd:.6f}"
    can = ", ".join(
        f"{one.name}{' (the table says no)' if one.differs else ''}"
        for one in state.capabilities
        if (one.listed if one.tried is None else one.tried)
    )
    answers = "answers" if state.answers else "NO"
    return state.target.model, state.target.where, answers, seconds, usd, state.words, can


@models.command()
@click.argument("name")
@click.option("--as", "new_name", default="", metavar="NAME", help="Name of the new config.")
@json_option
def clone(name: str, new_name: str, as_json: bool) -> None:
    """Make a new model config that says the same."""
    with wiring.database().session() as session:
        result = service.document(service.clone(session, service.get(session, name), new_name))
    emit(result, as_json, lambda: click.echo(plain(result["name"])))


@models.command()
@click.argument("name")
@click.option("--off", is_flag=True, help="Offer it to no new run.")
@json_option
def activate(name: str, off: bool, as_json: bool) -> None:
    """Offer a model config to new runs again, or not any more."""
    with wiring.database().session() as session:
        config = service.get(session, name)
        service.set_active(session, config, not off)
        result = service.document(config)
    emit(result, as_json, lambda: click.echo(f"{plain(name)}: {'inactive' if off else 'active'}"))


@models.command()
@click.argument("name")
@json_option
def delete(name: str, as_json: bool) -> None:
    """Take a model config out of the list; runs keep what they used."""
    with wiring.database().session() as session:
        service.delete(session, service.get(session, name))
    emit({"deleted": name}, as_json, lambda: click.echo(f"{plain(name)}: deleted"))


@models.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def import_(file: Path, as_json: bool) -> None:
    """Import FILE: a JSON export, or JSONL profiles, one model a line. All of it is taken in, or nothing."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused([Problem("file", f"{file} cannot be read as text: {error}")]) from None
    with wiring.database().session() as session:
        done = service.import_text(session, text)
    words = f"{len(done.created)} new, {len(done.revised)} with a new revision, {len(done.unchanged)} unchanged"
    emit(documents.values(done), as_json, lambda: click.echo(words))


@models.command("export")
@click.argument("names", nargs=-1)
@json_option
def export_(names: tuple[str, ...], as_json: bool) -> None:  # noqa: ARG001 - it is JSON anyway
    """Print the model configs, or those named, as JSON that can be imported."""
    with wiring.database().session() as session:
        found = [service.get(session, name) for name in names] if names else service.list_configs(session)
        click.echo(service.export_json(found), nl=False)


def _pairs(params: Json) -> str:
    return ", ".join(f"{key}={value}" for key, value in params.items())
