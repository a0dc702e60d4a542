"""``whetstone datasets doctor, rule, version, changes``: doubtful answers, rulings, corrected versions."""

from __future__ import annotations

import click

from app import wiring
from app.cli.console import emit, json_option, plain, table
from app.core.datasets.doctor import SIGNS
from app.services import datasets as service
from app.services import documents, labels

SHOWN = 60


@click.command()
@click.argument("name")
@click.option("--sign", type=click.Choice(SIGNS), default=None, help="Only rows with this sign.")
@click.option(
    "--state", type=click.Choice([*labels.STATES, "all"]), default="open", show_default=True, help="Ruled or not."
)
@click.option("--after", default="", help="Place where the page before ended.")
@click.option("--limit", type=click.IntRange(1, 1000), default=25, show_default=True, help="At most so many.")
@json_option
def doctor(name: str, sign: str | None, state: str, after: str, limit: int, as_json: bool) -> None:
    """List the examples of a dataset that are worth a look, the most doubtful first."""
    with wiring.database().session() as session:
        dataset, wanted = service.get(session, name), "" if state == "all" else state
        cases = labels.cases(session, dataset, sign=sign or "", state=wanted, after=after, limit=limit)
        items = [documents.doubt(case) for case in cases]
    following = cases[-1].cursor if len(cases) == limit else None
    rows = [
        (i["row"], i["suspicion"], i["evidence"], i["input"][:SHOWN], i["answer"][:SHOWN], i["suggestion"][:SHOWN])
        for i in items
    ]

    def display() -> None:
        table(("row", "doubt", "evidence", "input", "answer", "suggestion"), rows, "No row that fits is doubtful.")
        if following:
            click.echo(f"more: --after {following}")

    emit({"items": items, "next": following}, as_json, display)


@click.command()
@click.argument("name")
@click.argument("row", type=int)
@click.argument("ruling", type=click.Choice([*labels.RULINGS, "undo"]))
@click.option("--reference", default="", metavar="TEXT", help="For correct: the answer that is right.")
@click.option("--note", default="", metavar="TEXT", help="Why.")
@json_option
def rule(name: str, row: int, ruling: str, reference: str, note: str, as_json: bool) -> None:
    """Rule about ROW: keep, correct or exclude it, or undo the ruling."""
    with wiring.database().session() as session:
        dataset = service.get(session, name)
        if ruling == "undo":
            labels.take_back(session, dataset, row)
        else:
            most = wiring.settings().uploads.max_cell_chars
            labels.rule(session, dataset, row, labels.Decision(ruling, reference, note), most_chars=most)
        counted = labels.counted(session, dataset)
    words = ", ".join(f"{number} {kind}" for kind, number in counted.items())
    result = {"dataset": dataset.name, "row": row, "ruling": None if ruling == "undo" else ruling, "rulings": counted}
    emit(result, as_json, lambda: click.echo(f"{plain(dataset.name)} row {row}: {ruling}; in all {words}"))


@click.command()
@click.argument("name")
@json_option
def version(name: str, as_json: bool) -> None:
    """Make the corrected version of a dataset from its rulings; the old one stays."""
    with wiring.database().session() as session:
        made = documents.dataset(labels.make_version(session, service.get(session, name)), full=True)
    emit(made, as_json, lambda: click.echo(f"{plain(made['name'])}: {made['rows']:,} rows"))


@click.command()
@click.argument("name")
@click.option("--against", default=None, metavar="NAME", help="Another version; else the one that it was made from.")
@json_option
def changes(name: str, against: str | None, as_json: bool) -> None:
    """Show what a version changed: corrected answers and excluded rows."""
    with wiring.database().session() as session:
        dataset = service.get(session, name)
        other = service.get(session, against) if against else labels.parent(session, dataset)
        found = labels.difference(session, other, dataset) if other else []
    items = [documents.values(one) for one in found]
    rows = [
        (i["row"], i["input"][:SHOWN], i["before"], "(excluded)" if i["after"] is None else i["after"]) for i in items
    ]
    emit({"items": items}, as_json, lambda: table(("row", "input", "before", "after"), rows, "Nothing differs."))


COMMANDS = (doctor, rule, version, changes)
