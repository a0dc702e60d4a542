"""A training pins what its models really take, and says what became of the rest; runs of before stay as they are."""

from __future__ import annotations

import io
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.config import Settings, load
from app.core.kinds.training import prepare
from app.llm.gateway import Gateway
from app.services import datasets, training
from app.services.training.draft import examples_of

ROWS = "user_input,ground_truth_output\n" + "".join(f"text number {i} of many,{'ab'[i % 2]}\n" for i in range(60))
ASKED: dict[str, object] = {
    "dataset": "letters",
    "system_prompt": "Answer a or b.",
    "primary_model": "openai/gpt-5-mini",
    "optimizer_model": "anthropic/claude-sonnet-4-5",
    "temperature": "0.3",
    "optimizer_temperature": "1.4",
    "max_output_tokens": "300",
}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(environ={})


@pytest.fixture
def spec(session: Session, settings: Settings) -> Any:
    datasets.import_file(session, io.BytesIO(ROWS.encode()), "letters.csv", name="letters")
    gateway = Gateway(settings, {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"})
    return training.parse(session, ASKED, settings=settings, gateway=gateway)


def test_what_is_sent_is_pinned_with_what_became_of_the_rest(spec: Any, settings: Settings) -> None:
    assert spec["primary"]["params"] == {"max_output_tokens": 300}
    limit = settings.optimizer.max_output_tokens
    assert spec["optimizer"]["params"] == {"temperature": 1, "max_output_tokens": limit}
    assert training.adjustments(spec) == [
        {
            "role": "primary",
            "param": "temperature",
            "original": 0.3,
            "adjusted": None,
            "action": "drop",
            "reason": "reasoning models choose it themselves",
        },
        {
            "role": "optimizer",
            "param": "temperature",
            "original": 1.4,
            "adjusted": 1,
            "action": "clamp",
            "reason": "it takes 0 to 1",
        },
    ]


def test_the_run_calls_with_what_was_pinned(session: Session, spec: Any) -> None:
    prepared = prepare(spec, examples_of(session, spec["dataset"]["id"]), None)  # type: ignore[arg-type]
    assert dict(prepared.start.model.params) == {"max_output_tokens": 300}


def test_a_clone_asks_for_the_same_again(session: Session, spec: Any, settings: Settings) -> None:
    form = training.as_form(spec)
    assert {key: str(form[key]) for key in ASKED if key not in ("dataset", "system_prompt")} == {
        key: str(value) for key, value in ASKED.items() if key not in ("dataset", "system_prompt")
    }
    gateway = Gateway(settings, {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"})
    again = training.parse(session, form, settings=settings, gateway=gateway)
    assert again["primary"] == spec["primary"]
    assert again["optimizer"] == spec["optimizer"]


def test_a_spec_of_before_has_no_adjustments_and_can_be_cloned(spec: Any) -> None:
    of_before = spec | {
        "primary": {
            "name": "openai/gpt-5-mini",
            "params": {"temperature": 0.3, "max_output_tokens": 9},
            "api_base": None,
        }
    }
    of_before["optimizer"] = of_before["judge"] = None
    assert training.adjustments(of_before) == []
    form = training.as_form(of_before)
    assert (form["primary_model"], form["temperature"], form["max_output_tokens"]) == ("openai/gpt-5-mini", 0.3, 9)
    assert (form["optimizer_model"], form["optimizer_temperature"]) == ("", None)
