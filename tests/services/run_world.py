"""A small training with its whole record, as a worker would have left it."""

from __future__ import annotations

import asyncio

from sqlalchemy.orm import Session

from app.core.stats import mean_of, paired
from app.ports.journal import CallIntent, CallResult, Outcome, Sample
from app.ports.llm import Json, Usage
from app.services import prompts
from app.store import claims
from app.store.database import Database
from app.store.journal import SqlJournal
from app.store.models import Dataset, Example, Prompt, Run

RUN = "run1"
OLD, NEW, BAD = "a" * 32, "b" * 32, "c" * 32
CASES = 10
TEXTS = {
    OLD: ("Answer the question.", "Reply with one word."),
    NEW: ("Answer the question <b>exactly</b>.", "Reply with one word, in lower case."),
    BAD: ("Guess.", "Reply."),
}


def add_run(database: Database, run_id: str = RUN, *, name: str = "First training") -> None:
    """A queued training of prompt "greeting" on dataset "questions", which are made when they are missing."""
    with database.session() as session:
        dataset = session.query(Dataset).one_or_none() or _dataset()
        session.add(dataset)
        prompt = session.query(Prompt).one_or_none() or _prompt(session)
        run = Run(id=run_id, kind="train", name=name, status="queued", spec=spec(dataset), simulated=True)
        run.dataset_id, run.prompt_id = dataset.id, prompt.id
        session.add(run)
        session.commit()


def _prompt(session: Session) -> Prompt:
    system, output = TEXTS[OLD]
    return prompts.create(session, "greeting", kind="pair", system_prompt=system, output_prompt=output)


def _dataset() -> Dataset:
    return Dataset(name="questions", digest="d1", source="questions.csv", rows=CASES, report={}, statistics={})


def add_examples(database: Database) -> None:
    """The examples of the dataset. One input tries to be a formula, one to be HTML."""
    with database.session() as session:
        dataset = session.query(Dataset).one()
        for row in range(1, CASES + 1):
            given = {1: '=HYPERLINK("http://x")', 2: "<script>alert(1)</script>"}.get(row, f"question {row}")
            session.add(Example(dataset_id=dataset.id, row=row, input=given, reference=f"answer {row}", extra={}))
        session.commit()


def spec(dataset: Dataset) -> Json:
    """What the run was told."""
    model = {"name": "simulated/primary", "params": {"temperature": 0.0}, "api_base": None}
    return {
        "dataset": {"id": dataset.id, "name": dataset.name, "digest": dataset.digest},
        "split": {"ratios": [0, 0, 100], "seed": 1, "digest": "s", "train": 0, "validation": 0, "test": CASES},
        "prompt": "greeting",
        "system_prompt": TEXTS[OLD][0],
        "output_prompt": TEXTS[OLD][1],
        "primary": model,
        "optimizer": model | {"name": "simulated/optimizer"},
        "scorers": [{"name": "exact_match"}],
        "strategy": "auto",
        "instructions": "",
        "epochs": 2,
        "batch_size": 4,
        "seed": 1,
        "budget": {"usd": 1.0, "calls": None, "tokens": None, "minutes": None},
        "calls": {"on_uncertain": "repeat"},
    }


def samples_of(candidate: str, scores: list[float | None], split: str = "test") -> list[Sample]:
    """One sample per case; None is a failed call."""
    return [_sample(candidate, case, score, split) for case, score in enumerate(scores, start=1)]


def _sample(candidate: str, case: int, score: float | None, split: str) -> Sample:
    outcome: Outcome = "provider_error" if score is None else "scored"
    return Sample(
        key=f"{candidate[:8]}{case:04}{split}",
        candidate=candidate,
        case=str(case),
        repeat=0,
        split=split,
        outcome=outcome,
        score=score,
        feedback="Right." if score else "Expected something else.",
        response="" if score is None else f"+answer {case}" if score else "'quoted",
        scores=None if score is None else {"exact_match": score},
        error="the server is busy" if score is None else "",
        calls=1,
        tokens=12,
        cost_usd=0.001,
        seconds=0.2,
    )


BEFORE = samples_of(OLD, [0, 0, 0, 1, 1, 1, 0, 0, None, 1])
AFTER = samples_of(NEW, [1, 1, 1, 1, 1, 0, 0, 1, 1, None])


def train(database: Database, run_id: str = RUN, *, finish: bool = True) -> None:
    """Do what a worker does with the run, up to its end or in the middle of it."""
    claim = claims.claim(database, run_id, "worker")
    assert claim is not None
    journal = SqlJournal(database, claim)
    asyncio.run(_work(journal))
    journal.stop()
    if finish:
        with database.session() as session:
            claims.finish(session, claim, status="done", outcome=outcome())
            session.commit()


async def _work(journal: SqlJournal) -> None:
    for number, sample in enumerate([*BEFORE, *AFTER]):
        key = f"{sample.key}/0:{number}"
        await journal.intend(CallIntent(key, 1, "primary", "simulated/primary", {"messages": []}, 0.002))
        error = "server_fault" if sample.outcome == "provider_error" else ""
        journal.settle(
            key, CallResult(sample.response, error, "stop", Usage(10, 2), 0.001, ttlb_s=0.2, retries=4 if error else 0)
        )
        journal.keep(sample)
    await journal.intend(CallIntent("propose/1/0:x", 1, "optimizer", "simulated/optimizer", {"messages": []}, 0.01))
    for number, (name, data) in enumerate(history(), start=1):
        journal.note(number, name, data)
    journal.tell("progress", progress(0.5))
    journal.tell("progress", progress(1.0))
    await journal.flush()


def progress(fraction: float) -> Json:
    """What a run tells on its way."""
    about = {"stage": "sealed test", "done": 5, "total": 10, "fraction": fraction, "eta_s": 12.5}
    return about | {"calls": 20, "tokens": 240, "cost_usd": 0.02}


def history() -> list[tuple[str, Json]]:
    """The notes of the training."""
    old, new = mean_of(BEFORE).as_json(), mean_of(AFTER).as_json()
    comparison = paired(BEFORE, AFTER, seed=1).as_json()
    return [
        ("plan", {"train_n": 0, "validation_n": 0, "test_n": CASES, "epochs": 2, "batch_size": 4, "strategy": "auto"}),
        ("baseline", _version(0, OLD) | {"validation": old}),
        ("epoch", {"epoch": 1, "parent": 0, "batch": old, "failures": 3}),
        ("proposal", _proposal(1, BAD, "rejected", "minibatch gate: worse") | {"batch": old, "gate": comparison}),
        ("proposal", _proposal(2, NEW, "accepted", "better") | {"validation": new, "paired": comparison}),
        ("epoch_end", _epoch_end(1, old, new)),
        ("epoch_end", _epoch_end(2, old, None)),
        ("log", {"level": "warning", "text": "The optimiser's reply was malformed."}),
        ("test", {"initial": old, "final": new, "paired": comparison}),
        ("verdict", {"verdict": "ship", "sentence": "Ship the new prompts: they are better."}),
    ]


def _epoch_end(epoch: int, train: Json, validation: Json) -> Json:
    best = mean_of(AFTER).as_json()
    return {
        "epoch": epoch,
        "train": train,
        "validation": validation,
        "best": best,
        "best_number": 2,
        "stale": epoch - 1,
    }


def _version(number: int, digest: str) -> Json:
    system, output = TEXTS[digest]
    return {"number": number, "digest": digest, "system_prompt": system, "output_prompt": output}


def _proposal(number: int, digest: str, fate: str, why: str) -> Json:
    about = {"epoch": 1, "parent": 0, "strategy": "full_rewrite", "reasoning": "Because <i>it</i> was vague."}
    nothing = {"batch": None, "gate": None, "validation": None, "paired": None}
    return _version(number, digest) | about | nothing | {"fate": fate, "why": why}


def outcome() -> Json:
    """How the training came out."""
    test = dict(history())["test"]
    return {
        "verdict": "ship",
        "sentence": "Ship the new prompts: they are better.",
        "simulated": True,
        "initial": _version(0, OLD),
        "final": _version(2, NEW),
        "validation": {"initial": test["initial"], "final": test["final"]},
        "test": test,
        "gap": 0.01,
        "epochs": 2,
        "proposals": 2,
        "accepted": 1,
        "stopped_by": "max_epochs",
        "stopped_why": "all 2 epochs are done",
    }
