"""Evidence and an ask that answers from a script, for tests of the strategies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.core.model import Candidate, Case
from app.core.optimizers import Evidence, Member, Outlook, Past, Seen, Trial
from app.ports.journal import CallResult, Sample
from app.ports.llm import Json, Message, ModelRef

FOLDER = Path(__file__).parents[3] / "prompts"
OPTIMIZER = ModelRef("simulated/optimizer", {"temperature": 0.7})
PARENT = Candidate("Classify the message.\nBe brief.", "Answer.", ModelRef("simulated/primary"))
TRAIN = tuple(Case(str(i), f"message {i} about {'ab'[i % 2]}", f"label_{'ab'[i % 2]}", "train") for i in range(40))


def row(case: Case, score: float, answer: str = "wrong") -> Seen:
    feedback = "" if score == 1 else f'Expected "{case.reference}", got "{answer}".'
    return Seen(case, Sample(case.id, "c", case.id, 0, "train", "scored", score, feedback, answer))


def body(path: Path) -> str:
    """A shipped prompt without its front matter."""
    return path.read_text("utf-8").split("\n---\n", 1)[1].lstrip("\n")


def member(number: int, candidate: Candidate = PARENT, parents: tuple[int, ...] = (), **scores: float) -> Member:
    """A member of the pool; its mean is that of the scores given by case id (0.5 on one case when there are none)."""
    scores = scores or {"v1": 0.5}
    return Member(number, candidate, parents, scores, sum(scores.values()) / len(scores), complete=True)


def outlook(*members: Member, best: int = 0, epoch: int = 1, trials: tuple[Trial, ...] = (), seed: int = 7) -> Outlook:
    return Outlook(epoch, seed, best, members or (member(0),), trials)


def evidence(strategy: str = "full_rewrite", **changes: object) -> Evidence:
    settings: dict[str, object] = {
        "parent": PARENT,
        "failures": (row(TRAIN[0], 0.0), row(TRAIN[2], 0.0)),
        "successes": (row(TRAIN[1], 1.0, "label_b"),),
        "rejected": (Past("tried before", "so too", "hoped for the best", "rejected", "no improvement", -0.1),),
        "task_hint": "Answers are scored by exact_match.",
        "train": TRAIN,
        "epoch": 1,
        "seed": 7,
        "max_prompt_chars": 4000,
        "optimizer": OPTIMIZER,
        "instructions": body(FOLDER / f"optimizer/{strategy}.md"),
        "outlook": outlook(epoch=int(str(changes.get("epoch", 1)))),
    }
    return Evidence(**(settings | changes))  # type: ignore[arg-type]


class ScriptedAsk:
    """Gives the scripted replies in turn and keeps what it was asked."""

    def __init__(self, *replies: str | CallResult) -> None:
        self._replies = list(replies)
        self.asked: list[list[Message]] = []
        self.schemas: list[Json] = []

    async def __call__(
        self, role: str, model: ModelRef, messages: Sequence[Message], response_schema: Json = None
    ) -> CallResult:
        assert (role, model) == ("optimizer", OPTIMIZER)
        self.asked.append(list(messages))
        self.schemas.append(response_schema)
        reply = self._replies.pop(0)
        return reply if isinstance(reply, CallResult) else CallResult(reply, finish_reason="stop")
