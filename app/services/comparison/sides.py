"""What is compared: versions of runs, as ``RUN:NUMBER`` names them; without a number it is the run's final version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.services.errors import Invalid, NotFound, Problem
from app.services.runs.lookup import get
from app.services.runs.record import notes
from app.store.models import Event, Run

FEWEST, MOST = 2, 8
"""How many versions are compared at once."""
FIELD = "of"
"""What the address, the API and the command line call one of them."""
LONGEST = 40


@dataclass(frozen=True, slots=True)
class Version:
    """Prompts that a run has tried. number: within the run, 0 the first. name: "" but where a run gave its candidates names.

    model: of the run, or the candidate's own.
    """

    number: int
    digest: str
    system_prompt: str
    output_prompt: str
    fate: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """A version of a run."""

    run: Run
    version: Version

    @property
    def address(self) -> str:
        """How it is named at every door."""
        return f"{self.run.id}:{self.version.number}"

    @property
    def title(self) -> str:
        """How pages call the version within its run."""
        return self.version.name or (
            "Initial prompts" if not self.version.number else f"Proposal {self.version.number}"
        )


def sides(session: Session, named: Sequence[str]) -> list[Side]:
    """The versions that are named, in that order, each once.

    Raises: Invalid with every problem, when one is not there (any more), or when there are fewer than two or more than eight.
    """
    names = list(dict.fromkeys(name.strip() for name in named if name.strip()))
    problems = []
    if len(names) > MOST:
        problems.append(Problem(FIELD, f"at most {MOST} versions can stand side by side; these are {len(names)}"))
        raise Invalid(problems)
    found = []
    for name in names:
        try:
            found.append(side(session, name))
        except Invalid as error:
            problems += error.problems
    distinct = list({one.address: one for one in found}.values())
    if not problems and len(distinct) < FEWEST:
        problems.append(Problem(FIELD, f"choose at least {FEWEST} different runs or versions to compare"))
    if problems:
        raise Invalid(problems)
    return distinct


def side(session: Session, named: str) -> Side:
    """One version, as ``RUN`` or ``RUN:NUMBER``. Raises: Invalid."""
    run_id, _, number = named[: LONGEST + 1].strip().partition(":")
    try:
        run = get(session, run_id)
    except NotFound:
        raise Invalid([Problem(FIELD, f"there is no run {run_id[:LONGEST]}; it may have been deleted")]) from None
    known = versions(notes(session, run.id))
    if not number:
        version = known.get(_final(run, known))
    else:
        version = known.get(int(number)) if number.isascii() and number.isdigit() and len(number) < 9 else None
    if version is None:
        told = f"no version {number[:20]}" if number else "no version that was scored"
        raise Invalid([Problem(FIELD, f"run {run_id} has {told}")])
    return Side(run, version)


def versions(history: Iterable[Event]) -> dict[int, Version]:
    """Every version that a run's notes tell of and that can be read, by number."""
    found: dict[int, Version] = {}
    for note in history:
        data = note.data if isinstance(note.data, dict) else {}
        if note.name in ("baseline", "proposal", "candidate") and data.get("digest"):
            texts = (str(data.get("system_prompt") or ""), str(data.get("output_prompt") or ""))
            fate = "initial" if note.name == "baseline" else str(data.get("fate") or "")
            version = Version(int(data["number"]), str(data["digest"]), *texts, fate, str(data.get("title") or ""))
            found[version.number] = version
    return found


def _final(run: Run, known: dict[int, Version]) -> int:
    """The version that the run ended with; before its end the last that was accepted."""
    final = (run.outcome or {}).get("final") or {}
    if final.get("number") is not None:
        return int(final["number"])
    accepted = [number for number, version in known.items() if version.fate == "accepted"]
    return max(accepted, default=min(known, default=0))
