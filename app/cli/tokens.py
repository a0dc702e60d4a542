"""``whetstone tokens``: tokens that programs show to the JSON API."""

from __future__ import annotations

import click

from app import wiring
from app.cli.console import emit, json_option, plain, table
from app.services import api_access, documents


@click.group()
def tokens() -> None:
    """Tokens of the JSON API."""


@tokens.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the tokens by name, with when each was used last."""
    with wiring.database().session() as session:
        found = [documents.token(one) for one in api_access.list_tokens(session)]
    rows = [(one["name"], one["created_at"], one["used_at"] or "never") for one in found]
    empty = "No tokens yet: whetstone tokens create NAME"
    emit(found, as_json, lambda: table(("name", "made", "last used"), rows, empty))


@tokens.command()
@click.argument("name")
@json_option
def create(name: str, as_json: bool) -> None:
    """Make a token and print it; it cannot be shown again."""
    with wiring.database().session() as session:
        made, text = api_access.create(session, name)
        document = {**documents.token(made), "token": text}
    emit(document, as_json, lambda: click.echo(text))


@tokens.command()
@click.argument("name")
@json_option
def revoke(name: str, as_json: bool) -> None:
    """Take a token back; programs that show it are refused from then on."""
    with wiring.database().session() as session:
        api_access.revoke(session, name)
    emit({"revoked": name}, as_json, lambda: click.echo(f"{plain(name)} is taken back"))
