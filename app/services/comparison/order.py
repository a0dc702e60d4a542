"""A comparison on a dataset: from what a person asked to a pinned spec, what it would take, and the queued run."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.config import Settings
from app.core import scorers
from app.core.kinds.compare import PARTS
from app.core.stats import strictness
from app.core.stats.sizing import UNMEASURED, detectable
from app.llm.gateway import Gateway
from app.ports.llm import Json
from app.ports.scoring import Tools
from app.services import datasets
from app.services.comparison.form import FIELDS, VERSION, Text, checked_part, texts_of
from app.services.errors import Invalid, NotFound, Problem
from app.services.runs.lookup import add_once
from app.services.training.draft import examined, grounded
from app.services.training.estimate import cost, judgements, next_comparison
from app.services.training.form import BLANK, TrainingForm, read
from app.store.models import Dataset, Run


@dataclass(frozen=True)
class Estimate:
    """What a comparison may take at most; replies that are remembered cost nothing. usd is None when a price is unknown.

    examples: that each version answers. detectable: the smallest difference that so many can show (app.core.stats.sizing).
    """

    calls: int
    tokens: int
    usd: float | None
    examples: int
    detectable: float
    notes: tuple[str, ...]


def parse(
    session: Session,
    raw: Mapping[str, object],
    *,
    settings: Settings,
    gateway: Gateway,
    tools: Tools = scorers.NO_TOOLS,
) -> Json:
    """The complete, pinned spec. raw: FIELDS and "version", blank ones meaning the default.

    Raises: Invalid with every problem.
    """
    given = {name: value for name, value in raw.items() if value not in BLANK}
    problems = [Problem(name, f"there is no setting called {name}") for name in given if name not in (*FIELDS, VERSION)]
    part = checked_part(given, problems)
    texts = texts_of(session, given, problems)
    dataset = _dataset(session, given.get("dataset"), problems)
    asked = {name: value for name, value in given.items() if name in FIELDS and name != "part"}
    form, wrong = read(asked, settings)
    problems += wrong
    if dataset is None:
        raise Invalid(problems)
    spec = _spec(session, form, dataset, part, problems, settings=settings, gateway=gateway, tools=tools)
    if problems:
        raise Invalid(problems)
    first: dict[str, Json] = {"system_prompt": texts[0].system_prompt, "output_prompt": texts[0].output_prompt}
    return spec | first | {"candidates": [one.as_json() for one in texts]}


def _dataset(session: Session, name: object, problems: list[Problem]) -> Dataset | None:
    if not name:
        problems.append(Problem("dataset", "is needed"))
        return None
    try:
        return datasets.get(session, str(name))
    except NotFound as missing:
        problems.append(Problem("dataset", str(missing)))
        return None


def _spec(
    session: Session, form: TrainingForm, dataset: Dataset, part: str, problems: list[Problem], **world: Any
) -> dict[str, Json]:
    """Everything but the versions; world: settings, gateway, tools."""
    known = {problem.field for problem in problems}
    settings, gateway = world["settings"], world["gateway"]
    primary, parts, wrong = grounded(session, form, dataset, settings=settings, gateway=gateway)
    pinned, more = examined(session, form, primary, **world)
    problems += [one for one in (*wrong, *more) if one.field not in known]
    if parts and part in PARTS and not _rows(parts, part):
        problems.append(Problem("part", f"this split has no {part} examples; choose another part, or another split"))
    rules = {name: getattr(form, name) for name in ("alpha", "repeats", "concurrency", "seed", "cache")}
    limits = {name: getattr(form, f"budget_{name}") for name in ("usd", "calls", "tokens", "minutes")}
    data = {"id": dataset.id, "name": dataset.name, "digest": dataset.digest}
    about = {"dataset": data, "split": parts, "part": part, "prompt": "", "primary": primary.pinned, "optimizer": None}
    return {**about, **pinned, **rules, "budget": limits}


def _rows(parts: Json, part: str) -> int:
    return sum(int(parts[name]) for name in PARTS[:3]) if part == "all" else int(parts[part])


def estimate(session: Session, spec: Json, *, gateway: Gateway) -> Estimate:
    """What a comparison may take. Tokens are guessed at four characters each, answers at the length of the references."""
    dataset = session.get_one(Dataset, spec["dataset"]["id"])
    facts, examples = dataset.statistics, _rows(spec["split"], spec["part"])
    each = examples * spec["repeats"]
    answers = each * len(spec["candidates"])
    texts = sum(len(one["system_prompt"]) + len(one["output_prompt"]) for one in spec["candidates"])
    asked = answers * (facts["input_chars"]["mean"] / 4 + 10) + each * texts / 4
    said = answers * (facts["answer_chars"]["mean"] / 4 + 2)
    judged, quoted, told = judgements(spec, facts)
    use = {"primary": (answers, asked, said), "judge": (answers * judged, answers * quoted, answers * told)}
    looked = spec["part"] in ("test", "all") and spec["split"]["test"]
    number = next_comparison(session, spec) if looked else 1
    alpha, _ = strictness(spec["alpha"], number * (len(spec["candidates"]) - 1))
    tokens = round(sum(shown + replied for _, shown, replied in use.values()))
    calls = answers * (1 + judged)
    notes = _notes(spec, number if looked else 0)
    return Estimate(
        calls, tokens, cost(gateway, spec, use), examples, detectable(examples, UNMEASURED, alpha=alpha), notes
    )


def _notes(spec: Json, number: int) -> tuple[str, ...]:
    """number: which comparison on the test examples it will be, 0 when it reads none of them."""
    notes = list(spec["split"]["notes"])
    if number:
        told = (
            "This reads the test examples, which counts as a look: later tests on this dataset are judged more strictly"
        )
        notes.append(f"{told}. It will be comparison number {number} on them.")
    return tuple(notes)


def start(session: Session, spec: Json, *, name: str = "", cloned_from: str | None = None, once: str = "") -> Run:
    """Queue the run. Enqueue its id after this returns.

    once: an id for the run, made when its form was made: the same form sent twice gives the same run.
    """
    known = session.get(Run, once) if once else None
    if known and known.spec == spec:
        return known
    texts = [Text(**one) for one in spec["candidates"]]
    told = f"{texts[0].name} and {len(texts) - 1} more" if len(texts) > 2 else f"{texts[0].name} and {texts[1].name}"
    run = Run(
        id=once if once and not known else secrets.token_hex(5),
        kind="compare",
        name=(name or f"{told} on {spec['dataset']['name']}")[:200],
        status="queued",
        spec=spec,
        simulated=any(model and model["name"].startswith("simulated/") for model in (spec["primary"], spec["judge"])),
        dataset_id=spec["dataset"]["id"],
        cloned_from=cloned_from,
    )
    return add_once(session, run, once)
