"""``whetstone prune``: remove what the settings say need not be kept any longer."""

from __future__ import annotations

import click

from app import wiring
from app.cli.console import emit, json_option, stderr
from app.services import retention
from app.services.retention import Pruned
from app.store import removal


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--vacuum", is_flag=True, help="Give the room back to the disk; with SQLite, writers wait meanwhile.")
@json_option
def prune(dry_run: bool, vacuum: bool, as_json: bool) -> None:
    """Remove the records of runs that ended longer ago than the settings under "retention" keep them.

    Runs that are queued, running or paused are left alone, and so are prompts. It may be stopped at any time.
    """
    database = wiring.database()
    before = removal.disk_bytes(database.engine)
    with stderr().status("looking") as status:

        def tell(so_far: Pruned) -> None:
            status.update(f"{sum(so_far.rows.values()):,} rows, {megabytes(so_far.bytes)}")

        settings = wiring.settings()
        files = wiring.image_files(settings)
        pruned = retention.prune(database, settings.retention, dry_run=dry_run, tell=tell, images=files)
        if vacuum and not dry_run:
            status.update("giving the room back")
            removal.give_back(database.engine)
    sizes = {"disk_bytes_before": before, "disk_bytes_after": removal.disk_bytes(database.engine)}
    emit(pruned.as_json() | sizes, as_json, lambda: show(pruned, sizes))


def show(pruned: Pruned, sizes: dict[str, int]) -> None:
    """What went, for people."""
    verb = "would be removed" if pruned.dry_run else "removed"
    for table, rows in sorted(pruned.rows.items()):
        if rows:
            click.echo(f"{table:<9} {rows:>12,} {verb}")
    if pruned.images:
        click.echo(f"{'images':<9} {pruned.images:>12,} {verb}")
    if not any(pruned.rows.values()) and not pruned.images:
        click.echo("Nothing to remove.")
        return
    click.echo(f"about {megabytes(pruned.bytes)} of text and images")
    if not pruned.dry_run:
        click.echo(
            f"database: {megabytes(sizes['disk_bytes_before'])} before, {megabytes(sizes['disk_bytes_after'])} now"
        )


def megabytes(size: int) -> str:
    """A size to read."""
    return f"{size / 2**20:,.1f} MB"
