"""The results of a benchmark as rows: one for each answer, with what the reviewer and people said of it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.services.benchmarks.results import Answer, Results, texts
from app.services.cells import csv_text
from app.services.runs.tables import Values

COLUMNS = (
    "prompt_id",
    "prompt",
    "run",
    "repeat",
    "config",
    "model",
    "outcome",
    "acceptable",
    "ai_rank",
    "ai_score",
    "ai_comment",
    "ai_criteria",
    "human_place",
    "human_rankings",
    "score",
    "seconds",
    "tokens",
    "cost_usd",
    "error",
    "response",
    "simulated",
)
PORTION = 200


def answer_rows(session: Session, results: Results) -> Iterator[Values]:
    """Every answer, in the order in which they were finished; texts are read in portions."""
    models = {one["label"]: one["name"] for one in results.run.spec["configs"]}
    cases = {one["id"]: one["name"] for one in results.cases}
    for start in range(0, len(results.answers), PORTION):
        part = results.answers[start : start + PORTION]
        words = texts(session, part)
        for answer in part:
            about = {"prompt": cases.get(answer.place.case, ""), "model": models[answer.config]}
            yield answer_values(results, answer) | about | {"response": words.get(answer.id, "")}


def answer_values(results: Results, answer: Answer) -> Values:
    """One answer without its text."""
    given = answer.review
    places = [row.places[answer.config] for row in results.ranked.get(answer.place, []) if answer.config in row.places]
    return {
        "prompt_id": answer.place.case,
        "run": results.run_of(answer.place.repeat),
        "repeat": answer.place.repeat,
        "config": answer.config,
        "outcome": answer.outcome,
        "acceptable": {"acceptable": True, "unacceptable": False}.get(answer.mark),
        "ai_rank": given.rank if given else None,
        "ai_score": given.score if given else None,
        "ai_comment": given.comment if given else "",
        "ai_criteria": dict(given.criteria) if given else None,
        "human_place": math.fsum(places) / len(places) if places else None,
        "human_rankings": len(places),
        "score": answer.score,
        "seconds": answer.seconds,
        "tokens": answer.tokens,
        "cost_usd": answer.cost_usd,
        "error": answer.error,
        "simulated": results.run.simulated,
    }


def results_csv(session: Session, results: Results) -> Iterator[str]:
    """The same as CSV in portions, with a header; no cell is a formula."""
    return csv_text(COLUMNS, answer_rows(session, results))


def explained(answer: Answer, thought: int = 0) -> str:
    """Why an answer is missing, empty or short, in words; "" when there is nothing to explain. thought: reasoning tokens."""
    if answer.outcome == "truncated" and not answer.chars:
        spent = f" ({thought:,} of them)" if thought else ""
        return (
            f"Empty: the model used its whole output limit for reasoning{spent}, before it wrote a word."
            " Give it more output tokens, or less reasoning effort."
        )
    if answer.outcome == "truncated":
        return "Cut off: it reached the output limit before it was finished."
    if answer.outcome == "refused":
        return "The provider's content filter stopped it."
    if answer.outcome not in ("scored", "parse_failed", "scoring_failed"):
        return f"There is no answer: {answer.error}"
    return "" if answer.chars else "The model answered with an empty text."
