"""What a training's history says, read once from its notes: versions, epochs, test, verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.ports.llm import Json

Figure = Mapping[str, Any]
"""A mean or a paired comparison as app.core.stats writes it to JSON."""

INITIAL = "initial"


class Noted(Protocol):
    """One event of a run's history."""

    @property
    def name(self) -> str: ...
    @property
    def data(self) -> Json: ...


@dataclass(frozen=True)
class Version:
    """The prompts that a run started with (number 0) or tried, and what became of them."""

    number: int
    digest: str
    system_prompt: str
    output_prompt: str
    fate: str
    epoch: int = 0
    parent: int | None = None
    strategy: str = ""
    reasoning: str = ""
    why: str = ""
    batch: Figure | None = None
    gate: Figure | None = None
    validation: Figure | None = None
    paired: Figure | None = None

    @property
    def readable(self) -> bool:
        """False when the optimizer's reply held no prompts."""
        return bool(self.system_prompt or self.output_prompt)


@dataclass(frozen=True)
class EpochEnd:
    """Where the training stood after an epoch; epoch 0 is the baseline."""

    epoch: int
    train: Figure | None
    validation: Figure | None
    best: Figure | None
    best_number: int
    gain: float | None = None
    usd: float | None = None
    usd_per_point: float | None = None
    """What a further point of score was expected to cost then."""

    @property
    def usd_of_point(self) -> float | None:
        """What each point that the epoch gained did cost; None when it gained none or its price is unknown."""
        return self.usd / (100 * self.gain) if self.gain and self.usd is not None else None


@dataclass
class Story:
    """A training as far as it has come."""

    plan: Figure = field(default_factory=dict)
    versions: dict[int, Version] = field(default_factory=dict)
    ends: list[EpochEnd] = field(default_factory=list)
    test: Figure | None = None
    shortening: Figure | None = None
    standings: list[Figure] = field(default_factory=list)
    """Of a benchmark: its configs as they stood last."""
    runs: int = 0
    """Of a benchmark: runs that are done."""

    @property
    def initial(self) -> Version | None:
        """The prompts that the run began with, once they are scored."""
        return self.versions.get(0)

    @property
    def best(self) -> Version | None:
        """The best version so far, by validation."""
        return self.versions.get(self.ends[-1].best_number) if self.ends else self.initial

    @property
    def prices(self) -> list[EpochEnd]:
        """The epochs whose gain and price were taken down."""
        return [end for end in self.ends if end.gain is not None]

    @property
    def proposals(self) -> list[Version]:
        """Every proposal, newest first."""
        return sorted((v for v in self.versions.values() if v.number), key=lambda v: -v.number)

    def parent(self, version: Version) -> Version | None:
        """What the version was made from."""
        return None if version.parent is None else self.versions.get(version.parent)


def read(notes: Iterable[Noted]) -> Story:
    """The story that the notes tell, in their order; what is missing from a note is simply not shown."""
    story = Story()
    for note in notes:
        data = note.data if isinstance(note.data, dict) else {}
        if note.name == "plan":
            story.plan = data
        elif note.name == "baseline":
            first = Version(0, data.get("digest", ""), *_texts(data), INITIAL, validation=data.get("validation"))
            story.versions[0] = first
            story.ends.append(EpochEnd(0, None, first.validation, first.validation, 0))
        elif note.name == "proposal":
            version = _proposal(data)
            story.versions[version.number] = version
        elif note.name == "epoch_end":
            story.ends.append(_epoch_end(data))
        elif note.name == "test":
            story.test = data
        elif note.name == "shortening":
            story.shortening = data
        elif note.name in ("answers", "run_end"):
            story.standings = data.get("standings", [])
            story.runs = data.get("number", 0) if note.name == "run_end" else story.runs
    return story


def _texts(data: Figure) -> tuple[str, str]:
    return str(data.get("system_prompt") or ""), str(data.get("output_prompt") or "")


def _proposal(data: Figure) -> Version:
    system, output = _texts(data)
    return Version(
        number=data.get("number", 0),
        digest=data.get("digest") or "",
        system_prompt=system,
        output_prompt=output,
        fate=data.get("fate", ""),
        epoch=data.get("epoch", 0),
        parent=data.get("parent"),
        strategy=data.get("strategy", ""),
        reasoning=data.get("reasoning") or "",
        why=data.get("why") or "",
        batch=data.get("batch"),
        gate=data.get("gate"),
        validation=data.get("validation"),
        paired=data.get("paired"),
    )


def _epoch_end(data: Figure) -> EpochEnd:
    return EpochEnd(
        epoch=data.get("epoch", 0),
        train=data.get("train"),
        validation=data.get("validation"),
        best=data.get("best"),
        best_number=data.get("best_number", 0),
        gain=data.get("gain"),
        usd=data.get("usd"),
        usd_per_point=data.get("usd_per_point"),
    )


def curves(story: Story) -> Json:
    """The figures of the learning curves, one entry an epoch, for the chart script."""
    return {
        "epochs": [end.epoch for end in story.ends],
        "train": [_mean(end.train) for end in story.ends],
        "train_interval": [_interval(end.train) for end in story.ends],
        "validation": [_mean(end.validation) for end in story.ends],
        "best": [_mean(end.best) for end in story.ends],
        "low": [_mean(end.best, "low") for end in story.ends],
        "high": [_mean(end.best, "high") for end in story.ends],
        "best_n": [_mean(end.best, "n") for end in story.ends],
        "baseline": _mean(story.initial.validation) if story.initial else None,
        "proposals": [
            {
                "epoch": v.epoch,
                "number": v.number,
                "fate": v.fate,
                "validation": _mean(v.validation),
                "interval": _interval(v.validation),
            }
            for v in reversed(story.proposals)
        ],
        "planned": None if story.test else story.plan.get("epochs"),
        "test": {k: _mean(story.test.get(k)) for k in ("initial", "final")}
        | {"final_interval": _interval(story.test.get("final"))}
        if story.test
        else None,
    }


def _interval(figure: Figure | None) -> list[float | None] | None:
    """Low end, high end and n."""
    return [figure["low"], figure["high"], figure.get("n")] if figure and figure.get("low") is not None else None


def _mean(figure: Figure | None, key: str = "mean") -> float | None:
    return figure.get(key) if figure else None
