"""What the services return as JSON: one shape for the API and for ``--json`` on the command line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from app.core.datasets.doctor import Finding
from app.ports.journal import Totals
from app.services import results
from app.services.comparison.told import result as compared
from app.services.datasets import BundledSample
from app.services.labels import Case
from app.services.playground.answers import Card
from app.services.runs.bill import Bill
from app.services.runs.speed import document as speed_line
from app.services.spending import Ledger, Spending
from app.store.api_access import ApiToken
from app.store.label_moves import LabelMove
from app.store.models import Dataset, Event, Prompt, PromptVersion, Ruling, Run, SampleRow

Document = dict[str, Any]
RESULTS: dict[str, Callable[[Run, Document], Document]] = {
    "plan": results.plan,
    "compare": compared,
    "try": results.attempt,
    "benchmark": results.benchmark,
}
"""How a run came out, by kind; the others are told as trainings."""


def dataset(row: Dataset, *, full: bool = False) -> Document:
    """An imported dataset. full: with its statistics and the report of its import."""
    about: Document = {
        "id": row.id,
        "name": row.name,
        "rows": row.rows,
        "digest": row.digest,
        "source": row.source,
        "version": row.version,
        "made_from": row.parent_id,
        "created_at": time(row.created_at),
    }
    return about | ({"statistics": row.statistics, "report": row.report} if full else {})


def bundled(sample: BundledSample) -> Document:
    """A sample that comes with the product. dataset: the name that it gets."""
    return {
        "filename": sample.filename,
        "dataset": sample.name,
        "title": sample.title,
        "description": sample.description,
        "scorer": sample.scorer,
        "system_prompt": sample.system_prompt,
        "output_prompt": sample.output_prompt,
    }


def doubt(case: Case) -> Document:
    """An example that is worth a look, with what speaks against its answer. No prompt is named: its answers are."""
    found = case.finding
    failing = found.failing and {
        "asked": found.failing.asked,
        "agreed": found.failing.agreed,
        "answers": [{"text": one.text, "prompts": len(one.by)} for one in found.failing.answers],
    }
    return {
        "row": found.row,
        "input": case.input,
        "answer": case.reference,
        "suspicion": found.suspicion,
        "evidence": ", ".join(_evidence(found)),
        "failing": failing,
        "conflict": found.conflict and asdict(found.conflict),
        "flips": found.flips and asdict(found.flips),
        "suggestion": found.suggestion,
        "splits": sorted(found.splits),
        "ruling": ruling(case.ruling) if case.ruling else None,
    }


def _evidence(found: Finding) -> Iterator[str]:
    if found.failing:
        yield f"all {found.failing.asked} wrong, {found.failing.agreed} agree"
    if found.conflict:
        yield f"{len(found.conflict.rows)} rows conflict"
    if found.flips:
        yield f"{found.flips.flipped} of {found.flips.asked} flip"


def ruling(row: Ruling) -> Document:
    """What a person decided about an example."""
    return {"ruling": row.ruling, "reference": row.reference, "note": row.note, "at": time(row.at)}


def prompt(row: Prompt, versions: int) -> Document:
    """A prompt of the library, without its texts. versions: how many it has."""
    return {
        "name": row.name,
        "kind": row.kind,
        "description": row.description,
        "category": row.category,
        "tags": row.tags,
        "versions": versions,
        "labels": {one.label: one.version.number for one in row.labels},
        "created_at": time(row.created_at),
    }


def label_move(row: LabelMove) -> Document:
    """A label was pointed at a version; null when it was taken away."""
    return {"label": row.label, "version": row.version.number if row.version else None, "at": time(row.at)}


def version(row: PromptVersion) -> Document:
    """One version of a prompt, with its texts."""
    pair = row.prompt.kind == "pair"
    texts = (
        {"system_prompt": row.system_prompt, "output_prompt": row.output_prompt} if pair else {"messages": row.messages}
    )
    return {
        "prompt": row.prompt.name,
        "kind": row.prompt.kind,
        "version": row.number,
        **texts,
        "labels": [one.label for one in row.prompt.labels if one.version_id == row.id],
        "digest": row.digest,
        "author": row.author,
        "parent": row.parent.number if row.parent else None,
        "run": row.run_id,
        "fate": row.fate,
        "reasoning": row.reasoning,
        "scores": row.scores,
        "created_at": time(row.created_at),
    }


def run(row: Run, *, full: bool = False) -> Document:
    """A run. full: with everything that it was asked to do."""
    about: Document = {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "status": row.status,
        "reason": row.reason,
        "wish": row.wish,
        "simulated": row.simulated,
        "dataset": (row.spec.get("dataset") or {}).get("name"),
        "prompt": row.prompt.name if row.prompt else None,
        "cloned_from": row.cloned_from,
        "origin": row.origin_id,
        "imported_at": time(row.imported_at),
        "resume_at": time(dt.datetime.fromtimestamp(row.resume_at, dt.UTC)) if row.resume_at else None,
        "created_at": time(row.created_at),
        "started_at": time(row.started_at),
        "ended_at": time(row.ended_at),
        "calls_pruned_at": time(row.calls_pruned_at),
        "outcome": row.outcome,
    }
    return about | ({"spec": row.spec} if full else {})


def token(row: ApiToken) -> Document:
    """A token of the API, without its text, which nobody knows any more."""
    return {"name": row.name, "created_at": time(row.created_at), "used_at": time(row.used_at)}


def spent(totals: Totals) -> Document:
    """What a run has used. The true cost lies between cost_usd and cost_high_usd.

    Both are null while any price is unknown, never a sum that leaves calls out.
    """
    low, high = totals.cost_usd, totals.cost_usd + totals.uncertain_usd
    return {
        "calls": totals.calls,
        "tokens": totals.prompt_tokens + totals.completion_tokens,
        "cost_usd": None if totals.unpriced_calls else round(low, 9),
        "cost_high_usd": None if totals.unpriced_calls else round(high, 9),
        "unpriced_calls": totals.unpriced_calls,
        "uncertain_calls": totals.uncertain_calls,
        "uncertain_usd": round(totals.uncertain_usd, 9),
        "open_calls": totals.open_calls,
        "cached_calls": totals.cached_calls,
        "saved_usd": round(totals.saved_usd, 9),
    }


def bill(what: Bill) -> Document:
    """What a run has used, by role and model and by day, and how fast its calls were sent."""
    return {
        "run": what.run_id,
        "simulated": what.simulated,
        **_sums(what.totals),
        "by_model": [{"role": line.role, "model": line.model, **_sums(line.totals)} for line in what.lines],
        "by_day": [{"day": day, **_sums(totals)} for day, totals in what.days],
        "rates": [asdict(rate) for rate in what.rates],
        "speed": [speed_line(line) for line in what.speeds],
    }


def spending(what: Spending) -> Document:
    """What all runs have used, real money and simulated money apart."""
    return {
        "from": what.first.isoformat(),
        "to": what.last.isoformat(),
        "real": _ledger(what.real),
        "simulated": _ledger(what.simulated),
    }


def _ledger(ledger: Ledger) -> Document:
    return {
        **_sums(ledger.totals),
        "by_day": [{"day": day.isoformat(), **_sums(totals)} for day, totals in ledger.days],
        "by_role": [{"role": role, **_sums(totals)} for role, totals in ledger.roles],
        "by_model": [{"model": model, **_sums(totals)} for model, totals in ledger.models],
        "runs": [{"run": one.run_id, "name": one.name, **_sums(one.totals)} for one in ledger.runs],
    }


def _sums(totals: Totals) -> Document:
    """spent(), with the tokens of both kinds and what is known for sure even when a price is unknown."""
    tokens = {"prompt_tokens": totals.prompt_tokens, "completion_tokens": totals.completion_tokens}
    return {**spent(totals), **tokens, "known_usd": round(totals.cost_usd, 9)}


def result(row: Run, totals: Totals) -> Document:
    """How a run came out, in the shape of its kind."""
    return RESULTS.get(row.kind, results.training)(row, spent(totals))


def tried(row: Run, cards: Sequence[Card], totals: Totals) -> Document:
    """The answers of a try as far as they have come (see results.tried)."""
    return results.tried(row, cards, spent(totals))


def event(row: Event) -> Document:
    """One entry of a run's event stream; note is its number in the history, null for what was only told to watchers."""
    return {"id": row.id, "note": row.note, "name": row.name, "data": row.data, "at": time(row.at)}


def sample(row: SampleRow) -> Document:
    """One candidate's answer to one case, with its score."""
    fields = ("id", "candidate", "case", "repeat", "split", "outcome", "score", "feedback", "response", "error")
    return {field: getattr(row, field) for field in (*fields, "calls", "tokens", "cost_usd", "seconds")}


def time(moment: dt.datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return aware.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def values(value: Any) -> Document:
    """A plain value object (dataclass) as JSON."""
    return asdict(value)
