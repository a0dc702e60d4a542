"""Where the versions of a run come from, for the drawing of their lineage."""

from __future__ import annotations

from dataclasses import dataclass

from app.web.story import INITIAL, Story

SETTLED = frozenset({"accepted", "shortened", INITIAL})


@dataclass(frozen=True)
class Step:
    """A version in the drawing. score: its mean on validation, None when it never came so far. is_head: the best so far."""

    number: int
    parent: int | None
    fate: str
    score: float | None
    n: int
    is_head: bool

    @property
    def refused(self) -> bool:
        """True for a proposal that was not accepted."""
        return self.fate not in SETTLED


def descent(tale: Story) -> list[Step]:
    """Every version by number."""
    best = tale.best.number if tale.best else 0
    return [
        Step(
            one.number,
            one.parent,
            one.fate,
            (one.validation or {}).get("mean"),
            (one.validation or {}).get("n", 0),
            one.number == best,
        )
        for _, one in sorted(tale.versions.items())
    ]
