"""What a training may take is told generously: proposals are longer than the prompts that they start from."""

from __future__ import annotations

import io

from sqlalchemy.orm import Session

from app.config import load
from app.llm.gateway import Gateway
from app.ports.llm import Price
from app.services import datasets, training
from app.services.training.estimate import GROWTH

ROWS = "user_input,ground_truth_output\n" + "".join(f"text number {i} of many,{'ab'[i % 2]}\n" for i in range(60))


def test_the_high_end_grants_prompts_their_growth_within_the_limit(session: Session) -> None:
    settings = load(environ={})
    gateway = Gateway(settings, {})
    datasets.import_file(session, io.BytesIO(ROWS.encode()), "letters.csv", name="letters")
    form = {
        "dataset": "letters",
        "system_prompt": "a" * 100,
        "primary_model": "simulated/primary",
        "strategy": "example_addition",
    }
    tight, wide = (
        training.estimate(
            session,
            training.parse(session, form | {"max_prompt_chars": most}, settings=settings, gateway=gateway),
            gateway=gateway,
        )
        for most in (100, 10_000)
    )
    assert wide.tokens_low == tight.tokens_low
    assert wide.tokens_high - tight.tokens_high == wide.calls_high * GROWTH / 4


def test_the_high_end_counts_every_proposal_that_a_strategy_may_make(session: Session) -> None:
    settings = load(environ={})
    gateway = Gateway(settings, {})
    datasets.import_file(session, io.BytesIO(ROWS.encode()), "letters.csv", name="letters")
    form = {"dataset": "letters", "system_prompt": "Answer.", "primary_model": "simulated/primary", "epochs": 2}
    form |= {"optimizer_model": "simulated/optimizer", "batch_size": 3}

    def most_calls(strategy: str) -> int:
        spec = training.parse(session, form | {"strategy": strategy}, settings=settings, gateway=gateway)
        sizes, found = spec["split"], training.estimate(session, spec, gateway=gateway)
        fixed = sizes["validation"] * 3 + 2 * sizes["test"]  # baseline, two validations, and the test of both
        return found.calls_high - fixed

    batch = 2 * 3  # a minibatch may grow to twice its size
    assert most_calls("full_rewrite") == 2 * (batch * 2 + 2)  # parent and child; a proposal and its repair
    assert most_calls("auto") == 2 * (batch * 4 + 4)  # parent, two children, their merger; two proposals, repaired


def test_long_prompts_are_estimated_at_their_own_price(session: Session) -> None:
    settings = load(environ={})
    dear = Price(1e-6, 0.0, long_from=40, long=Price(1e-3, 0.0))
    gateway = Gateway(settings, {"OPENAI_API_KEY": "k"}, {"openai/long": dear})
    datasets.import_file(session, io.BytesIO(ROWS.encode()), "letters.csv", name="letters")
    form = {
        "dataset": "letters",
        "primary_model": "openai/long",
        "strategy": "example_addition",
        "max_prompt_chars": 300,
    }
    short, long = (
        training.estimate(
            session,
            training.parse(session, form | {"system_prompt": "a" * chars}, settings=settings, gateway=gateway),
            gateway=gateway,
        )
        for chars in (20, 300)
    )
    assert (short.usd_low or 0) / short.tokens_low < 1e-6
    assert (long.usd_low or 0) / long.tokens_low > 5e-4
