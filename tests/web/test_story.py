"""What a history says, also when it is short or odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.web import story


@dataclass(frozen=True)
class Note:
    """A bare note."""

    name: str
    data: Any


MEAN = {"mean": 0.5, "n": 10, "asked": 12, "low": 0.3, "high": 0.7}


def test_nothing_yet() -> None:
    tale = story.read([])
    assert tale.initial is None
    assert tale.best is None
    assert story.curves(tale)["epochs"] == []


def test_the_best_is_the_one_that_the_last_epoch_names() -> None:
    tale = story.read(
        [
            Note(
                "baseline", {"number": 0, "digest": "a", "system_prompt": "s", "output_prompt": "o", "validation": MEAN}
            ),
            Note(
                "proposal",
                {"epoch": 1, "number": 1, "parent": 0, "digest": "b", "system_prompt": "t", "fate": "accepted"},
            ),
            Note(
                "epoch_end", {"epoch": 1, "train": MEAN, "validation": MEAN, "best": MEAN, "best_number": 1, "stale": 0}
            ),
            Note(
                "proposal",
                {"epoch": 2, "number": 2, "parent": 1, "digest": "c", "system_prompt": "u", "fate": "rejected"},
            ),
        ]
    )
    assert tale.best is tale.versions[1]
    assert [v.number for v in tale.proposals] == [2, 1]
    assert tale.parent(tale.versions[2]) is tale.versions[1]
    assert story.curves(tale)["low"] == [0.3, 0.3]


def test_notes_with_holes_do_not_break_the_page() -> None:
    tale = story.read(
        [Note("proposal", {}), Note("epoch_end", {}), Note("test", None), Note("verdict", "x"), Note("new", {})]
    )
    assert not tale.versions[0].readable
    assert story.curves(tale)["best"] == [None]
