"""Model configs are kept in revisions, and files come in whole or not at all, each problem with its line and key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.config import ROOT, load
from app.llm.gateway import Gateway
from app.services import models
from app.services.errors import Invalid, NotFound

SAID: dict[str, Any] = {
    "model": "openai/gpt-4.1-mini",
    "params": {"temperature": 0.2, "logit_bias": {"5": 1}},
    "target_rpm": 60.0,
    "price": {"prompt": 0.4, "completion": 1.6, "cached": 0.1},
}
PROFILES = ROOT.parent / "shared" / "data" / "profiles"


def refused(error: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {problem.field: problem.message for problem in error.value.problems}


def told(error: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [problem.message for problem in error.value.problems]


def test_another_saying_is_a_new_revision_and_the_same_is_none(session: Session) -> None:
    config = models.create(session, "steady", SAID)
    assert models.save(session, config, SAID).number == 1
    changed = {**SAID, "params": {"temperature": 0.3}, "price": {"prompt": 0.4, "completion": 2.0}}
    assert models.save(session, config, changed).number == 2
    session.expire_all()
    config = models.get(session, "steady")
    assert models.says(models.revision(config, 1))["params"] == SAID["params"]
    assert models.differences(*config.revisions) == [
        ("temperature", 0.2, 0.3),
        ("logit_bias", {"5": 1}, None),
        ("price_completion", 1.6, 2.0),
        ("price_cached", 0.1, None),
    ]


def test_a_clone_says_the_same_and_goes_its_own_way(session: Session) -> None:
    config = models.create(session, "steady", SAID)
    twin, third = models.clone(session, config), models.clone(session, config, "own name")
    assert (twin.name, third.name) == ("steady 2", "own name")
    assert models.says(models.head(twin)) == models.says(models.head(config))
    models.save(session, twin, {**SAID, "region": "", "target_rpm": None})
    assert len(config.revisions) == 1


def test_a_deleted_config_frees_its_name(session: Session) -> None:
    models.delete(session, models.create(session, "steady", SAID))
    with pytest.raises(NotFound, match="no model config called 'steady'"):
        models.get(session, "steady")
    assert models.list_configs(session) == []
    models.create(session, "steady", SAID)


def test_an_inactive_config_is_kept_but_not_called(session: Session) -> None:
    config = models.create(session, "steady", SAID)
    assert models.called(session, "config:steady").number == 1
    models.set_active(session, config, False)
    with pytest.raises(NotFound, match="inactive"):
        models.called(session, "config:steady")
    assert models.list_configs(session, only_active=True) == []
    assert len(models.list_configs(session)) == 1


def test_every_problem_is_named_at_once(session: Session) -> None:
    said = {"model": "openai/x", "region": "us-west-2", "params": {"temperature": "hot", "api_key": "k"}}
    with pytest.raises(Invalid) as error:
        models.create(session, "", said)
    assert refused(error).keys() == {"name", "region", "temperature", "api_key"}
    wrong = {"model": "", "price": {"prompt": -1, "completion": float("nan"), "cash": 1}, "target_rpm": 0, "speed": 1}
    with pytest.raises(Invalid) as error:
        models.create(session, "x", wrong)
    assert refused(error).keys() == {"model", "price_prompt", "price_completion", "price_cash", "target_rpm", "speed"}
    for base in ("ftp://x", "http://me:secret@host/v1"):
        with pytest.raises(Invalid) as error:
            models.create(session, "x", {"model": "openai/x", "api_base": base})
        assert refused(error).keys() == {"api_base"}
        assert "secret" not in str(error.value)
    with pytest.raises(Invalid, match="no provider is called 'opnai'; did you mean"):
        models.create(session, "x", {"model": "opnai/x"})
    assert models.list_configs(session) == []


@pytest.mark.parametrize("name", ["a#b", "/x", "x/", "import", "a/clone", " ", "x" * 201])
def test_impossible_names_are_refused(session: Session, name: str) -> None:
    with pytest.raises(Invalid) as error:
        models.create(session, name, SAID)
    assert refused(error).keys() == {"name"}


def test_a_name_is_given_once(session: Session) -> None:
    first, other = models.create(session, "one", SAID), models.create(session, "two", SAID)
    for attempt in (lambda: models.create(session, "one", SAID), lambda: models.rename(session, other, "one")):
        with pytest.raises(Invalid, match="there is a model config called 'one' already"):
            attempt()
    models.rename(session, first, "three")
    models.rename(session, other, "one")
    assert [config.name for config in models.list_configs(session)] == ["one", "three"]


def test_what_is_exported_comes_back_the_same(session: Session) -> None:
    config = models.create(session, "steady", SAID, active=False)
    models.create(session, "other", {"model": "simulated/primary"})
    text, copied = models.export_json(models.list_configs(session)), json.dumps(models.document(config))
    assert models.import_text(session, text).unchanged == ("other", "steady")
    for one in models.list_configs(session):
        models.delete(session, one)
    assert models.import_text(session, text).created == ("other", "steady")
    assert models.export_json(models.list_configs(session)) == text
    assert not models.get(session, "steady").active
    assert models.import_text(session, copied).unchanged == ("steady",)
    more = json.dumps({**json.loads(copied), "target_rpm": 5, "active": True})
    assert models.import_text(session, more).revised == ("steady",)
    assert models.get(session, "steady").active


def test_profiles_give_prices_per_thousand_and_are_named_after_model_and_region(session: Session) -> None:
    lines = [
        {"model_id": "bedrock/a.b-v1:0", "region": "us-west-2", "input_token_cost": 0.001, "output_token_cost": 0.005},
        {"model_id": "openai/x", "input_cost_per_1k": 0.00006, "output_cost_per_1k": 0},
    ]
    done = models.import_text(session, "\n".join(json.dumps(line) for line in lines) + "\n\n")
    assert done.created == ("bedrock/a.b-v1:0 us-west-2", "openai/x")
    said = models.says(models.head(models.get(session, "bedrock/a.b-v1:0 us-west-2")))
    assert (said["model"], said["region"]) == ("bedrock/a.b-v1:0", "us-west-2")
    assert said["price"] == {"prompt": 1.0, "completion": 5.0, "cached": None}
    assert models.says(models.head(models.get(session, "openai/x")))["price"]["prompt"] == 0.06


GOOD = '{"model_id": "openai/x", "input_token_cost": 1, "output_token_cost": 1}'


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"model_id": "openai/y", "speed": 1}', 'line 2: "speed" is not a key that is known'),
        (
            '{"model_id": "openai/y", "input_token_cost": -1, "output_token_cost": 1}',
            'line 2: "input_token_cost" must be',
        ),
        (
            '{"model_id": "openai/y", "input_cost_per_1k": 1, "output_cost_per_1k": "1"}',
            'line 2: "output_cost_per_1k" must',
        ),
        ('{"model_id": "openai/y", "input_token_cost": 1}', 'line 2: "price_completion" is needed'),
        ('{"model_id": "openai/y", "input_token_cost": NaN, "output_token_cost": 1}', "line 2: NaN is no number"),
        ('{"model_id": "openai/y", "model_id": "openai/z"}', 'line 2: the key "model_id" occurs twice'),
        (GOOD, "line 2: \"name\" 'openai/x' stands in line 1 already"),
        ('{"model_id": "nowhere"}', "line 2: \"model\" 'nowhere' names no provider"),
        ('{"model_id": 7}', 'line 2: "name" give it a name'),
        ('{"model_id": "openai/y", "region": "mars"}', 'line 2: "region" only models of'),
        ('{"name": "n", "model": "openai/y", "params": {"seed": "s"}}', 'line 2: "seed" must be a whole number'),
        ('{"name": "n", "model": "openai/y", "active": 1}', 'line 2: "active" must be true or false'),
        ("[1]", "line 2: must be an object"),
        ("{", "line 2: this is not JSON"),
        ("[" * 100_000, "line 2: this is not JSON"),
    ],
)
def test_a_wrong_line_is_told_with_its_key_and_nothing_is_taken_in(session: Session, line: str, words: str) -> None:
    with pytest.raises(Invalid) as error:
        models.import_text(session, f"{GOOD}\n{line}\n")
    assert any(message.startswith(words) for message in told(error)), told(error)
    assert models.list_configs(session) == []


@pytest.mark.parametrize(
    "text", ["", "\n", '{"format": "other/1", "configs": []}', '{"format": "whetstone-models/1"}', "[]"]
)
def test_a_file_of_something_else_is_refused(session: Session, text: str) -> None:
    with pytest.raises(Invalid):
        models.import_text(session, text)


def test_a_look_says_what_is_sent_what_it_costs_and_what_stands_against_it() -> None:
    gateway = Gateway(load(environ={}), {"OPENAI_API_KEY": "k"})
    seen = models.look({"model": "openai/gpt-5-mini", "params": {"temperature": 0.2, "service_tier": "flex"}}, gateway)
    assert seen.sent == {"service_tier": "flex"}
    assert [one.param for one in seen.adjustments] == ["temperature"]
    assert seen.price
    assert seen.price.prompt_usd == pytest.approx(0.125)
    assert not seen.own_price
    assert seen.warnings == ()
    own = models.look(SAID, gateway)
    assert own.own_price
    assert own.price
    assert (own.price.prompt_usd, own.price.cached_usd) == (0.4, 0.1)
    unknown = models.look({"model": "hosted_vllm/mine", "api_base": "http://127.0.0.1:1/v1"}, gateway)
    assert unknown.price is None
    old = models.look({"model": "anthropic/claude-x"}, gateway)
    assert "ANTHROPIC_API_KEY" in old.warnings[0]


@pytest.mark.parametrize("file", ["models_profiles.jsonl", "judge_profiles.jsonl"])
def test_real_profiles_come_in(session: Session, file: str) -> None:
    path = Path(PROFILES / file)
    if not path.is_file():
        pytest.skip(f"{file} is not here")
    text = path.read_text("utf-8")
    lines = [line for line in text.splitlines() if line.strip()]
    done = models.import_text(session, text)
    assert len(done.created) == len(lines)
    config = models.get(session, done.created[0])
    assert models.head(config).price["completion"] > models.head(config).price["prompt"] > 0


def test_an_address_that_nothing_may_go_to_is_refused_and_a_private_one_is_warned_about(session: Session) -> None:
    for base in ("http://169.254.169.254/v1", "http://[::ffff:a9fe:a9fe]/v1", "http://2852039166/v1"):
        with pytest.raises(Invalid) as error:
            models.create(session, "bad", {"model": "openai/x", "api_base": base})
        assert refused(error).keys() == {"api_base"}
    private = {"model": "openai/x", "api_base": "http://10.0.0.9/v1"}
    models.create(session, "lan", private)
    assert any("private_hosts" in one for one in models.look(private, Gateway(load(environ={}), {})).warnings)
