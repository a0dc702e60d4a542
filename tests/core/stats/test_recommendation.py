"""The recommendation: its score by hand, what is left out, and whether the margin is noise."""

from __future__ import annotations

import pytest

from app.core.stats.corrected import corrected, narrower_by
from app.core.stats.recommendation import Evidence, Facts, Weights, recommend

EVIDENCE = Evidence(reviewed=True)


def facts(**configs: list[Facts]) -> dict[str, dict[str, Facts]]:
    return {name: {f"p{at}": one for at, one in enumerate(known)} for name, known in configs.items()}


def test_the_score_is_the_weighted_sum() -> None:
    """a: 0.7 x 0.8 + 0.3 x 0.6 = 0.74 quality, slowest, dearest. b: 0.5 quality (AI alone), fastest, cheapest."""
    found = recommend(
        facts(
            a=[Facts(human=0.8, ai=0.6, seconds=3, cost_usd=0.2)],
            b=[Facts(ai=0.5, seconds=1, cost_usd=0.1)],
        ),
        Weights(),
        EVIDENCE,
    )
    scores = {one.config: one.total for one in found.ranking}
    assert scores == pytest.approx({"a": 0.6 * 0.74, "b": 0.6 * 0.5 + 0.3 + 0.1})
    assert found.winner
    assert found.winner.config == "b"
    assert found.margin == pytest.approx(0.7 - 0.444)
    assert (found.noise, found.prompts) == (None, 1)


def test_equal_speed_and_cost_count_half() -> None:
    found = recommend(
        facts(a=[Facts(ai=1, seconds=2, cost_usd=0)], b=[Facts(ai=0, seconds=2, cost_usd=0)]), Weights(), EVIDENCE
    )
    assert [(one.speed, one.cost) for one in found.ranking] == [(0.5, 0.5)] * 2
    assert found.ranking[0].total == pytest.approx(0.6 + 0.15 + 0.05)


def test_an_unknown_price_is_no_price_and_counts_for_nobody() -> None:
    found = recommend(facts(a=[Facts(ai=1, seconds=1)], b=[Facts(ai=1, seconds=2, cost_usd=0.1)]), Weights(), EVIDENCE)
    assert found.left_out == ("cost is not counted: the price of a is unknown",)
    assert found.ranking[0].total == pytest.approx(1)
    assert [one.cost for one in found.ranking] == [None, 0.5]


def test_a_config_that_nobody_judged_is_not_recommended() -> None:
    assert recommend(facts(a=[Facts(seconds=1)], b=[]), Weights(), Evidence()).winner is None
    alone = recommend(facts(a=[Facts(ai=0.2, seconds=1)], b=[Facts(seconds=0.1)]), Weights(), EVIDENCE)
    assert alone.winner
    assert alone.winner.config == "a"
    assert (alone.runner_up, alone.margin) == (None, None)


def test_a_clear_lead_is_no_noise_and_a_coin_toss_is() -> None:
    weights = Weights.of(1, 0, 0)
    clear = recommend(facts(a=[Facts(ai=0.9)] * 12, b=[Facts(ai=0.2)] * 12), weights, EVIDENCE)
    assert clear.noise is False
    assert clear.low is not None
    assert clear.low > 0.5
    toss = [Facts(ai=float(at % 2)) for at in range(12)]
    other = [Facts(ai=float(at % 2 == 0)) for at in range(11)] + [Facts(ai=1)]
    coin = recommend(facts(a=toss, b=other), weights, EVIDENCE)
    assert coin.noise is True
    again = recommend(facts(a=toss, b=other), weights, EVIDENCE)
    assert (coin.low, coin.high) == (again.low, again.high)


@pytest.mark.parametrize(
    ("evidence", "points", "confidence"),
    [
        (Evidence(), 0, "low"),
        (Evidence(reviewed=True), 1, "low"),
        (Evidence(ranked=True), 2, "medium"),
        (Evidence(reviewed=True, ranked=True, consensus=["x", "a"]), 4, "high"),
        (Evidence(reviewed=True, ranked=True, ranker_tau=0.7, consensus=["b", "c", "a"]), 4, "high"),
    ],
)
def test_confidence_points(evidence: Evidence, points: int, confidence: str) -> None:
    found = recommend(facts(a=[Facts(ai=1)]), Weights(), evidence)
    assert (found.points, found.confidence, len(found.reasons)) == (points, confidence, 4)


def test_weights_are_a_share_and_make_sense() -> None:
    assert Weights.of(60, 30, 10) == Weights()
    for wrong in ((0, 0, 0), (-1, 1, 1), (float("inf"), 1, 1)):
        with pytest.raises(ValueError, match="weights"):
            Weights.of(*wrong)


def test_people_correct_the_model_where_both_have_judged() -> None:
    """Model mean 0.5 over four prompts; people put it 0.2 and 0.4 lower on two: 0.5 - 0.3."""
    model = {"p1": 0.4, "p2": 0.6, "p3": 0.5, "p4": 0.5}
    found = corrected(model, {"p1": 0.2, "p2": 0.2})
    assert found.mean == pytest.approx(0.2)
    assert found.bias == pytest.approx(0.3)
    assert (found.humans, found.prompts) == (2, 4)
    # s2_human = 0, s2_difference = 0.02; (1/2 - 1/4) x 0.02 = 0.005; t(1 df) = 12.7062: cut to [0, 1].
    assert (found.low, found.high) == (0, 1)


def test_every_prompt_judged_by_people_gives_their_mean() -> None:
    human = {"p1": 0.2, "p2": 0.4, "p3": 0.9}
    found = corrected(dict.fromkeys(human, 1.0), human)
    assert found.mean == pytest.approx(0.5)
    assert narrower_by(found) is None


def test_without_people_nothing_is_corrected() -> None:
    found = corrected({"p1": 0.4, "p2": 0.6}, {})
    assert (found.mean, found.low, found.bias, found.humans) == (0.5, None, None, 0)
    assert corrected({}, {"p1": 1.0}).mean is None


def test_one_more_prompt_narrows_the_interval() -> None:
    """From 2 to 3 of 10: sqrt((1/3 - 1/10) / (1/2 - 1/10)) = 0.764, so by 24 %."""
    found = corrected({f"p{n}": n / 10 for n in range(10)}, {"p1": 0.3, "p2": 0.9})
    assert narrower_by(found) == pytest.approx(1 - (7 / 30 / 0.4) ** 0.5)
