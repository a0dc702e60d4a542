"""What the commands print: results on stdout, everything else on stderr; with --json both are JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.ports.llm import Json
from app.services.errors import Invalid, Problem, ServiceError


class Exit(IntEnum):
    """How a command ended, for scripts and CI."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    GATE = 3
    STOPPED = 4


class Refused(Exception):
    """A command cannot do what it was asked. problems: one for each wrong field."""

    def __init__(self, problems: Iterable[Problem], code: Exit = Exit.USAGE) -> None:
        self.problems = tuple(problems)
        self.code = code
        super().__init__("; ".join(p.message for p in self.problems))


def refused(error: ServiceError) -> Refused:
    """What a service refused, as the command line shows it."""
    if isinstance(error, Invalid):
        return Refused(error.problems)
    return Refused([Problem("", str(error))])


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result, and errors, as JSON.")
"""Every command has it."""


def emit(result: Json, as_json: bool, show: Callable[[], None]) -> None:
    """Print a result: as one JSON document, or the way show does it for people."""
    if as_json:
        click.echo(json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        show()


def explain(problems: Sequence[Problem], as_json: bool) -> None:
    """Print what is wrong on stderr, one line for each field."""
    if as_json:
        errors = [{"field": problem.field, "message": problem.message} for problem in problems]
        click.echo(json.dumps({"errors": errors}, ensure_ascii=False), err=True)
        return
    for problem in problems:
        for number, line in enumerate(problem.message.splitlines() or [""]):
            start = f"error: {problem.field}: " if problem.field else "error: "
            click.echo(line if number else start + line, err=True)


LONGEST_PATH = 1000


def text_or_file(field: str, given: str) -> str:
    """The text of the file of that name, else what was given itself. Raises: Refused for a file that is no text."""
    file = Path(given)
    if not given or "\n" in given or len(given) > LONGEST_PATH or not file.is_file():
        return given
    try:
        return file.read_text("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused([Problem(field, f"{given} cannot be read as text: {error}")]) from None


def say(text: str) -> None:
    """Tell the person at the terminal something that is no result."""
    click.echo(text, err=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print rows: as a table on a terminal, with tabs elsewhere; the text empty when there are none."""
    cells = [[plain("" if cell is None else str(cell)) for cell in row] for row in rows]
    if not cells:
        click.echo(empty)
    elif sys.stdout.isatty():
        drawn = Table(*headings, box=None, pad_edge=False, header_style="bold")
        for row in cells:
            drawn.add_row(*row)
        Console(highlight=False, markup=False, emoji=False).print(drawn)
    else:
        for row in [list(headings), *cells]:
            click.echo("\t".join(row))


def plain(text: str) -> str:
    """One line without control characters: text of users and models must not steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def stderr() -> Console:
    """Rich on stderr."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on a terminal, moved by calls with what is done and the whole of it; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    with Progress(console=stderr(), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, whole: progress.update(task, completed=done, total=whole)


def with_options(options: Sequence[Callable[..., Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command all of these options, in their order."""

    def given(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return given
