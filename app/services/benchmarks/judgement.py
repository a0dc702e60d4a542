"""What a benchmark comes to: how people and the reviewer agree, whom to take, which prompt is worth a person's minute."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from app.core.stats import agreement as rank
from app.core.stats.agreement import Agreement, Raters
from app.core.stats.corrected import Corrected, corrected, narrower_by
from app.core.stats.recommendation import Evidence, Facts, Recommendation, Weights, recommend
from app.services.benchmarks.results import Place, Results
from app.store.judged import RankingRow

WORST = 3
"""Disagreements that are shown."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """Where a person and somebody else differ most. other: another person, or "" for the reviewer."""

    place: Place
    ranker: str
    other: str
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Standing:
    """How far people and the reviewer agree. mean_tau: over rankings that can be compared, n of them; None without any.

    consensus: Borda points by config over all rankings of people, the best first. disputes: the worst first.
    """

    rankers: tuple[str, ...]
    rankings: int
    mean_tau: float | None
    n: int
    people: Raters
    consensus: Mapping[str, float]
    disputes: tuple[Dispute, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One config in the table of results; means with their n, None where there is nothing. share: Borda share in [0, 1].

    fixed: the reviewer's ranking, corrected by people's.
    """

    config: str
    model: str
    asked: int
    answered: int
    failed: int
    unacceptable: int
    score: float | None
    reviews: int
    share: float | None
    rankings: int
    seconds: float | None
    cost_usd: float | None
    tokens: float | None
    measured: float | None
    fixed: Corrected


@dataclass(frozen=True, slots=True)
class Next:
    """The prompt that is worth a person's minute. why: in words. gain: share by which the interval narrows, None if unknown."""

    place: Place
    pair: tuple[str, str]
    why: str
    gain: float | None


@dataclass(frozen=True)
class Summary:
    """Everything in one."""

    rows: Sequence[Row]
    recommendation: Recommendation
    standing: Standing
    worth: Next | None


def summary(results: Results, weights: Weights | None = None) -> Summary:
    """What a benchmark comes to as things stand."""
    found = recommended(results, weights or Weights())
    return Summary(table(results), found, standing(results), worth_a_minute(results, found))


def table(results: Results) -> list[Row]:
    """Every config, in the order of the spec."""
    models = {one["label"]: one["name"] for one in results.run.spec["configs"]}
    reviewer, people = reviewer_shares(results), people_shares(results)
    rows = []
    for config in results.configs:
        mine = [answer for answer in results.answers if answer.config == config]
        read = [answer for answer in mine if answer.counts]
        scores = [answer.review.score for answer in read if answer.review]
        shares = [row.places for row in results.rankings if config in row.places]
        costs = [answer.cost_usd for answer in read]
        rows.append(
            Row(
                config=config,
                model=models[config],
                asked=len(mine),
                answered=sum(answer.readable for answer in mine),
                failed=sum(not answer.readable for answer in mine),
                unacceptable=sum(answer.mark == "unacceptable" for answer in mine),
                score=_mean(scores),
                reviews=len(scores),
                share=_mean([rank.shares(places)[config] for places in shares]),
                rankings=len(shares),
                seconds=_mean([answer.seconds for answer in read]),
                cost_usd=_mean([cost for cost in costs if cost is not None]) if None not in costs else None,
                tokens=_mean([answer.tokens for answer in read]),
                measured=_mean([answer.score for answer in read if answer.score is not None]),
                fixed=corrected(reviewer.get(config, {}), people.get(config, {})),
            )
        )
    return rows


def reviewer_shares(results: Results) -> dict[str, dict[str, float]]:
    """By config and prompt, the mean Borda share in the reviewer's rankings."""
    given = ((place.case, {c: g.rank for c, g in found.items()}) for place, found in results.reviews.items() if found)
    return _shares(given)


def people_shares(results: Results) -> dict[str, dict[str, float]]:
    """The same in people's rankings."""
    return _shares((row.case, row.places) for row in results.rankings)


def _shares(rankings: Iterable[tuple[str, rank.Ranking]]) -> dict[str, dict[str, float]]:
    lists: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for case, places in rankings:
        for config, share in rank.shares(places).items():
            lists[config][case].append(share)
    return {config: {case: math.fsum(v) / len(v) for case, v in by_case.items()} for config, by_case in lists.items()}


def standing(results: Results) -> Standing:
    """How far people agree with the reviewer, and with each other."""
    with_reviewer, between = [], []
    for place, rows in results.ranked.items():
        given = {config: one.rank for config, one in results.reviews.get(place, {}).items()}
        with_reviewer += [Dispute(place, row.ranker, "", rank.compare(row.places, given)) for row in rows if given]
        between += [
            Dispute(place, a.ranker, b.ranker, rank.compare(a.places, b.places)) for a, b in combinations(rows, 2)
        ]
    taus = [one.agreement.tau for one in with_reviewer if one.agreement.tau is not None]
    told = [one for one in (*with_reviewer, *between) if one.agreement.tau is not None and one.agreement.tau < 1]
    told.sort(key=lambda one: (one.agreement.tau or 0.0, one.place, one.ranker))
    return Standing(
        rankers=tuple(sorted({row.ranker for row in results.rankings})),
        rankings=len(results.rankings),
        mean_tau=_mean(taus),
        n=len(taus),
        people=rank.between([one.agreement.tau for one in between if one.agreement.tau is not None]),
        consensus=rank.consensus(row.places for row in results.rankings),
        disputes=tuple(told[:WORST]),
    )


def recommended(results: Results, weights: Weights) -> Recommendation:
    """Which config to take."""
    people = standing(results)
    evidence = Evidence(
        reviewed=any(results.reviews.values()),
        ranked=bool(results.rankings),
        ranker_tau=people.people.mean_tau,
        consensus=list(people.consensus),
    )
    return recommend(facts(results), weights, evidence, seed=results.run.spec["seed"])


def facts(results: Results) -> dict[str, dict[str, Facts]]:
    """By config and prompt; answers that failed or were found unacceptable are left out with all that was said of them."""
    low, high = results.scale
    found: dict[str, dict[str, Facts]] = {config: {} for config in results.configs}
    grouped: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, answer in enumerate(results.answers):
        if answer.counts:
            grouped[answer.config, answer.place.case].append(index)
    for (config, case), indices in grouped.items():
        mine = [results.answers[index] for index in indices]
        costs = [answer.cost_usd for answer in mine if answer.cost_usd is not None]
        shares = [
            rank.shares(row.places)[config]
            for answer in mine
            for row in results.ranked.get(answer.place, [])
            if config in row.places
        ]
        found[config][case] = Facts(
            human=_mean(shares),
            ai=_mean([(answer.review.score - low) / (high - low) for answer in mine if answer.review]),
            seconds=_mean([answer.seconds for answer in mine]),
            cost_usd=_mean(costs) if len(costs) == len(mine) else None,
        )
    return found


def worth_a_minute(results: Results, found: Recommendation) -> Next | None:
    """Where one more ranking by a person is expected to tell most; None when everything is ranked, or nothing can be.

    Of the prompts that nobody has ranked, the one on which the reviewer tells the leading two configs apart least surely: its
    rankings of the two contradict each other over the runs, or their scores lie closest.
    """
    if found.winner is None or found.runner_up is None:
        return None
    pair = (found.winner.config, found.runner_up.config)
    open_ = [place for place in results.by_place if len(results.rivals(place)) > 1 and place not in results.ranked]
    if not open_:
        return None
    ranked = {row.case for row in results.rankings}
    doubts = _doubts(results, pair)
    place = min(open_, key=lambda one: (one.case in ranked, doubts.get(one.case, _UNJUDGED), one))
    rows = {row.config: row for row in table(results)}
    gains = [gain for config in pair if (gain := narrower_by(rows[config].fixed)) is not None]
    gain = max(gains) if gains and place.case not in ranked else None
    return Next(place, pair, _why(doubts.get(place.case), pair), gain)


_UNJUDGED = (-1.0, 0.0)


def _doubts(results: Results, pair: tuple[str, str]) -> dict[str, tuple[float, float]]:
    """By prompt, how surely the reviewer tells the pair apart: over the runs, in [0, 1], and by the difference of scores."""
    given: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for at, found in results.reviews.items():
        if all(config in found for config in pair):
            first, second = found[pair[0]], found[pair[1]]
            given[at.case].append((1 if first.rank < second.rank else -1, first.score - second.score))
    return {
        case: (abs(sum(win for win, _ in seen)) / len(seen), abs(math.fsum(gap for _, gap in seen)) / len(seen))
        for case, seen in given.items()
    }


def _why(doubt: tuple[float, float] | None, pair: tuple[str, str]) -> str:
    names = f"{pair[0]} and {pair[1]}"
    if doubt is None:
        return f"nobody has judged {names} on it yet"
    if doubt[0] < 1:
        return f"the reviewer contradicts itself about {names} on it from run to run"
    apart = f"the reviewer's scores of {names} lie {doubt[1]:.1f} apart on it"
    return f"{apart}, closer than on the other prompts that nobody has ranked"


def agreement_with(results: Results, row: RankingRow) -> Agreement:
    """One person's ranking compared with the reviewer's of the same answers."""
    given = {config: one.rank for config, one in results.reviews.get(Place(row.case, row.repeat), {}).items()}
    return rank.compare(row.places, given)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
