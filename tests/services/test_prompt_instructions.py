"""What an optimiser is told: our file, until a person keeps another text in the library."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.core.optimizers import STRATEGIES
from app.core.templates import placeholders
from app.services import prompts
from app.services.errors import Invalid, NotFound

ASKING = [name for name, strategy in STRATEGIES.items() if strategy.template]
MINE = "Mine: {{system_prompt}} {{output_prompt}} {{failures}} {{reply_format}}"


@pytest.mark.parametrize("strategy", ASKING)
def test_the_shipped_text_comes_without_its_front_matter(session: Session, strategy: str) -> None:
    text = prompts.optimizer_instructions(session, strategy)
    assert not text.startswith("---")
    assert {"system_prompt", "output_prompt", "failures"} <= set(placeholders(text))


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name not in ASKING])
def test_a_strategy_without_a_model_has_no_instructions(session: Session, strategy: str) -> None:
    assert prompts.optimizer_instructions(session, strategy) == ""
    with pytest.raises(Invalid, match="asks no model"):
        prompts.save_optimizer_instructions(session, strategy, MINE)


def test_a_persons_text_wins_and_production_wins_over_it(session: Session) -> None:
    shipped = prompts.optimizer_instructions(session, "full_rewrite")
    prompts.save_optimizer_instructions(session, "full_rewrite", MINE)
    assert prompts.optimizer_instructions(session, "full_rewrite") == MINE
    prompt = prompts.get(session, "optimizer/full_rewrite")
    assert [v.system_prompt for v in prompt.versions] == [shipped, MINE]
    prompts.set_label(session, prompt, "production", prompt.versions[0])
    assert prompts.optimizer_instructions(session, "full_rewrite") == shipped


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MINE + " {{secrets}}", "{{secrets}} is filled in by nothing"),
        ("Improve {{system_prompt}} and {{output_prompt}}. {{reply_format}}", "{{failures}} must occur"),
    ],
)
def test_instructions_that_cannot_work_are_refused(session: Session, text: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        prompts.save_optimizer_instructions(session, "full_rewrite", text)
    assert says in refused.value.problems[0].message
    assert refused.value.problems[0].field == "instructions"
    assert prompts.list_prompts(session) == []


def test_an_unknown_strategy_is_named(session: Session) -> None:
    with pytest.raises(NotFound, match="'magic'"):
        prompts.optimizer_instructions(session, "magic")
