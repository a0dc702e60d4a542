"""Several proposals from one parent are asked for with different failures each, so that they learn different things."""

from __future__ import annotations

from dataclasses import replace

from app.core.optimizers.base import Evidence, Seen
from app.core.optimizers.evidence import choose_evidence
from app.core.stats import RIGHT, score_of

COMPONENTS = ("system_prompt", "output_prompt")


def view(evidence: Evidence, number: int) -> Evidence:
    """The evidence for the epoch's number-th proposal (from 0); the first sees what was chosen for the epoch."""
    if number == 0 or not evidence.seen:
        return evidence
    failures, successes = choose_evidence(
        evidence.seen,
        k=max(1, len(evidence.failures)),
        successes=len(evidence.successes),
        seed=evidence.seed + 7_919 * number + evidence.epoch,
    )
    return replace(evidence, failures=failures, successes=successes)


def component(evidence: Evidence) -> str:
    """Which prompt is to blame: the output prompt when most failures hold the right answer in the wrong form."""
    misshapen = sum(_only_form(row) for row in evidence.failures)
    return COMPONENTS[2 * misshapen > len(evidence.failures)]


def _only_form(row: Seen) -> bool:
    wanted = row.case.reference.strip().casefold()
    return bool(wanted) and (score_of(row.sample) or 0.0) < RIGHT and wanted in row.sample.response.casefold()
