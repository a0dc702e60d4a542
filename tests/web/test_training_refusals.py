"""A wrong setting of a training is told beside its field, with everything else kept, and nothing starts."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator

import pytest

from app.services import datasets, prompts
from tests.web.conftest import World, build
from tests.web.forms import FORM, ROWS, errors, post


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which nothing ever starts: every form that is sent to it is wrong."""
    world = build(tmp_path_factory.mktemp("steady"))
    files = {"mine": ROWS, "conflicting": "a,1\na,2\nb,1", "single": "a,1", "same": "a,1\nb,1\nc,1"}
    with world.database.session() as session:
        for name, rows in files.items():
            datasets.import_file(session, io.BytesIO(f"input,answer\n{rows}\n".encode()), f"{name}.csv")
        prompts.create(session, "library one", system_prompt="First.")
        prompts.create(session, "a chat", kind="chat", messages=[{"role": "user", "content": "x"}])
    yield world
    world.database.close()


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"dataset": ""}, "dataset", "needed"),
        ({"dataset": "nothing"}, "dataset", "there is no dataset"),
        ({"dataset": "sample:../../x"}, "dataset", "there is no sample"),
        ({"dataset": "conflicting"}, "dataset", "have different answers"),
        ({"dataset": "single"}, "dataset", "one row"),
        ({"dataset": "same"}, "dataset", "same answer"),
        ({"system_prompt": "", "output_prompt": " "}, "system_prompt", "write a system prompt"),
        ({"system_prompt": "Hi {{name}}"}, "system_prompt", "not a known placeholder"),
        ({"output_prompt": "{{topic}}"}, "output_prompt", "not a known placeholder"),
        ({"prompt": "nothing@3"}, "prompt", "nothing"),
        ({"prompt": "library one@99"}, "prompt", "no version"),
        ({"prompt": "a chat"}, "prompt", "chat prompt"),
        ({"primary_model": "simulated/other"}, "primary_model", "simulated"),
        ({"primary_model": "openai/gpt-5-mini"}, "primary_model", "OPENAI_API_KEY"),
        ({"primary_model": "gpt"}, "primary_model", "gpt"),
        ({"optimizer_model": "anthropic/claude-sonnet-4-6"}, "optimizer_model", "ANTHROPIC_API_KEY"),
        ({"primary_model": "openai/x", "api_base": "http://127.0.0.1:1/v1"}, "api_base", "cannot be reached"),
        ({"primary_model": "openai/x", "api_base": "ftp://x"}, "api_base", "api_base"),
        ({"scorer-0": "magic"}, "scorer", "no scorer"),
        (
            {"scorer-0": "numeric", "scorer-0-of": "numeric", "scorer-0-tolerance": "x"},
            "scorer-0-tolerance",
            "a number",
        ),
        (
            {"scorer-0": "numeric", "scorer-0-of": "numeric", "scorer-0-tolerance": "-1"},
            "scorer-0-tolerance",
            "at least 0",
        ),
        ({"scorer-0": "regex", "scorer-0-of": "regex", "scorer-0-pattern": "("}, "scorer", "pattern"),
        ({"scorer-0": "json_match", "scorer-0-of": "json_match", "scorer-0-schema": "{"}, "scorer-0-schema", "JSON"),
        ({"strategy": "magic"}, "strategy", "no strategy"),
        ({"acceptance": "magic"}, "acceptance", "must be"),
        ({"epochs": "0"}, "epochs", "greater than or equal to 1"),
        ({"epochs": "many"}, "epochs", "must be a valid integer"),
        ({"epochs": "1e400"}, "epochs", "must be"),
        ({"batch_size": "-5"}, "batch_size", "greater than or equal to 1"),
        ({"patience": "0"}, "patience", "greater"),
        ({"min_improvement": "1"}, "min_improvement", "less than 1"),
        ({"split": "60/40"}, "split", "three shares"),
        ({"split": "100/0/0"}, "split", "must not be 0"),
        ({"budget_usd": "-1"}, "budget_usd", "greater than 0"),
        ({"budget_calls": "1.5"}, "budget_calls", "integer"),
        ({"budget_minutes": "nan"}, "budget_minutes", "finite"),
        ({"seed": "-1"}, "seed", "greater"),
        ({"concurrency": "0"}, "concurrency", "greater"),
        ({"alpha": "2"}, "alpha", "less"),
        ({"temperature": "9"}, "temperature", "less"),
        ({"optimizer_temperature": "x"}, "optimizer_temperature", "number"),
        ({"max_output_tokens": "0"}, "max_output_tokens", "greater"),
        ({"max_prompt_chars": "100", "system_prompt": "x" * 101}, "max_prompt_chars", "longer"),
    ],
)
def test_a_wrong_setting_is_explained_beside_its_field_and_nothing_is_lost(
    steady: World, wrong: dict[str, str], field: str, says: str
) -> None:
    response = post(steady.app.test_client(), "/trainings/new", {**FORM, "name": "kept name", **wrong})
    assert response.status_code == 422
    assert says in errors(response).get(field, f"nothing beside {field}: {errors(response)}")
    page = html.unescape(response.text)
    assert "kept name" in page
    assert steady.queued == []
    value = next(iter(wrong.values()))
    if value and len(value) < 40 and field in wrong:
        assert value in page


def test_several_wrong_settings_are_all_named(steady: World) -> None:
    form = {
        **FORM,
        "epochs": "0",
        "patience": "x",
        "scorer-0": "numeric",
        "scorer-0-of": "numeric",
        "scorer-0-tolerance": "y",
    }
    form |= {"system_prompt": "{{topic}}", "primary_model": "openai/gpt-5-mini"}
    named = set(errors(post(steady.app.test_client(), "/trainings/new", form)))
    assert named == {"epochs", "patience", "scorer-0-tolerance", "system_prompt", "primary_model"}
