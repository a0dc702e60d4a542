"""Plausible runs in a database, written as the engine writes them: a finished, a running, a paused and a failed training."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.core import stats
from app.core.model import Candidate
from app.ports.llm import ModelRef
from app.store.models import CallRow, Dataset, Event, Example, Prompt, PromptVersion, Run, SampleRow
from tests.web import bank
from tests.web.figures import Scores, mean, paired, samples

START = dt.datetime(2026, 11, 18, 9, 0, tzinfo=dt.UTC)


@dataclass
class Seeded:
    """What ``fill`` wrote."""

    dataset: Dataset
    prompt: Prompt
    finished: Run
    running: Run
    paused: Run
    failed: Run
    queued: Run


def fill(session: Session) -> Seeded:
    """Write everything and commit."""
    dataset = bank.dataset(session)
    prompt = Prompt(name="bank topics", kind="pair", description="Sorts messages of bank customers", tags=["support"])
    prompt.versions.append(
        PromptVersion(number=1, system_prompt=bank.SYSTEM, output_prompt=bank.OUTPUT, digest="1" * 32, author="person")
    )
    session.add(prompt)
    session.flush()
    seeded = Seeded(
        dataset,
        prompt,
        finished=Training(session, "r0finished", dataset, prompt, seed=1).finish(),
        running=Training(session, "r1running", dataset, prompt, seed=2).run_until(3),
        paused=Training(session, "r2paused", dataset, prompt, seed=3).pause(),
        failed=Training(session, "r3failed", dataset, prompt, seed=4).fail(),
        queued=Training(session, "r4queued", dataset, prompt, seed=5).run,
    )
    session.commit()
    return seeded


class Training:
    """One training as its journal grows."""

    def __init__(self, session: Session, run_id: str, dataset: Dataset, prompt: Prompt, *, seed: int) -> None:
        self.session, self.dataset, self.dice = session, dataset, random.Random(seed)
        self.examples = {e.row: e for e in session.query(Example).filter_by(dataset_id=dataset.id)}
        self.bought: set[str] = set()
        self.notes = 0
        self.at = START + dt.timedelta(hours=seed)
        rows = list(range(1, dataset.rows + 1))
        self.dice.shuffle(rows)
        self.parts = {"train": rows[:72], "validation": rows[72:96], "test": rows[96:]}
        self.hard = {str(row): self.dice.random() for row in rows}
        self.run = self._new_run(run_id, prompt)
        self.candidates = [
            self._candidate(bank.SYSTEM, bank.OUTPUT),
            *(self._candidate(s, o) for s, o, _ in bank.EDITS),
        ]

    def _new_run(self, run_id: str, prompt: Prompt) -> Run:
        run = Run(
            id=run_id, kind="train", name=f"bank messages, {run_id[2:]}", status="queued", spec=self._spec(prompt),
            simulated=True,
            dataset_id=self.dataset.id, prompt_id=prompt.id, created_at=self.at,
        )  # fmt: skip
        self.session.add(run)
        self.session.flush()
        return run

    def _spec(self, prompt: Prompt) -> dict[str, Any]:
        return {
            "dataset": {"id": self.dataset.id, "name": self.dataset.name, "digest": self.dataset.digest},
            "split": {"ratios": [60, 20, 20], "seed": 42, "digest": "5" * 32}
            | {name: len(rows) for name, rows in self.parts.items()},
            "prompt": prompt.name,
            "system_prompt": bank.SYSTEM,
            "output_prompt": bank.OUTPUT,
            "primary": {
                "name": "simulated/primary",
                "params": {"temperature": 0.0, "max_output_tokens": 2048, "seed": 42},
                "api_base": None,
            },
            "optimizer": {
                "name": "simulated/optimizer",
                "params": {"temperature": 0.7, "max_output_tokens": 8192, "seed": 42},
                "api_base": None,
            },
            "scorers": [{"name": "exact_match", "casefold": True, "weight": 1.0}],
            "strategy": "auto",
            "instructions": "You improve prompts.\n\n{{failures}}",
            "conflicts": "refuse",
            "acceptance": "improvement",
            "alpha": 0.05,
            "min_delta": 0.0,
            "epochs": 6,
            "batch_size": 16,
            "patience": 3,
            "concurrency": 16,
            "seed": 42,
            "max_prompt_chars": None,
            "max_prompt_tokens": 3000,
            "budget": {"usd": 1.0, "calls": None, "tokens": None, "minutes": None},
            "failures": 8,
            "successes": 2,
            "calls": {"deadline_s": 120.0, "retries": 5, "backoff_s": 1.0, "max_wait_s": 60.0, "circuit_failures": 10},
        }

    def _candidate(self, system: str, output: str) -> Candidate:
        return Candidate(system, output, ModelRef("simulated/primary", {"temperature": 0.0}))

    def note(self, name: str, history: bool = True, **data: object) -> None:
        self.notes += history
        self.at += dt.timedelta(seconds=self.dice.uniform(0.2, 4))
        number = self.notes if history else None
        self.session.add(Event(run_id=self.run.id, note=number, name=name, data=data, at=self.at))

    def tell(self, name: str, **data: object) -> None:
        self.note(name, history=False, **data)

    def examine(self, number: int, split: str, rows: Sequence[int]) -> Scores:
        """Samples and calls of one candidate on some rows; about one in forty fails."""
        scores: Scores = {}
        candidate = self.candidates[number]
        for row in rows:
            example = self.examples[row]
            broken = (row * 7 + number) % 41 == 0
            slip = (row * 13 + number * 5) % 23 == 0
            right = (self.hard[str(row)] < bank.QUALITY[number]) != slip
            answer = (
                ""
                if broken
                else example.reference
                if right
                else bank.LABELS[(bank.LABELS.index(example.reference) + 1 + row % 2) % len(bank.LABELS)]
            )
            right = right or answer == example.reference
            scores[str(row)] = None if broken else float(right)
            key = f"{number}-{split}-{row}"
            if key in self.bought:
                continue
            self.bought.add(key)
            self._sample(key, candidate, row, split, answer, example.reference, broken)
            self._call(key, "primary", "simulated/primary", example.input, answer, broken)
        return scores

    def _sample(
        self, key: str, candidate: Candidate, row: int, split: str, answer: str, reference: str, broken: bool
    ) -> None:
        right = answer == reference
        self.session.add(
            SampleRow(
                run_id=self.run.id, key=key, candidate=candidate.digest, case=str(row), repeat=0, split=split,
                outcome="timed_out" if broken else "scored", score=None if broken else float(right),
                feedback="" if broken else "The answer is right." if right else f'Expected "{reference}", got "{answer}".',
                response=answer, scores=None if broken else {"exact_match": float(right)},
                error="No complete answer within 120 s." if broken else "", calls=1,
                tokens=0 if broken else 61, cost_usd=0.0, seconds=0.2,
            )
        )  # fmt: skip

    def _call(self, key: str, role: str, model: str, text: str, answer: str, broken: bool = False) -> None:
        self.session.add(
            CallRow(
                run_id=self.run.id, key=key, attempts=6 if broken else 1, role=role, model=model, settled=True,
                request={"model": {"name": model, "params": {}}, "messages": [{"role": "user", "content": text}]},
                reserved_usd=0.0, text=answer, error="timed_out" if broken else "", finish_reason="stop",
                prompt_tokens=52, completion_tokens=9, cost_usd=0.00011, ttft_s=0.05, ttlb_s=0.2, retries=5 if broken else 0,
                wait_s=12.5 if broken else 0.0, uncertain=1 if broken else 0, sent_at=self.at, settled_at=self.at,
            )
        )  # fmt: skip

    def run_until(self, epochs: int) -> Run:
        """A training in the middle of an epoch."""
        self.run.status, self.run.started_at = "running", self.at
        self.run.lease_owner, self.run.lease_until, self.run.fence = "worker@here", time.time() + 30, 1
        self._baseline()
        for epoch in range(1, epochs + 1):
            self.epoch(epoch)
        self.progress(epochs)
        return self.run

    def progress(self, epochs: int) -> None:
        """In the middle of validating after so many epochs."""
        self.tell("progress", stage=f"epoch {epochs + 1}: validating", done=41, total=96, fraction=0.43, eta_s=94.0,
                  calls=186, tokens=11_346, cost_usd=0.0205)  # fmt: skip

    def _baseline(self) -> None:
        self.note("plan", train_n=72, validation_n=24, test_n=24, epochs=6, batch_size=16, strategy="auto",
                  acceptance="improvement", patience=3)  # fmt: skip
        self.validation = {0: self.examine(0, "validation", self.parts["validation"])}
        self.best = 0
        first = self.candidates[0]
        self.note("baseline", number=0, digest=first.digest, system_prompt=bank.SYSTEM, output_prompt=bank.OUTPUT,
                  validation=mean(self.validation[0]))  # fmt: skip
        self.note("log", level="info", text="The initial prompts are scored; training begins.")

    def epoch(self, epoch: int) -> None:
        """One proposal, tried and settled."""
        number, parent = epoch, self.best
        batch = self.dice.sample(self.parts["train"], 16)
        seen = self.examine(parent, "train", batch)
        failures = sum(1 for s in seen.values() if s == 0)
        self.note("epoch", epoch=epoch, parent=parent, batch=mean(seen), failures=failures)
        figures, fate, why = self._try(number, batch, seen)
        system, output, reasoning = bank.EDITS[number - 1]
        self._call(f"propose-{epoch}", "optimizer", "simulated/optimizer", "You improve prompts...", reasoning)
        self.note("proposal", epoch=epoch, number=number, parent=parent, digest=self.candidates[number].digest,
                  strategy="targeted_edit", system_prompt=system, output_prompt=output, reasoning=reasoning,
                  fate=fate, why=why, **figures)  # fmt: skip
        if fate == "invalid":
            self.note(
                "log",
                level="warning",
                text=f"Epoch {epoch}: the optimizer's reply was malformed, also after one repair.",
            )
        self.best = number if fate == "accepted" else self.best
        self._end_epoch(epoch, seen, figures["validation"])

    def _try(self, number: int, batch: Sequence[int], seen: Scores) -> tuple[dict[str, Any], str, str]:
        """The figures of a proposal, its fate and the reason."""
        figures: dict[str, Any] = {"batch": None, "gate": None, "validation": None, "paired": None}
        if not bank.EDITS[number - 1][0]:
            return figures, "invalid", "The optimizer's reply could not be read."
        tried = self.examine(number, "train", batch)
        figures |= {"batch": mean(tried), "gate": paired(seen, tried)}
        if figures["gate"]["delta"] < 0:
            return figures, "rejected", "Worse than its parent on the minibatch."
        self.validation[number] = self.examine(number, "validation", self.parts["validation"])
        against = paired(self.validation[self.best], self.validation[number])
        figures |= {"validation": mean(self.validation[number]), "paired": against}
        if against["delta"] > 0:
            return figures, "accepted", "Better on the same validation examples."
        return figures, "rejected", "No improvement on validation."

    def _end_epoch(self, epoch: int, seen: Scores, validation: dict[str, Any] | None) -> None:
        self.tell("progress", stage=f"epoch {epoch}", done=epoch, total=6, fraction=epoch / 8, eta_s=30.0 * (6 - epoch),
                  calls=60 * epoch, tokens=3700 * epoch, cost_usd=0.0066 * epoch)  # fmt: skip
        self.note("epoch_end", epoch=epoch, train=mean(seen), validation=validation,
                  best=mean(self.validation[self.best]), best_number=self.best, stale=0)  # fmt: skip

    def finish(self) -> Run:
        """All epochs, the sealed test and the verdict."""
        self.run_until(6)
        return self.end()

    def end(self) -> Run:
        """The sealed test and the verdict."""
        first, last = (self.examine(n, "test", self.parts["test"]) for n in (0, self.best))
        test = {
            "initial": mean(first),
            "final": mean(last),
            "paired": paired(first, last),
        }
        self.note("test", **test)
        verdict, sentence = stats.verdict(stats.paired(samples(first), samples(last), seed=42))
        self.note("verdict", verdict=verdict, sentence=sentence)
        prompts = {n: {"number": n, "digest": self.candidates[n].digest, "system_prompt": self.candidates[n].system_prompt,
                       "output_prompt": self.candidates[n].output_prompt} for n in (0, self.best)}  # fmt: skip
        validation = {k: mean(self.validation[n]) for k, n in (("initial", 0), ("final", self.best))}
        self.run.outcome = {
            "verdict": verdict, "sentence": sentence, "simulated": True, "initial": prompts[0], "final": prompts[self.best],
            "validation": validation, "test": test, "gap": validation["final"]["mean"] - test["final"]["mean"],
            "epochs": 6, "proposals": 6, "accepted": 2, "stopped_by": "max_epochs", "stopped_why": "All 6 epochs are done.",
        }  # fmt: skip
        self.run.status, self.run.ended_at = "done", self.at
        self.run.lease_owner, self.run.lease_until = "", 0.0
        self.tell("status", status="done", reason="")
        return self.run

    def pause(self) -> Run:
        """A training that a provider stopped."""
        self.run_until(1)
        self.run.status, self.run.lease_owner, self.run.lease_until = "paused", "", 0.0
        self.run.reason = (
            "openai/gpt-5-mini answers 401: the key was refused. Nothing is lost; correct the key and resume."
        )
        return self.run

    def fail(self) -> Run:
        """A training that could not begin."""
        self.run.status, self.run.reason = "failed", "The data of this run is damaged: example 14 is missing."
        self.run.started_at = self.run.ended_at = self.at
        return self.run
