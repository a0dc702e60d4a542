"""Agreement of rankings: the figures by hand, and those of published data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.config import ROOT
from app.core.stats.agreement import between, compare, consensus, places, shares, tau_a, tau_b

ORACLE = ROOT.parent / "shared/data/ranking/topical_chat_rank_numbers_20.jsonl"


def strict(order: str) -> dict[str, int]:
    return {item: at for at, item in enumerate(order, start=1)}


def test_tau_a_counts_pairs() -> None:
    """abcd against abdc: 5 of 6 pairs agree, 1 does not: (5 - 1) / 6."""
    assert tau_a(strict("abcd"), strict("abdc")) == pytest.approx(4 / 6)
    assert tau_a(strict("abc"), strict("abc")) == 1
    assert tau_a(strict("abc"), strict("cba")) == -1


def test_tau_b_lets_ties_weigh_less() -> None:
    """a, b tied against a > b > c: pairs ac, bc agree, ab is tied: 2 / sqrt(2 x 3)."""
    assert tau_b({"a": 1, "b": 1, "c": 3}, strict("abc")) == pytest.approx(2 / 6**0.5)
    assert tau_b({"a": 1, "b": 1}, strict("ab")) is None


def test_only_common_items_count_and_two_are_needed() -> None:
    found = compare(strict("xab"), strict("ayb"))
    assert (found.tau, found.n, found.exact) == (1, 2, 2)
    assert compare(strict("ab"), strict("bc")).tau is None
    assert compare({}, {}).tau is None


def test_moves_and_the_first_three() -> None:
    found = compare(strict("abcde"), strict("ebcda"))
    assert found.moves == (("a", -4), ("e", 4))
    assert (found.top3, found.exact, found.tied) == (2, 3, False)


def test_places_shares_and_consensus_average_ties() -> None:
    assert places({"a": 5, "b": 2, "c": 2}) == {"a": 3, "b": 1, "c": 1}
    assert shares({"a": 3, "b": 1, "c": 1}) == {"a": 0, "b": 0.75, "c": 0.75}
    assert shares({"a": 1}) == {"a": 0.5}
    assert consensus([strict("abc"), strict("bac")]) == {"a": 3, "b": 3, "c": 0}


def test_variability_in_words() -> None:
    assert [between(taus).variability for taus in ([0.7], [0.5, 0.3], [0.39], [])] == [
        "low",
        "medium",
        "high",
        "unknown",
    ]


@pytest.mark.skipif(not ORACLE.is_file(), reason=f"{ORACLE} is not here")
def test_published_rankings_give_the_published_figures() -> None:
    rows = [json.loads(line) for line in Path(ORACLE).read_text().splitlines()]
    taus = []
    for row in rows:
        people, machine = (
            {name: -score for name, score in zip(row["system_ids"], row[key], strict=True)}
            for key in ("human_overall", "automatic_overall")
        )
        ranked = compare(strict_of(row["human_ranking"]), strict_of(row["automatic_ranking"]))
        tau = tau_b(people, machine)
        assert tau is not None
        assert ranked.tau is not None
        taus.append(tau)
        found = {
            "kendall_tau_b_scores": round(tau, 6),
            "kendall_tau_a_rankings_ties_by_order": round(ranked.tau, 6),
            "top3_overlap": ranked.top3,
            "exact_position_matches": ranked.exact,
        }
        assert found == row["oracle"]
    assert sum(taus) / len(taus) == pytest.approx(0.565316, abs=1e-6)


def strict_of(names: list[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(names, start=1)}
