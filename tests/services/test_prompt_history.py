"""What runs leave in the library: versions with parents, reasons and scores, a lineage, a list of uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.ports.llm import Json
from app.services import prompts
from app.store.models import Prompt, Run


@dataclass(frozen=True)
class Note:
    """An entry of a run's history."""

    name: str
    data: Json


def mean(value: float) -> Json:
    return {"mean": value, "n": 20, "asked": 20, "low": value - 0.1, "high": value + 0.1}


def proposal(number: int, parent: int, fate: str, text: str, value: float | None = None) -> Note:
    data: dict[str, Any] = {
        "epoch": number,
        "number": number,
        "parent": parent,
        "digest": "d",
        "strategy": "full_rewrite",
    }
    data |= {"system_prompt": text, "output_prompt": "", "reasoning": f"because {number}", "fate": fate, "why": "so"}
    data |= {"batch": mean(0.5), "gate": None, "validation": mean(value) if value is not None else None, "paired": None}
    return Note("proposal", data)


def history(initial: str) -> list[Note]:
    return [
        Note("plan", {"epochs": 3}),
        Note("baseline", {"number": 0, "system_prompt": initial, "output_prompt": "", "validation": mean(0.4)}),
        proposal(1, 0, "rejected", "Worse", 0.3),
        proposal(2, 0, "accepted", "Better", 0.6),
        proposal(3, 2, "invalid", "Leaky"),
        Note("test", {"initial": mean(0.41), "final": mean(0.55), "paired": {"delta": 0.14}}),
        Note("verdict", {"verdict": "ship", "sentence": "Ship it."}),
    ]


@pytest.fixture
def prompt(session: Session) -> Prompt:
    return prompts.create(session, "support", system_prompt="Start")


def run_of(session: Session, prompt: Prompt | None, run_id: str = "r1", system_prompt: str = "Start") -> Run:
    spec = {"system_prompt": system_prompt, "output_prompt": ""}
    run = Run(id=run_id, kind="train", name=run_id, status="running", spec=spec, simulated=True)
    run.prompt_id = prompt.id if prompt else None
    session.add(run)
    session.commit()
    return run


def test_every_proposal_becomes_a_version_with_its_parent(session: Session, prompt: Prompt) -> None:
    prompts.adopt(session, run_of(session, prompt), history("Start"))
    session.commit()
    first, worse, better, leaky = prompt.versions
    assert [(v.number, v.system_prompt, v.fate, v.author) for v in prompt.versions] == [
        (1, "Start", "", "person"),
        (2, "Worse", "rejected", "run"),
        (3, "Better", "accepted", "run"),
        (4, "Leaky", "invalid", "run"),
    ]
    assert [v.parent for v in prompt.versions] == [None, first, first, better]
    assert (worse.reasoning, worse.run_id, worse.run_number) == ("because 1", "r1", 1)
    assert worse.scores["why"] == "so"
    assert first.scores == {"run": "r1", "validation": mean(0.4), "test": mean(0.41)}
    assert better.scores["test"] == mean(0.55)
    assert "validation" not in leaky.scores
    assert prompts.head(prompt) is better


def test_adopting_twice_changes_nothing(session: Session, prompt: Prompt) -> None:
    run = run_of(session, prompt)
    prompts.adopt(session, run, history("Start")[:4])
    prompts.adopt(session, run, history("Start"))
    session.commit()
    before = [(v.number, v.digest, v.parent_id, v.scores) for v in prompt.versions]
    prompts.adopt(session, run, history("Start"))
    session.commit()
    assert [(v.number, v.digest, v.parent_id, v.scores) for v in prompt.versions] == before
    assert len(before) == 4


def test_adopting_belongs_to_the_callers_transaction(session: Session, prompt: Prompt) -> None:
    prompts.adopt(session, run_of(session, prompt), history("Start"))
    session.rollback()
    assert len(prompts.versions(session, prompt)) == 1


def test_a_text_that_was_typed_for_the_run_becomes_a_version_of_the_person(session: Session, prompt: Prompt) -> None:
    prompts.adopt(session, run_of(session, prompt, system_prompt="Typed"), history("Typed"))
    session.commit()
    typed = prompt.versions[1]
    assert (typed.author, typed.fate, typed.run_number, typed.parent) == ("person", "", 0, prompt.versions[0])
    assert prompt.versions[3].parent is typed


def test_a_second_run_replaces_the_scores_of_its_start(session: Session, prompt: Prompt) -> None:
    prompts.adopt(session, run_of(session, prompt), history("Start"))
    second = [Note("baseline", {"number": 0, "system_prompt": "Better", "output_prompt": "", "validation": mean(0.7)})]
    prompts.adopt(session, run_of(session, prompt, "r2", "Better"), second)
    session.commit()
    assert len(prompt.versions) == 4
    assert prompt.versions[2].scores == {"run": "r2", "validation": mean(0.7)}


def test_a_run_without_a_prompt_leaves_nothing(session: Session) -> None:
    prompts.adopt(session, run_of(session, None), history("Start"))


def test_the_lineage_names_parents_labels_and_scores(session: Session, prompt: Prompt) -> None:
    prompts.adopt(session, run_of(session, prompt), history("Start"))
    session.commit()
    prompts.set_label(session, prompt, "production", prompt.versions[2])
    nodes = prompts.lineage(session, prompt)
    assert [(n.number, n.parent, n.fate, n.labels, n.score, n.is_head) for n in nodes] == [
        (1, None, "", (), 0.4, False),
        (2, 1, "rejected", (), 0.3, False),
        (3, 1, "accepted", ("production",), 0.6, True),
        (4, 3, "invalid", (), None, False),
    ]


def test_used_by_says_from_which_version_a_run_started(session: Session, prompt: Prompt) -> None:
    prompts.save_version(session, prompt, system_prompt="Second")
    run_of(session, prompt, "a", "Start")
    run_of(session, prompt, "b", "Second")
    run_of(session, prompt, "c", "Elsewhere")
    run_of(session, None, "d")
    assert {use.run.id: use.started_from for use in prompts.used_by(session, prompt)} == {"a": 1, "b": 2, "c": None}
    assert len(prompts.used_by(session, prompt, limit=2)) == 2
