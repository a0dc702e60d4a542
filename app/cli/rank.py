"""``whetstone rank``: a person's ranking of the answers to one prompt, blind, at the terminal or in one line."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Mapping
from typing import Any

import click

from app import wiring
from app.cli.console import Exit, Refused, emit, json_option
from app.core.review import LETTERS
from app.services import runs
from app.services.benchmarks import ballots, documents
from app.services.benchmarks.ballots import Ballot
from app.services.benchmarks.results import Place, Results, results, texts
from app.services.errors import Problem
from app.store.models import Run


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("prompt", metavar="PROMPT")
@click.option("--ranker", required=True, metavar="NAME", help="Who ranks.")
@click.option(
    "--order", metavar="ORDER", help='Configs, best first, as "a > b = c > d"; without it you are asked, blind.'
)
@click.option(
    "--repeat", type=int, default=0, show_default=True, metavar="N", help="Which answer to the prompt, from 0."
)
@click.option("--notes", default="", metavar="TEXT", help="What decided it.")
@click.option("--replace", is_flag=True, help="Put it in the place of an earlier ranking by the same person.")
@json_option
def rank(
    run_id: str, prompt: str, ranker: str, order: str | None, repeat: int, notes: str, replace: bool, as_json: bool
) -> int:
    """Rank the answers to a prompt of a benchmark (p1, p2, ...)."""
    with wiring.database().session() as session:
        run = runs.get(session, run_id)
        found, place = results(session, run), Place(prompt, repeat)
        found.case(prompt)
        known = ballots.find(session, run.id, place, ranker.strip()) if replace else None
        began = time.monotonic()
        if order is None:
            words = texts(session, list(found.rivals(place).values()))
            places = _asked(run, found, place, words)
        else:
            places = _places(order, {config: config for config in found.rivals(place)})
        seconds = round(time.monotonic() - began, 1)
        ballot = Ballot(place, ranker, places, notes, seconds, order is None, known.revision if known else 0)
        row = ballots.save(session, found, ballot)
        document = documents.ranking(results(session, run), row)
    emit(document, as_json, lambda: _show(document))
    return Exit.DONE


def _asked(run: Run, found: Results, place: Place, words: Mapping[int, str]) -> dict[str, int]:
    """Show the answers without their configs and ask for the order."""
    if not sys.stdin.isatty():
        raise Refused([Problem("order", "nobody can be asked here; give the order with --order")])
    rivals = list(found.rivals(place).items())
    random.Random(f"{run.id}/{place.case}/{place.repeat}").shuffle(rivals)  # noqa: S311 - no secret
    for message in found.case(place.case)["messages"]:
        click.echo(f"[{message['role']}]\n{_plain(message['content'])}\n")
    labelled = dict(zip(LETTERS, rivals, strict=False))
    for letter, (_, answer) in labelled.items():
        click.echo(f"--- Answer {letter} ---\n{_plain(words.get(answer.id, ''))}\n")
    given = click.prompt('Best first, as "B > A = C"')
    return _places(given, {letter: config for letter, (config, _) in labelled.items()})


def _plain(text: str) -> str:
    """Text of a model without what could steer a terminal; its lines stay."""
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)


def _places(order: str, names: Mapping[str, str]) -> dict[str, int]:
    """Places by config. names: what stands in the order, by config. Raises: Refused."""
    places: dict[str, int] = {}
    for number, tied in enumerate(order.split(">"), start=1):
        for name in (part.strip() for part in tied.split("=")):
            if name not in names:
                known = ", ".join(sorted(names))
                raise Refused([Problem("order", f"there is no answer of {name[:80]!r} to rank; known: {known}")])
            if names[name] in places:
                raise Refused([Problem("order", f"{name} stands twice in the order")])
            places[names[name]] = number
    return places


def _show(document: Mapping[str, Any]) -> None:
    ordered = sorted(document["places"].items(), key=lambda pair: (pair[1], pair[0]))
    click.echo(f"saved: {', '.join(f'{place}. {config}' for config, place in ordered)}")
    found = document["with_reviewer"]
    if found["tau"] is not None:
        click.echo(f"agreement with the reviewer: Kendall tau-{found['tau_kind']} {found['tau']:.2f} over {found['n']}")
