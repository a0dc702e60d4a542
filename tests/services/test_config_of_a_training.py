"""A training that names a config calls what the config says, at its price and pace, and keeps the revision that it pinned."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.config import Settings, load
from app.core.kinds.training import prepare
from app.core.model import model_ref
from app.llm.gateway import Gateway
from app.ports.llm import ModelRef, Price
from app.ports.pace import Lane, place
from app.services import datasets, models, training
from app.services.drive import policy
from app.services.errors import Invalid
from app.services.runs import words
from app.services.training.draft import examples_of

ROWS = "user_input,ground_truth_output\n" + "".join(f"text number {i} of many,{'ab'[i % 2]}\n" for i in range(60))
ASKED: dict[str, object] = {
    "dataset": "letters",
    "system_prompt": "Answer a or b.",
    "primary_model": "config:steady",
    "optimizer_model": "simulated/optimizer",
    "temperature": "0.3",
    "max_output_tokens": "300",
}
SAID: dict[str, Any] = {
    "model": "simulated/primary",
    "params": {"temperature": 0.9},
    "target_rpm": 60.0,
    "price": {"prompt": 10.0, "completion": 40.0, "cached": 1.0},
}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(environ={})


@pytest.fixture
def gateway(settings: Settings) -> Gateway:
    return Gateway(settings, {"OPENAI_API_KEY": "k", "AWS_PROFILE": "p"})


@pytest.fixture(autouse=True)
def letters(session: Session) -> None:
    datasets.import_file(session, io.BytesIO(ROWS.encode()), "letters.csv", name="letters")


def test_the_config_s_word_counts_and_its_revision_is_pinned(
    session: Session, settings: Settings, gateway: Gateway
) -> None:
    config = models.create(session, "steady", SAID)
    spec = training.parse(session, ASKED, settings=settings, gateway=gateway)
    assert spec["primary"] == {
        "name": "simulated/primary",
        "params": {"temperature": 0.9, "max_output_tokens": 300, "seed": 42},
        "api_base": None,
        "price": {"prompt_usd": 1e-5, "completion_usd": 4e-5, "cached_usd": 1e-6},
        "config": {"id": config.id, "name": "steady", "revision": 1},
        "asked": {"model": "config:steady", "api_base": "", "temperature": 0.3, "max_output_tokens": 300},
        "adjustments": [],
    }
    assert spec["calls"]["lanes"]["simulated/primary"] == {"name": "simulated/primary", "rpm": 60.0}
    prepared = prepare(spec, examples_of(session, spec["dataset"]["id"]), None)  # type: ignore[arg-type]
    assert prepared.start.model.price == Price(1e-5, 4e-5, 1e-6)
    run = training.start(session, spec)
    assert run.simulated
    told = dict(words.settings(spec))["Primary model"]
    assert told == "simulated/primary temperature=0.9, max_output_tokens=300, seed=42 (config steady, revision 1)"


def test_a_later_revision_is_for_later_runs(session: Session, settings: Settings, gateway: Gateway) -> None:
    config = models.create(session, "steady", SAID)
    spec = training.parse(session, ASKED, settings=settings, gateway=gateway)
    models.save(session, config, {**SAID, "params": {"temperature": 0.1}})
    run = training.start(session, spec)
    assert run.spec["primary"]["params"]["temperature"] == 0.9
    form = training.as_form(run.spec)
    assert form["primary_model"] == "config:steady"
    again = training.parse(session, form, settings=settings, gateway=gateway)
    assert again["primary"]["params"]["temperature"] == 0.1
    assert again["primary"]["config"]["revision"] == 2


def test_the_price_of_the_config_is_the_one_of_the_estimate(
    session: Session, settings: Settings, gateway: Gateway
) -> None:
    models.create(session, "steady", SAID)
    plain = training.parse(session, ASKED | {"primary_model": "simulated/primary"}, settings=settings, gateway=gateway)
    priced = training.parse(session, ASKED, settings=settings, gateway=gateway)
    cheap, dear = (training.estimate(session, spec, gateway=gateway) for spec in (plain, priced))
    assert cheap.usd_low is not None
    assert dear.usd_low is not None
    assert cheap.calls_high == dear.calls_high
    assert dear.usd_low > 3 * cheap.usd_low


def test_a_price_of_its_own_lets_usd_be_limited(session: Session, settings: Settings, gateway: Gateway) -> None:
    unpriced = {"model": "openai/nobody-knows", "params": {}}
    models.create(session, "mine", unpriced)
    asked = ASKED | {"primary_model": "config:mine", "budget_usd": "1"}
    with pytest.raises(Invalid, match="the price of openai/nobody-knows is unknown"):
        training.parse(session, asked, settings=settings, gateway=gateway)
    models.save(session, models.get(session, "mine"), unpriced | {"price": {"prompt": 1.0, "completion": 2.0}})
    assert training.parse(session, asked, settings=settings, gateway=gateway)["budget"]["usd"] == 1


def test_a_price_of_nothing_is_a_price(session: Session, settings: Settings, gateway: Gateway) -> None:
    models.create(session, "steady", SAID | {"price": {"prompt": 0.0, "completion": 0.0, "cached": 0.0}})
    asked = ASKED | {"strategy": "example_addition", "budget_usd": "1"}
    spec = training.parse(session, asked, settings=settings, gateway=gateway)
    assert model_ref(spec["primary"]).price == Price(0.0, 0.0, 0.0)
    assert training.estimate(session, spec, gateway=gateway).usd_high == 0


def test_a_region_goes_along(session: Session, settings: Settings, gateway: Gateway) -> None:
    models.create(session, "west", {"model": "bedrock/us.amazon.nova-2-lite-v1:0", "region": "us-west-2"})
    spec = training.parse(session, ASKED | {"primary_model": "config:west"}, settings=settings, gateway=gateway)
    ref = model_ref(spec["primary"])
    assert ref.region == "us-west-2"
    assert spec["calls"]["lanes"][ref.name]["name"] == f"{ref.name}@us-west-2"


def test_of_two_rates_for_one_model_the_slower_counts(session: Session, settings: Settings, gateway: Gateway) -> None:
    models.create(session, "steady", SAID)
    models.create(session, "slow", {**SAID, "target_rpm": 5.0})
    asked = ASKED | {"judge_model": "config:slow", "scorer": ["rubric:criteria=Is it right?"]}
    spec = training.parse(session, asked, settings=settings, gateway=gateway)
    assert spec["judge"]["config"]["name"] == "slow"
    assert spec["calls"]["lanes"]["simulated/primary"]["rpm"] == 5
    spec = training.parse(session, asked | {"target_rpm": "30"}, settings=settings, gateway=gateway)
    assert spec["calls"]["lanes"]["simulated/primary"]["rpm"] == 30


@pytest.mark.parametrize("field", ["primary_model", "optimizer_model"])
def test_a_config_that_is_not_there_is_told_at_its_field(
    session: Session, settings: Settings, gateway: Gateway, field: str
) -> None:
    models.create(session, "steady", SAID)
    with pytest.raises(Invalid) as error:
        training.parse(session, ASKED | {field: "config:gone"}, settings=settings, gateway=gateway)
    assert [problem.field for problem in error.value.problems] == [field]
    assert "no model config called 'gone'" in str(error.value)


def test_two_addresses_are_told(session: Session, settings: Settings, gateway: Gateway) -> None:
    models.create(session, "own", {"model": "openai/x", "api_base": "http://127.0.0.1:1/v1"})
    asked = ASKED | {"primary_model": "config:own", "api_base": "http://127.0.0.1:2/v1"}
    with pytest.raises(Invalid, match="has an address of its own"):
        training.parse(session, asked, settings=settings, gateway=gateway)


def test_a_model_that_is_switched_off_is_told(gateway: Gateway) -> None:
    day = gateway.deprecated(ModelRef("azure/gpt-35-turbo-16k"))
    assert day
    before, after = (
        models.warning(gateway, ModelRef("azure/gpt-35-turbo-16k"), day + dt.timedelta(days=days)) for days in (-1, 1)
    )
    assert f"is to be switched off by its provider on {day}" in before
    assert "was to be" in after
    assert models.warning(gateway, ModelRef("openai/nobody-knows"), day) == ""
    assert models.warning(gateway, ModelRef("azure/gpt-35-turbo-16k", api_base="http://127.0.0.1:1/v1"), day) == ""


def test_one_model_in_two_regions_has_two_rate_limits(session: Session, settings: Settings, gateway: Gateway) -> None:
    said = {"model": "bedrock/amazon.nova-lite-v1:0", "params": {}}
    models.create(session, "east", said | {"region": "us-east-1", "target_rpm": 10.0})
    models.create(session, "west", said | {"region": "us-west-2", "target_rpm": 20.0})
    asked = ASKED | {"primary_model": "config:east", "optimizer_model": "config:west", "strategy": "full_rewrite"}
    spec = training.parse(session, asked, settings=settings, gateway=gateway)
    name = said["model"]
    lanes = {key: Lane(**lane) for key, lane in spec["calls"]["lanes"].items()}
    assert lanes == {name: Lane(f"{name}@us-east-1", 10.0), f"{name}@us-west-2": Lane(f"{name}@us-west-2", 20.0)}
    desk = policy(spec).lanes
    east, west = model_ref(spec["primary"]), model_ref(spec["optimizer"])
    assert [desk.get(place(ref)) or desk[ref.name] for ref in (east, west)] == list(lanes.values())
