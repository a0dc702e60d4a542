"""A whole training with the simulated models whose prompt is shortened for real, and what is kept of it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from app.config import ROOT, Settings
from app.core.tokens import estimated_tokens
from app.llm.gateway import Gateway
from app.services import datasets, documents, prompts, runs, training
from app.services.drive import drive
from app.services.errors import Invalid
from app.store.database import Database
from app.store.models import Run

IDLE = ("You are the most experienced agent in the world.", "Take a deep breath and work with care.")
LABELS = {
    "order_tracking": "tracking, a delivery",
    "delivery_estimate": "an estimate of time",
    "refund_status": "a refund",
    "return_request": "a return",
    "charged_twice": "something that happened twice, a charge",
    "login_problem": "signing in",
    "payment_declined": "a refusal, a payment",
    "account_change": "a change of details, the customer's account",
}
LISTED = "\n".join(f"- {name}: {about}" for name, about in LABELS.items())
SYSTEM = f"{IDLE[0]} {IDLE[1]} Classify the message of a customer.\n\nPermitted labels:\n{LISTED}"
FORM = "Reply with the label only, spelled exactly as in the list."
GOOD = {
    "dataset": "support",
    "prompt": "support",
    "system_prompt": SYSTEM,
    "output_prompt": FORM,
    "primary_model": "simulated/primary",
    "optimizer_model": "simulated/optimizer",
    "strategy": "targeted_edit",
    "split": "20/40/40",
    "epochs": 1,
    "shorten": "offer",
    "shorten_margin": 0.1,
    "locked": "Classify the message of a customer.",
}


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(Settings(), {})


def queue(database: Database, gateway: Gateway, **changes: object) -> tuple[str, training.Estimate]:
    with database.session() as session:
        content = (ROOT / "data/samples/support_intents.csv").read_bytes()
        datasets.import_file(session, io.BytesIO(content), "support.csv", name="support")
        spec = training.parse(session, GOOD | changes, settings=Settings(), gateway=gateway)
        return training.start(session, spec).id, training.estimate(session, spec, gateway=gateway)


def work_off(database: Database, gateway: Gateway, run_id: str) -> None:
    assert drive(run_id, database=database, open_llm=lambda: gateway, owner="worker", lease_s=20) == "done"


def units(run: Run) -> dict[str, Any]:
    return {unit["text"]: unit for unit in run.outcome["shortening"]["units"]}


def test_a_training_leaves_out_what_its_model_does_not_need(
    database: Database, gateway: Gateway, tmp_path: Path
) -> None:
    run_id, expected = queue(database, gateway)
    work_off(database, gateway, run_id)
    with database.session() as session:
        run = runs.get(session, run_id)
        found, told = run.outcome["shortening"], units(run)
        assert told[FORM]["fate"] == "kept"
        assert told[FORM]["delta"] > 0.06, "without it the simulated model chats around its answers"
        assert {told[text]["fate"] for text in IDLE} == {"dropped"}
        assert told["Classify the message of a customer."]["why"] == "it is locked"
        assert found["tokens_after"] < found["tokens_before"] - estimated_tokens(*IDLE) + 2
        assert expected.calls_low <= runs.totals(session, run_id).calls <= expected.calls_high

        offer = found["offer"]
        version = next(v for v in run.prompt.versions if v.run_number == offer["number"])
        best = prompts.version(session, run.prompt)
        assert best.system_prompt == SYSTEM, "the head stays what the search has left"
        assert (version.fate, version.parent, version.author) == ("shortened", best, "run")
        assert (version.system_prompt, version.output_prompt) == (offer["system_prompt"], offer["output_prompt"])
        assert "left out" in version.reasoning
        assert version.scores["strategy"] == "shortening"
        assert version.scores["test"] == found["test"]["mean"]
        assert run.outcome["final"]["number"] == found["of"] == 0

        result = documents.result(run, runs.totals(session, run_id))
        assert result["shorter"]["version"] == offer["number"]
        assert result["shorter"]["usable"] == found["usable"]
        report = runs.report_html(session, run)
        assert "What each sentence is worth" in report
        assert IDLE[1] in report
        assert f"{found['tokens_before']} before, {found['tokens_after']} after" in report
        folder = runs.export_folder(session, run, tmp_path)
        kept = folder / f"prompts/{offer['number']:03}-shortened/system_prompt.txt"
        assert kept.read_text("utf-8") == offer["system_prompt"]


def test_the_same_training_twice_comes_to_the_same_and_without_it_nothing_is_said(
    database: Database, gateway: Gateway
) -> None:
    first, _ = queue(database, gateway)
    work_off(database, gateway, first)
    with database.session() as session:
        spec = runs.get(session, first).spec
        again, off = (training.start(session, spec | {"shorten": rule}).id for rule in ("offer", "off"))
    for run_id in (again, off):
        work_off(database, gateway, run_id)
    with database.session() as session:
        one, two, plain = (runs.get(session, run_id) for run_id in (first, again, off))
        assert json.dumps(one.outcome) == json.dumps(two.outcome)
        assert runs.totals(session, again).calls == 0, "all of it comes from the cache"
        assert "shortening" not in plain.outcome
        assert "What each sentence is worth" not in runs.report_html(session, plain)
        same = ("initial", "final", "validation", "epochs", "proposals", "accepted", "stopped_by")
        assert [one.outcome[key] for key in same] == [plain.outcome[key] for key in same]
        assert documents.result(plain, runs.totals(session, off))["shorter"] is None


def test_a_spec_of_a_release_that_knew_none_of_this_still_runs(database: Database, gateway: Gateway) -> None:
    run_id, _ = queue(database, gateway, shorten="off", locked="", max_prompt_chars=12_000)
    with database.session() as session:
        run = session.get_one(Run, run_id)
        new = ("max_prompt_tokens", "locked", "shorten", "shorten_margin", "shorten_answers")
        run.spec = {key: value for key, value in run.spec.items() if key not in new}
        session.commit()
    work_off(database, gateway, run_id)
    with database.session() as session:
        run = runs.get(session, run_id)
        form = training.as_form(run.spec)
        again = training.parse(session, form, settings=Settings(), gateway=gateway)
        assert (again["max_prompt_chars"], again["max_prompt_tokens"], again["shorten"]) == (12_000, None, "off")


@pytest.mark.parametrize(
    ("changes", "field", "part"),
    [
        (
            {"locked": "Never said."},
            "locked",
            '"Never said." does not stand in the initial prompts; copy it from there',
        ),
        ({"locked": [IDLE[0], "Take a breath."]}, "locked", '"Take a breath."'),
        ({"locked": [1]}, "locked", "string"),
        ({"max_prompt_tokens": 30}, "max_prompt_tokens", "longer than this already (the prompts have about"),
        ({"max_prompt_chars": 120}, "max_prompt_chars", "longer than this already (the prompts have"),
        ({"max_prompt_tokens": 0}, "max_prompt_tokens", "greater than or equal to 25"),
        ({"shorten": "maybe"}, "shorten", "'off' or 'offer'"),
        ({"shorten_margin": 0}, "shorten_margin", "greater than 0"),
        ({"shorten_answers": 127}, "shorten_answers", "at least 128 are needed with 64 validation examples"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    database: Database, gateway: Gateway, changes: dict[str, object], field: str, part: str
) -> None:
    with pytest.raises(Invalid) as refused:
        queue(database, gateway, **changes)
    assert [p for p in refused.value.problems if p.field == field and part in p.message], refused.value.problems


def test_one_limit_of_length_replaces_the_other(database: Database, gateway: Gateway) -> None:
    queue(database, gateway)
    with database.session() as session:

        def limits(**changes: object) -> tuple[int | None, int | None]:
            spec = training.parse(session, GOOD | changes, settings=Settings(), gateway=gateway)
            return spec["max_prompt_tokens"], spec["max_prompt_chars"]

        assert limits() == (3000, None)
        assert limits(max_prompt_chars=5000) == (None, 5000)
        assert limits(max_prompt_tokens=500) == (500, None)
        assert limits(max_prompt_tokens=500, max_prompt_chars=5000) == (500, 5000)


def test_the_estimate_says_when_the_test_is_too_small_to_show_it(database: Database, gateway: Gateway) -> None:
    _, told = queue(database, gateway, shorten_margin=0.02)
    assert any("64 test examples cannot show" in note and "137" in note for note in told.notes)
    with database.session() as session:
        plain = training.parse(session, GOOD | {"shorten": "off"}, settings=Settings(), gateway=gateway)
        without = training.estimate(session, plain, gateway=gateway)
    assert told.calls_high - without.calls_high == 1000 + 64
    assert told.calls_low == without.calls_low
