"""A benchmark as JSON: one shape for the API and for ``--json`` on the command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from app.core.stats.agreement import Agreement
from app.core.stats.recommendation import Recommendation
from app.services.benchmarks.judgement import Next, Row, Standing, Summary, agreement_with
from app.services.benchmarks.results import Place, Results, texts
from app.services.benchmarks.statistics import Config
from app.services.benchmarks.tables import answer_values, explained
from app.services.documents import time
from app.services.reviews import ReviewPrompt, Usage
from app.store.judged import RankingRow

Document = dict[str, Any]


def benchmark(results: Results, found: Summary) -> Document:
    """Everything that a benchmark comes to as things stand; null what nobody has judged."""
    run = results.run
    return {
        "run": run.id,
        "name": run.name,
        "status": run.status,
        "simulated": run.simulated,
        "scale": list(results.scale),
        "configs": [config(row) for row in found.rows],
        "recommendation": recommendation(found.recommendation),
        "agreement": standing(found.standing),
        "worth_ranking": worth(found.worth) if found.worth else None,
        "prompts": [{"id": case["id"], "name": case["name"]} for case in results.cases],
        "failed_reviews": [{"prompt": at.case, "repeat": at.repeat, "why": why} for at, why in results.failed.items()],
    }


def config(row: Row) -> Document:
    """One config in the table of results."""
    return {**asdict(row), "fixed": asdict(row.fixed)}


def recommendation(found: Recommendation) -> Document:
    """Whom to take; noise is true when the margin may be one."""
    return {
        "config": found.winner.config if found.winner else None,
        "runner_up": found.runner_up.config if found.runner_up else None,
        "margin": found.margin,
        "interval": [found.low, found.high] if found.low is not None else None,
        "noise": found.noise,
        "confidence": found.confidence,
        "points": found.points,
        "reasons": [*found.reasons, *found.left_out],
        "prompts": found.prompts,
        "scores": [asdict(one) for one in found.ranking],
    }


def standing(found: Standing) -> Document:
    """How far people and the reviewer agree."""
    return {
        "rankers": list(found.rankers),
        "rankings": found.rankings,
        "with_reviewer": {"mean_tau": found.mean_tau, "n": found.n},
        "between_people": asdict(found.people),
        "consensus": dict(found.consensus),
        "disputes": [
            {"prompt": one.place.case, "repeat": one.place.repeat, "ranker": one.ranker, "other": one.other or None}
            | agreement(one.agreement)
            for one in found.disputes
        ],
    }


def agreement(found: Agreement) -> Document:
    """Two rankings compared; tau is null under two items in common."""
    return {
        "tau": found.tau,
        "tau_kind": "b" if found.tied else "a",
        "top3_overlap": found.top3,
        "exact_positions": found.exact,
        "moves": [{"config": name, "by": by} for name, by in found.moves],
        "n": found.n,
    }


def worth(found: Next) -> Document:
    """Which prompt is worth a person's minute."""
    return {
        "prompt": found.place.case,
        "repeat": found.place.repeat,
        "pair": list(found.pair),
        "why": found.why,
        "narrows_by": found.gain,
    }


def prompt(session: Session, results: Results, case_id: str) -> Document:
    """One prompt with every answer to it. Raises: NotFound."""
    case = results.case(case_id)
    mine = [answer for answer in results.answers if answer.place.case == case_id]
    words = texts(session, mine)
    about = {"id": case["id"], "name": case["name"], "messages": case["messages"], "reference": case["reference"]}
    answers = [
        {
            "key": one.key,
            **answer_values(results, one),
            "explanation": explained(one),
            "response": words.get(one.id, ""),
        }
        for one in mine
    ]
    rankings = [ranking(results, row) for row in results.rankings if row.case == case_id]
    return {**about, "answers": answers, "rankings": rankings}


def ranking(results: Results, row: RankingRow) -> Document:
    """One person's ranking, compared with the reviewer's of the same answers."""
    return {
        "prompt": row.case,
        "repeat": row.repeat,
        "run": results.run_of(Place(row.case, row.repeat).repeat),
        "ranker": row.ranker,
        "places": row.places,
        "notes": row.notes,
        "seconds": row.seconds,
        "blind": row.blind,
        "revision": row.revision,
        "saved_at": time(row.saved_at),
        "with_reviewer": agreement(agreement_with(results, row)),
    }


def statistic(found: Config) -> Document:
    """One config over all benchmarks; score is a share of the scale."""
    return asdict(found)


def review_prompt(found: ReviewPrompt, usage: Usage, *, full: bool = False) -> Document:
    """A review prompt with what stands against it. full: with its texts."""
    checked = found.checked
    rubric = checked.rubric
    about: Document = {
        "name": found.name,
        "description": found.description,
        "version": found.version,
        "shipped": found.version == 0,
        "criteria": dict(rubric.criteria) if rubric else None,
        "scale": [rubric.low, rubric.high] if rubric else None,
        "details": rubric.details if rubric else None,
        "model": checked.model or None,
        "runs": usage.runs,
        "last_used": time(usage.last),
        "errors": [asdict(one) for one in checked.errors],
        "warnings": [asdict(one) for one in checked.warnings],
    }
    return about | ({"template": found.template, "settings": found.settings} if full else {})
