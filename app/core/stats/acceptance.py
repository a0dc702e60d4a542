"""A child is accepted when it beats its parent on the same examples; how surely is the rule's business."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.stats.interval import score_of
from app.core.stats.pairing import Paired, pairs
from app.ports.journal import Sample

RULES = {
    "improvement": "The mean score on the same examples rises by more than the minimum.",
    "confidence": "It rises by more than the minimum, and chance would rarely do that (p below alpha).",
}
MIN_COVERAGE = 0.6
_ROUNDING = 1e-12


def accepts(rule: str, comparison: Paired, *, min_delta: float, alpha: float) -> tuple[bool, str]:
    """Whether the rule accepts the child, and why in words.

    min_delta: the smallest rise that does not count, in [0, 1). alpha: significance level of "confidence".
    Raises: ValueError for an unknown rule.
    """
    if rule not in RULES:
        raise ValueError(f"there is no acceptance rule {rule!r}; known: {', '.join(RULES)}")
    if problem := thin(comparison):
        return False, f"indecisive: {problem}"
    delta, p_value = comparison.delta or 0.0, comparison.p_value or 0.0
    said = f"{delta:+.3f} on {comparison.n} examples ({counts(comparison)})"
    if delta <= min_delta + _ROUNDING:
        return False, f"no improvement: {said}" if min_delta == 0 else f"not more than {min_delta:g}: {said}"
    if rule == "confidence" and p_value >= alpha:
        return False, f"not at confidence: {said}, p = {p_value:.3g}, needed below {alpha:g}"
    return True, f"improved: {said}" if rule == "improvement" else f"improved: {said}, p = {p_value:.3g}"


def thin(comparison: Paired) -> str:
    """Why a comparison stands on too few scored pairs to decide anything; "" when it does not."""
    if comparison.n == 0:
        return "no example was scored for both"
    if comparison.coverage < MIN_COVERAGE:
        return (
            f"only {comparison.n} of {comparison.asked} examples were scored for both "
            f"({comparison.coverage:.0%}; {MIN_COVERAGE:.0%} are needed)"
        )
    return ""


def counts(comparison: Paired) -> str:
    """What changed, as "7 fixed, 2 broken", or for graded scores as "12 better, 3 worse"."""
    if comparison.test == "mcnemar_exact":
        return f"{len(comparison.fixed)} fixed, {len(comparison.broken)} broken"
    return f"{comparison.better} better, {comparison.worse} worse"


def cannot_win(
    before: Sequence[Sample], after: Sequence[Sample], remaining: Sequence[Sample], *, min_delta: float
) -> bool:
    """Whether the child cannot beat its parent by more than min_delta any more, whatever the rest brings.

    before, after: both reports over the cases done so far. remaining: the parent's samples of the cases to come; the child
    is granted a perfect answer on each, and no answer where that would serve it better. Stopping here changes no decision.
    """
    lead = sum(other - ours - min_delta for _, ours, other in pairs(before, after))
    lowest: dict[str, float] = {}
    for sample in remaining:
        if (score := score_of(sample)) is not None:
            lowest[sample.case] = min(score, lowest.get(sample.case, 1.0))
    hope = sum(max(0.0, 1.0 - score - min_delta) for score in lowest.values())
    return lead + hope <= _ROUNDING
