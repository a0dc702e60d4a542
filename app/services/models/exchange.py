"""Model configs as files: JSON as it is exported here, and JSONL profiles, one model a line; all of a file or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from app.ports.llm import Json
from app.services.errors import Invalid, Problem
from app.services.models.checks import ConfigForm, checked_name, read
from app.services.models.library import FIELDS, head, new, revise, says
from app.store.models import ModelConfig, ModelConfigRevision

FORMAT = "whetstone-models/1"
LONGEST_IMPORT = 4_000_000
MOST_CONFIGS = 2_000
PER_THOUSAND = 1_000
"""Profiles give USD per thousand tokens, configs per million."""
PROFILE_PRICES = {
    "input_token_cost": "prompt",
    "output_token_cost": "completion",
    "input_cost_per_1k": "prompt",
    "output_cost_per_1k": "completion",
}
PROFILE = ("model_id", "region", *PROFILE_PRICES)
_NO_NAME = re.compile(r"[^\w .\-/:]+")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, names in the order of the file."""

    created: tuple[str, ...]
    revised: tuple[str, ...]
    unchanged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One config of a file. where: how a message calls its place."""

    where: str
    name: str
    form: ConfigForm
    active: bool | None


def document(config: ModelConfig, revision: ModelConfigRevision | None = None) -> dict[str, Any]:
    """A config as JSON: what it says (in the newest revision, unless another one is given), and its name."""
    shown = revision or head(config)
    return {"name": config.name, **says(shown), "active": config.active}


def export_json(configs: Iterable[ModelConfig]) -> str:
    """Configs as a file that import_text takes."""
    data = {"format": FORMAT, "configs": [document(config) for config in configs]}
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def import_text(session: Session, text: str) -> Imported:
    """Take in a JSON export, one config as it is copied, or JSONL profiles. A known name gets a new revision.

    Raises: Invalid with every problem, each with its place and key; nothing is then changed.
    """
    if len(text) > LONGEST_IMPORT:
        raise Invalid([Problem("file", f"is longer than {LONGEST_IMPORT:,} characters")])
    problems: list[Problem] = []
    entries = list(_entries(text.removeprefix("\ufeff"), problems))
    _refuse_doubles(entries, problems)
    if not entries and not problems:
        problems.append(Problem("file", "holds no model config"))
    if len(entries) > MOST_CONFIGS:
        problems.append(Problem("file", f"holds more than {MOST_CONFIGS:,} model configs"))
    if problems:
        raise Invalid(problems)
    return _keep(session, entries)


def _keep(session: Session, entries: list[_Entry]) -> Imported:
    query = select(ModelConfig).options(selectinload(ModelConfig.revisions)).with_for_update()
    names = [entry.name for entry in entries]
    known = {one.name: one for one in session.scalars(query.where(ModelConfig.name.in_(names)))}
    created: list[str] = []
    revised: list[str] = []
    unchanged: list[str] = []
    for entry in entries:
        config = known.get(entry.name)
        if config is None:
            session.add(new(entry.name, entry.form, active=entry.active is not False))
            created.append(entry.name)
            continue
        before = head(config)
        (unchanged if revise(config, entry.form) is before else revised).append(entry.name)
        config.active = config.active if entry.active is None else entry.active
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise Invalid(
            [Problem("file", "somebody else saved one of these at the same moment; import it again")]
        ) from None
    return Imported(tuple(created), tuple(revised), tuple(unchanged))


def _entries(text: str, problems: list[Problem]) -> Iterator[_Entry]:
    whole = _whole(text)
    if whole is not None:
        for number, data in enumerate(whole, 1):
            yield from _entry(data, f"config {number}", problems)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            data = _loads(line)
        except (ValueError, RecursionError) as error:
            problems.append(Problem("file", f"line {number}: {_why(error)}"))
            continue
        yield from _entry(data, f"line {number}", problems)


def _whole(text: str) -> list[Json] | None:
    """The configs of a text that is one JSON document of ours, None when it is not one."""
    try:
        data = _loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(data, list):
        return data
    if isinstance(data, dict) and "format" in data:
        if data["format"] != FORMAT or not isinstance(data.get("configs"), list):
            raise Invalid([Problem("file", f'this is not an export from here: "format" is not "{FORMAT}"')])
        return list(data["configs"])
    return [data] if isinstance(data, dict) and "name" in data else None


def _loads(text: str) -> Json:
    """JSON in which no key occurs twice and every number is one. Raises: ValueError, RecursionError."""

    def unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        for at, (key, _) in enumerate(pairs):
            if any(other == key for other, _ in pairs[:at]):
                raise _Told(f'the key "{key[:100]}" occurs twice')
        return dict(pairs)

    def constant(name: str) -> Json:
        raise _Told(f"{name} is no number")

    return json.loads(text, object_pairs_hook=unique, parse_constant=constant)


class _Told(ValueError):
    """What is wrong with a line, in words for a person."""


def _why(error: Exception) -> str:
    if isinstance(error, _Told):
        return str(error)
    column = f" (column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
    return f"this is not JSON{column}"


def _entry(data: Json, where: str, problems: list[Problem]) -> Iterator[_Entry]:
    """The config, unless something is wrong with it."""
    wrong: list[Problem] = []
    if not isinstance(data, dict):
        problems.append(Problem("file", f"{where}: must be an object"))
        return
    said = _profile(data, wrong) if "model_id" in data else dict(data)
    active, name = said.pop("active", None), said.pop("name", "")
    if not isinstance(active, bool | None):
        wrong.append(Problem("active", f"must be true or false, not {str(active)[:40]!r}"))
    unknown = [key for key in said if key not in FIELDS]
    wrong += [Problem(str(key), "is not a key that is known") for key in unknown]
    name = checked_name(name if isinstance(name, str) else "", wrong)
    form, more = read({key: value for key, value in said.items() if key in FIELDS})
    wrong += more
    back = {value: key for key, value in PROFILE_PRICES.items() if key in data} if "model_id" in data else {}
    for problem in wrong:
        field = problem.field.removeprefix("price_") if problem.field.startswith("price_") else problem.field
        problems.append(Problem("file", f'{where}: "{back.get(field, problem.field)}" {problem.message}'))
    if form and not wrong:
        yield _Entry(where, name, form, active)


def _profile(data: dict[str, Json], problems: list[Problem]) -> dict[str, Json]:
    """A line of a profile as a config: named after model and region, prices per thousand tokens made per million."""
    problems += [Problem(str(key), "is not a key that is known") for key in data if key not in PROFILE]
    said: dict[str, Json] = {"model": data["model_id"], "region": data.get("region", "")}
    price: dict[str, Json] = {}
    for key, name in PROFILE_PRICES.items():
        if key not in data:
            continue
        if name in price:
            problems.append(Problem(key, "says again what another key says"))
        number = isinstance(data[key], int | float) and not isinstance(data[key], bool)
        price[name] = round(data[key] * PER_THOUSAND, 9) if number else data[key]
    if price:
        said["price"] = price
    words = [data["model_id"], data.get("region")]
    said["name"] = _NO_NAME.sub(" ", " ".join(word for word in words if isinstance(word, str) and word)).strip()
    return said


def _refuse_doubles(entries: Iterable[_Entry], problems: list[Problem]) -> None:
    first: dict[str, str] = {}
    for entry in entries:
        if entry.name in first:
            problems.append(
                Problem("file", f'{entry.where}: "name" {entry.name!r} stands in {first[entry.name]} already')
            )
        first.setdefault(entry.name, entry.where)
