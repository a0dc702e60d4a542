"""Ship only when the sealed test shows an improvement that chance hardly explains; else keep the initial prompts."""

from __future__ import annotations

from typing import Literal, TypeAlias

from app.core.stats.acceptance import counts, thin
from app.core.stats.pairing import Paired
from app.core.stats.power import minimum_detectable

Verdict: TypeAlias = Literal["ship", "keep", "indecisive"]

_TESTS = {"mcnemar_exact": "McNemar's exact test", "sign_flip": "sign-flip permutation test"}


def strictness(alpha: float, number: int) -> tuple[float, float]:
    """Significance level and level of the interval for the number-th comparison (from 1) on one test split.

    Several comparisons on one test split are several chances to be lucky, so each is held to its share: Bonferroni's
    correction by the comparisons so far, alpha / number and 1 - 0.05 / number. Source: Bonferroni (1936); Dunn (1961).
    """
    return alpha / max(1, number), 1.0 - 0.05 / max(1, number)


def verdict(comparison: Paired, alpha: float = 0.05, number: int = 1) -> tuple[Verdict, str]:
    """The recommendation and the sentences that explain it.

    number: which comparison this is, from 1, on this test split; the comparison's interval has the level of ``strictness``, and
    alpha is divided likewise. "ship": the mean rose, p < alpha, and the interval excludes 0. "indecisive": too few pairs to say
    anything, because under 60 % of the examples were scored for both, or even a perfect result on n pairs could not reach
    p < alpha (2 x 0.5^n >= alpha). "keep": everything else.
    """
    alpha, _ = strictness(alpha, number)
    problem = thin(comparison)
    if not problem and 2 * 0.5**comparison.n >= alpha:
        examples = "1 example" if comparison.n == 1 else f"{comparison.n} examples"
        problem = f"{examples} cannot show a difference at the level {alpha:.2g}{_again(number)}, however large"
    if problem:
        return "indecisive", f"Indecisive: {problem}. Keep the initial prompts until there is more to go by."
    delta, low, p_value = comparison.delta or 0.0, comparison.low or 0.0, comparison.p_value or 0.0
    if delta > 0 and p_value < alpha and low > 0:
        return "ship", f"Ship the new prompts: {_facts(comparison)} {_by_chance(comparison)}{_held_to(number, alpha)}"
    return (
        "keep",
        f"Keep the initial prompts: {_facts(comparison)} {_why_keep(comparison, alpha)}{_held_to(number, alpha)}",
    )


def _again(number: int) -> str:
    return f" that the {_ordinal(number)} comparison on one test split is held to" if number > 1 else ""


def _held_to(number: int, alpha: float) -> str:
    if number == 1:
        return ""
    told = (
        f"This is the {_ordinal(number)} comparison on this dataset's test examples, so it is held to p < {alpha:.2g}"
    )
    return f" {told} and a wider interval."


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _facts(comparison: Paired) -> str:
    before, after, delta = comparison.before or 0.0, comparison.after or 0.0, comparison.delta or 0.0
    low, high = comparison.low or 0.0, comparison.high or 0.0
    moved = "rose" if delta > 0 else "fell" if delta < 0 else "stayed the same"
    by = f"from {before:.2f} to {after:.2f}, by {delta:+.2f}" if delta else f"at {after:.2f}"
    unscored = comparison.asked - comparison.n
    left_out = f" ({unscored} more could not be scored and were left out)" if unscored else ""
    return (
        f"on {comparison.n} unseen examples{left_out} the mean score {moved} {by}, "
        f"{100 * comparison.level:.4g} % interval {low:+.2f} to {high:+.2f}; {counts(comparison)}."
    )


def _p(comparison: Paired) -> str:
    p_value = comparison.p_value or 0.0
    said = "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.2g}"
    return f"{said}, {_TESTS[comparison.test]}"


def _by_chance(comparison: Paired) -> str:
    p_value = comparison.p_value or 0.0
    often = "fewer than 1 time in 10,000" if p_value < 0.0001 else f"about {_one_in(p_value)}"
    return f"Chance alone would bring a difference this large {often} ({_p(comparison)})."


def _one_in(p_value: float) -> str:
    return f"1 time in {round(1 / p_value):,}"


def _why_keep(comparison: Paired, alpha: float) -> str:
    delta, p_value = comparison.delta or 0.0, comparison.p_value or 0.0
    if delta < 0 and p_value < alpha:
        return f"They are better than the new ones, and chance hardly explains it ({_p(comparison)})."
    if delta == 0 and not comparison.better and not comparison.worse:
        return "The new prompts changed no score."
    noise = f"Chance alone explains a difference of this size well enough ({_p(comparison)})."
    if p_value < alpha:
        noise = f"The interval still includes 0, so this is not sure enough ({_p(comparison)})."
    smallest = minimum_detectable(comparison.n, comparison.sd or 0.0, alpha=alpha)
    return f"{noise} With {comparison.n} examples, improvements below about {smallest:.2f} are likely to go unnoticed."
