"""Where versions come from and where they are used: lineage, runs, and what a finished run leaves in the library."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ports.llm import Json
from app.services.prompts.checks import Content
from app.services.prompts.library import SETTLED, as_version, head
from app.services.prompts.versions import lock
from app.store.models import Prompt, PromptVersion, Run


class Note(Protocol):
    """One entry of a run's history."""

    @property
    def name(self) -> str:
        """What kind of entry: "baseline", "proposal"..."""
        ...

    @property
    def data(self) -> Json:
        """What it says."""
        ...


@dataclass(frozen=True)
class Node:
    """A version in the lineage graph.

    parent: number of the version it was made from. score: its mean on validation, None when no run measured it.
    """

    number: int
    parent: int | None
    author: str
    fate: str
    run_id: str | None
    labels: tuple[str, ...]
    score: float | None
    is_head: bool
    created_at: dt.datetime

    @property
    def refused(self) -> bool:
        """True for a proposal that was not accepted."""
        return self.fate not in SETTLED


@dataclass(frozen=True)
class Use:
    """A run that trained or tested a prompt. started_from: number of the version whose text it began with, if there is one."""

    run: Run
    started_from: int | None


def lineage(session: Session, prompt: Prompt) -> list[Node]:
    """The graph of all versions, by number; each node names its parent."""
    session.refresh(prompt, ["versions", "labels"])
    numbers = {v.id: v.number for v in prompt.versions}
    current = head(prompt)
    return [
        Node(
            number=v.number,
            parent=numbers.get(v.parent_id) if v.parent_id else None,
            author=v.author,
            fate=v.fate,
            run_id=v.run_id,
            labels=tuple(one.label for one in prompt.labels if one.version_id == v.id),
            score=validation_score(v),
            is_head=v is current,
            created_at=v.created_at,
        )
        for v in prompt.versions
    ]


def validation_score(version: PromptVersion) -> float | None:
    """The mean that a run measured for a version on its validation examples."""
    mean: float | None = (version.scores.get("validation") or {}).get("mean")
    return mean


def used_by(session: Session, prompt: Prompt, *, limit: int = 100) -> list[Use]:
    """The runs of this prompt, the newest first."""
    query = (
        select(Run)
        .where(Run.prompt_id == prompt.id, Run.deleted_at.is_(None))
        .order_by(Run.created_at.desc(), Run.id)
        .limit(limit)
    )
    by_digest = {v.digest: v.number for v in reversed(prompt.versions) if v.fate in SETTLED}
    return [Use(run, by_digest.get(_started_with(run).digest)) for run in session.scalars(query)]


def _started_with(run: Run) -> Content:
    return Content("pair", run.spec.get("system_prompt", ""), run.spec.get("output_prompt", ""))


def adopt(session: Session, run: Run, notes: Iterable[Note]) -> None:
    """Put what a run tried into the library: a version for each proposal, accepted or not, with parent, reasoning and scores.

    The run's initial prompt becomes a version too, unless there is one with its text. Doing it again changes nothing. Does not
    commit: it belongs to the transaction that ends the run.
    """
    if run.prompt is None:
        return
    lock(session, run.prompt)
    adopted = {v.run_number: v for v in run.prompt.versions if v.run_id == run.id}
    final: PromptVersion | None = None
    for note in notes:
        if note.name == "baseline":
            adopted[0] = final = adopted.get(0) or _initial(run.prompt, run, note.data)
            _score(adopted[0], run, {"validation": note.data["validation"]})
        elif note.name == "proposal" and note.data["number"] not in adopted:
            adopted[note.data["number"]] = _proposal(run.prompt, run, note.data, adopted.get(note.data["parent"]))
        elif note.name == "test" and final is not None:
            _score(adopted[0], run, {"test": note.data["initial"]})
            _score(final, run, {"test": note.data["final"]})
        elif note.name == "shortened":
            _score(adopted[note.data["number"]], run, {"test": note.data["mean"]})
        if note.name == "proposal" and note.data["fate"] == "accepted":
            final = adopted[note.data["number"]]
    session.flush()


def _initial(prompt: Prompt, run: Run, data: Json) -> PromptVersion:
    content = Content("pair", data["system_prompt"], data["output_prompt"])
    same = [v for v in prompt.versions if v.digest == content.digest]
    if same:
        return next((v for v in reversed(same) if v.fate in SETTLED), same[-1])
    version = as_version(content, prompt.versions[-1].number + 1, "person")
    version.parent, version.run_id, version.run_number = head(prompt), run.id, 0
    version.reasoning = "Typed into the form of the run."
    prompt.versions.append(version)
    return version


def _proposal(prompt: Prompt, run: Run, data: Json, parent: PromptVersion | None) -> PromptVersion:
    content = Content("pair", data["system_prompt"], data["output_prompt"])
    version = as_version(content, prompt.versions[-1].number + 1, "run")
    version.parent, version.run_id, version.run_number = parent, run.id, data["number"]
    version.fate, version.reasoning = data["fate"], data["reasoning"]
    found = {
        key: data[key] for key in ("why", "epoch", "strategy", "batch", "validation", "gate", "paired") if data.get(key)
    }
    version.scores = {"run": run.id, **found}
    prompt.versions.append(version)
    return version


def _score(version: PromptVersion, run: Run, found: Json) -> None:
    """Add scores of this run to a version; those of another run are replaced as a whole, never mixed."""
    mine = version.scores if (version.scores or {}).get("run") == run.id else {"run": run.id}
    version.scores = {**mine, **found}
