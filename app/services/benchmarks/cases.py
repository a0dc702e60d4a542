"""The prompts of a benchmark, each as the messages that every config gets: from the library, from a file, or typed in.

{{variables}} are filled in from the rows of a dataset: {{input}}, {{reference}} and its further columns. A prompt without
variables is asked once, whatever the dataset holds; a system and output prompt pair takes the row's input like in a training.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.storable import storable
from app.core.templates import placeholders, render
from app.ports.llm import Json
from app.services import datasets, prompts
from app.services.benchmarks.form import BenchmarkForm
from app.services.errors import NotFound, Problem
from app.services.prompts.checks import ROLES
from app.store.models import Dataset, Example, PromptVersion

MOST, MOST_CHARS = 1_000, 2_000_000
"""Prompts of one benchmark, and their characters together: a spec holds them all."""
NAME_CHARS = 80
TEXTS = ("turns", "prompt", "input", "question", "text")
"""Where a line of a file may have its prompt."""


@dataclass(frozen=True)
class Source:
    """A prompt before its variables are filled in. name: for people. pair: whether a row's input belongs to it.

    field: of the form it came from.
    """

    name: str
    messages: tuple[Json, ...]
    field: str
    reference: str = ""
    pair: bool = False
    about: Mapping[str, Json] = dataclasses.field(default_factory=dict)

    @property
    def variables(self) -> list[str]:
        """What has to be filled in."""
        return placeholders("\n".join(message["content"] for message in self.messages))


@dataclass(frozen=True)
class Row:
    """A row of the dataset: number, values by variable."""

    number: int
    values: Mapping[str, str]


def build(session: Session, form: BenchmarkForm, problems: list[Problem]) -> tuple[Json, list[Json]]:
    """The dataset as a spec pins it, and the cases: {"id", "name", "messages", "reference", ...}. Adds what is wrong."""
    dataset, rows = _rows(session, form, problems)
    sources = [*_of_library(session, form.prompts, problems), *_typed(form), *_of_lines(form, problems)]
    if not sources and not problems:
        problems.append(Problem("prompts", "choose prompts of the library, write one, or give a file of prompts"))
    cases: list[Json] = []
    for number, source in enumerate(sources, start=1):
        for case in _filled(source, rows, problems):
            cases.append({"id": f"p{number}" + (f"r{case['row']}" if case["row"] else ""), **case})
            if len(cases) > MOST:
                problems.append(
                    Problem(source.field, f"these are more than {MOST:,} prompts; choose fewer, or fewer rows")
                )
                return dataset, []
    if sum(len(message["content"]) for case in cases for message in case["messages"]) > MOST_CHARS:
        problems.append(
            Problem("prompts", f"these prompts have more than {MOST_CHARS:,} characters together; choose fewer")
        )
    return dataset, cases


def _rows(session: Session, form: BenchmarkForm, problems: list[Problem]) -> tuple[Json, list[Row]]:
    none = {"id": None, "name": "", "digest": ""}
    if not form.dataset:
        if form.rows:
            problems.append(Problem("rows", "choose a dataset whose rows these are"))
        return none, []
    try:
        found = datasets.get(session, form.dataset)
    except NotFound as missing:
        problems.append(Problem("dataset", str(missing)))
        return none, []
    query = (
        select(Example)
        .where(Example.dataset_id == found.id)
        .order_by(Example.row)
        .limit(min(form.rows or MOST + 1, MOST + 1))
    )
    return _pinned(found), [_row(example) for example in session.scalars(query)]


def _pinned(dataset: Dataset) -> Json:
    return {"id": dataset.id, "name": dataset.name, "digest": dataset.digest}


def _row(example: Example) -> Row:
    more = {str(name): str(value) for name, value in (example.extra or {}).items() if value is not None}
    return Row(example.row, {**more, "input": example.input, "reference": example.reference})


def _of_library(session: Session, names: Sequence[str], problems: list[Problem]) -> Iterator[Source]:
    for reference in names:
        name, _, which = reference.partition("@")
        try:
            found = prompts.get(session, name)
            version = prompts.version(session, found, which)
        except NotFound as missing:
            problems.append(Problem("prompts", str(missing)))
            continue
        about = {"prompt": found.name, "version": version.number}
        if found.kind == "chat":
            yield Source(f"{found.name}, version {version.number}", tuple(version.messages), "prompts", about=about)
        else:
            yield _pair(version, f"{found.name}, version {version.number}", about)


def _pair(version: PromptVersion, name: str, about: Json) -> Source:
    """A pair that says itself where {{input}} belongs is taken as it is; else the input comes before the output prompt."""
    texts = [("system", version.system_prompt), ("user", version.output_prompt)]
    placed = any("input" in placeholders(text) for _, text in texts)
    turns = tuple({"role": role, "content": text} for role, text in texts if text.strip())
    return Source(name, turns, "prompts", pair=not placed, about=about)


def _typed(form: BenchmarkForm) -> Iterator[Source]:
    if form.text.strip():
        text = storable(form.text.replace("\r\n", "\n")).strip()
        yield Source(_short(text), ({"role": "user", "content": text},), "text")


def _of_lines(form: BenchmarkForm, problems: list[Problem]) -> Iterator[Source]:
    lines = [(n, line) for n, line in enumerate(form.jsonl.splitlines(), start=1) if line.strip()]
    for number, line in lines[: form.first or len(lines)]:
        try:
            yield _of_line(json.loads(line))
        except RecursionError:
            problems.append(Problem("jsonl", f"line {number} is nested too deeply"))
        except ValueError as error:
            problems.append(Problem("jsonl", f"line {number}: {error}"))
        if len(problems) > 20:
            return


def _of_line(said: Json) -> Source:
    """One line of a file. Raises: ValueError in words."""
    if not isinstance(said, dict):
        raise ValueError("must be a JSON object")
    said = {str(key): value for key, value in said.items()}
    messages = _messages(said)
    reference = said.get("reference") or said.get("expected") or ""
    if isinstance(reference, list):
        reference = reference[0] if reference else ""
    name = str(said.get("name") or said.get("question_id") or said.get("id") or "")
    title = _short(messages[-1]["content"])
    about = {"category": str(said["category"])[:NAME_CHARS]} if said.get("category") else {}
    text = storable(reference) if isinstance(reference, str) else ""
    return Source(f"{name[:NAME_CHARS]}: {title}" if name else title, messages, "jsonl", text, about=about)


def _messages(said: Mapping[str, Json]) -> tuple[Json, ...]:
    if isinstance(said.get("messages"), list):
        given = said["messages"]
    else:
        key = next((key for key in TEXTS if said.get(key)), None)
        if key is None:
            raise ValueError(f"has no prompt; give it as one of {', '.join(TEXTS)}, or as messages")
        content = said[key][0] if isinstance(said[key], list) else said[key]
        given = [{"role": "user", "content": content}]
    if not given or not all(_is_message(one) for one in given):
        raise ValueError('every message must look like {"role": "user", "content": "..."}')
    return tuple({"role": one["role"], "content": storable(one["content"])} for one in given)


def _is_message(one: Json) -> bool:
    has = isinstance(one, dict) and one.get("role") in ROLES and isinstance(one.get("content"), str)
    return bool(has and one["content"].strip())


def _filled(source: Source, rows: Sequence[Row], problems: list[Problem]) -> Iterator[Json]:
    wanted = source.variables
    if source.pair and not rows and not any(message["role"] == "user" for message in source.messages):
        told = f"{source.name} asks nothing by itself; choose a dataset whose inputs it is to answer"
        problems.append(Problem(source.field, told))
        return
    if not wanted and not (source.pair and rows):
        yield _case(source, source.messages, source.reference)
        return
    known = set(rows[0].values) if rows else set()
    if missing := [name for name in wanted if name not in known]:
        problems.append(Problem(source.field, _unfilled(source, missing, known)))
        return
    for row in rows:
        values = {name: row.values.get(name, "") for name in wanted}
        turns = [{**message, "content": render(message["content"], values)} for message in source.messages]
        yield _case(source, _with_input(turns, row) if source.pair else turns, row.values["reference"], row.number)


def _unfilled(source: Source, missing: Sequence[str], known: set[str]) -> str:
    braced = ", ".join(f"{{{{{name}}}}}" for name in missing)
    advice = (
        f"the dataset has {', '.join(sorted(known))}" if known else "choose a dataset that has a column of that name"
    )
    return f"{source.name}: nothing fills in {braced}; {advice}"


def _with_input(turns: Sequence[Json], row: Row) -> list[Json]:
    by_role = {turn["role"]: turn["content"] for turn in turns}
    user = "\n\n".join(part for part in (row.values["input"], by_role.get("user", "")) if part)
    return [*(turn for turn in turns if turn["role"] == "system"), {"role": "user", "content": user}]


def _case(source: Source, messages: Sequence[Json], reference: str, row: int = 0) -> Json:
    name = f"{source.name}, row {row}" if row else source.name
    return {"name": name, "row": row, "messages": list(messages), "reference": reference, **source.about}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= NAME_CHARS else line[: NAME_CHARS - 1] + "…"
