"""Whether the shorter prompt may be used: only after the final prompts themselves were confirmed, and only when not worse.

A fixed sequence: first final against initial, then shorter against final. Neither needs a correction for the other.
"""

from __future__ import annotations

from app.core.evaluation import Report
from app.core.kinds.shortening import Shortened
from app.core.kinds.training import Training
from app.core.run import Run
from app.core.stats import NonInferiority, mean_of, non_inferiority, strictness
from app.ports.llm import Json


def rule_on_offer(run: Run, spec: Training, found: Shortened | None, test: Report | None, verdict: str) -> Json:
    """What the sealed test says of the shorter prompt, for the outcome; None when nobody has asked for one."""
    if found is None:
        return None
    told = found.as_json() | {"margin": spec.shorten_margin, "test": None, "usable": None}
    if found.offer is None:
        return told | {"sentence": _nothing(found)}
    samples = test.of(found.offer) if test else ()
    if test is None or not samples:
        why = "the budget ended before it was tested" if spec.test else "the data has no test split"
        return told | {"sentence": f"The shorter prompts were not tested: {why}."}
    _, level = strictness(spec.alpha, test.comparison)
    before = test.of(found.anatomy.whole)
    comparison = non_inferiority(before, samples, margin=spec.shorten_margin, seed=spec.seed, level=level)
    usable, sentence = _ruling(comparison, of_final=found.best.number != 0, verdict=verdict)
    result = {"mean": mean_of(samples).as_json(), "comparison": comparison.as_json()}
    run.note("shortened", number=found.number, usable=usable, sentence=sentence, **result)
    return told | {"test": result, "usable": usable, "sentence": sentence}


def _nothing(found: Shortened) -> str:
    if found.stopped:
        return f"No shorter prompts were found before the budget ended: {found.stopped}."
    return "No shorter prompts were found: nothing could be left out without a loss on validation."


def _ruling(comparison: NonInferiority, *, of_final: bool, verdict: str) -> tuple[bool, str]:
    place = "final" if of_final else "initial"
    if of_final and verdict != "ship":
        return False, "Not to be used: the final prompts, of which they are a part, were not confirmed themselves."
    if comparison.low is None:
        return False, f"Not shown: {comparison.why}. Keep the {place} prompts."
    facts = (
        f"on {comparison.n} unseen examples the mean score changed by {100 * (comparison.delta or 0.0):+.1f} points, "
        f"{100 * comparison.level:.4g} % interval {100 * comparison.low:+.1f} to {100 * (comparison.high or 0.0):+.1f}"
    )
    if comparison.shown:
        excluded = f"a loss of {100 * comparison.margin:g} points is excluded"
        return True, f"The shorter prompts may be used in place of the {place} ones: {facts}; {excluded}."
    return False, f"Not shown to be as good: {facts}; {comparison.why}. Keep the {place} prompts."
