"""Access is asked for with one small call each, side by side, kept with its age, and looked at before a run is queued."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.config import Access, Settings
from app.llm.gateway import Gateway
from app.ports.images import NO_IMAGES
from app.services import access, models
from app.services.access import Target
from app.services.errors import Invalid
from app.store.database import Database
from app.store.provider_tables import AccessRow
from tests.fakes.faults import Fault
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.rule_world import RuleWorld

QUICK = Access(deadline_s=2.0, concurrency=8)


@pytest.fixture
def fake() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        assert isinstance(server, OpenAIServer)
        yield server


def checked(
    database: Database, targets: Sequence[Target], *, trying: bool = False, **environ: str
) -> list[access.State]:
    llm = Gateway(Settings(), {"HOME": "/nowhere", **environ}, images=access.WithCard(NO_IMAGES))
    access.check(database.engine, llm, QUICK, [(target, trying) for target in targets])
    with database.session() as session:
        return access.states(session, targets)


def at(fake: OpenAIServer, model: str = "openai/gpt-4.1-mini", **more: str) -> Target:
    return Target(model, fake.url + "/v1", **more)


def test_an_answer_is_kept_with_time_cost_and_age(database: Database, fake: OpenAIServer) -> None:
    (state,) = checked(database, [at(fake)])

    assert state.answers
    assert state.words.startswith("answers; ")
    assert 0 < (state.seconds or 0) < 2
    assert state.usd
    assert state.age_s is not None
    assert 0 <= state.age_s < 60
    assert state.fresh(QUICK)
    assert not state.fresh(Access(fresh_minutes=0))
    assert fake.ledger.log[-1].body["max_tokens"] == 16
    assert fake.ledger.paid == 1


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("401", "unauthorized"), ("404", "unknown_model"), ("429", "rate_limited"), ("insufficient_quota", "quota_exhausted"),
     ("500", "server_fault"), ("hang", "timed_out"), ("400", "rejected")],
)  # fmt: skip
def test_a_failure_has_its_name_and_words(database: Database, fake: OpenAIServer, kind: str, outcome: str) -> None:
    fake.play(Fault(kind))
    quick = Access(deadline_s=0.3)
    access.check(database.engine, Gateway(Settings(), {}), quick, [(at(fake), False)])
    with database.session() as session:
        (state,) = access.states(session, [at(fake)])
    assert (state.outcome, state.answers, state.fresh(quick)) == (outcome, False, False)
    assert state.words
    assert fake.ledger.requests == 1


def test_regions_tiers_and_addresses_are_different_targets_and_are_asked_side_by_side(
    database: Database, fake: OpenAIServer
) -> None:
    fake.latency_s = 0.3
    targets = [at(fake, f"openai/m{n}", tier=tier) for n in range(4) for tier in ("", "flex")]
    began = time.monotonic()
    states = checked(database, targets)
    assert time.monotonic() - began < 1.5
    assert fake.ledger.peak == 8
    assert len({target.digest for target in [*targets, Target("openai/m0"), Target("openai/m0", region="r")]}) == 10
    assert all(state.answers for state in states)
    assert {log.body.get("service_tier") for log in fake.ledger.log} == {None, "flex"}


def test_simulated_models_need_no_call_and_unknown_names_are_told(database: Database) -> None:
    simulated, unknown, keyless = checked(
        database, [Target("simulated/primary"), Target("nobody/x"), Target("openai/gpt-5-mini")]
    )
    assert (simulated.answers, simulated.usd) == (True, 0.0)
    assert "no provider is called" in unknown.words
    assert "OPENAI_API_KEY" in keyless.words


def test_capabilities_are_tried_and_the_difference_is_told(database: Database, fake: OpenAIServer) -> None:
    fake.refuse = {"tools", "json_schema", "json_object", "logprobs"}
    (state,) = checked(database, [at(fake)], trying=True)
    found = {one.name: one for one in state.capabilities}
    assert found["streaming"].tried is True
    assert (found["json"].listed, found["json"].tried, found["json"].differs) == (True, False, True)
    assert (found["tools"].listed, found["tools"].tried) == (True, False)
    assert found["logprobs"].tried is False
    assert found["vision"].listed is True


class Seeing(RuleWorld):
    """Answers every question about a picture in the same words."""

    def __init__(self, says: str) -> None:
        super().__init__()
        self._says = says

    def answer(self, messages: Sequence[Mapping[str, str]]) -> str:
        return self._says if "picture" in messages[-1]["content"] else super().answer(messages)


@pytest.mark.parametrize(
    ("says", "refuse", "sees", "words"),
    [
        ("Left: **green**, right: yellow.", set(), True, "says what an image shows"),
        ("Yellow and green.", set(), False, "takes an image, and does not say what it shows"),
        ("", set(), None, "takes an image, and answers with nothing"),
        ("", {"image_url"}, False, "takes no image: "),
    ],
)
def test_a_model_is_shown_two_colours_and_must_name_them(
    database: Database, fake: OpenAIServer, says: str, refuse: set[str], sees: bool | None, words: str
) -> None:
    fake.world, fake.refuse = Seeing(says), refuse
    (state,) = checked(database, [at(fake)], trying=True)
    vision = {one.name: one for one in state.capabilities}["vision"]
    assert vision.tried is sees
    assert vision.words.startswith(words)
    shown, text = fake.ledger.log[-1].body["messages"][0]["content"]
    assert "The left half" in text["text"]
    with Image.open(
        BytesIO(base64.b64decode(shown["image_url"]["url"].removeprefix("data:image/png;base64,")))
    ) as card:
        assert (card.format, card.getpixel((8, 8)), card.getpixel((56, 56))) == ("PNG", (0, 150, 0), (250, 220, 0))


@pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning")
def test_what_the_way_to_a_model_does_not_send_was_not_tried(database: Database, fake: OpenAIServer) -> None:
    groq = Target("groq/openai/gpt-oss-20b")
    (state,) = checked(database, [groq], trying=True, GROQ_API_KEY="a-key", GROQ_API_BASE=fake.url + "/v1")
    found = {one.name: one for one in state.capabilities}
    assert (found["tools"].tried, found["tools"].words) == (None, "not tried: tools are not sent through LiteLLM")
    assert found["logprobs"].tried is True
    assert not any("tools" in log.body for log in fake.ledger.log)


def test_what_is_asked_for_is_checked_once_and_then_awaited_no_more(
    session: Session, database: Database, fake: OpenAIServer
) -> None:
    models.create(session, "mine", {"model": "openai/rule", "api_base": fake.url + "/v1"})
    models.create(session, "off", {"model": "openai/other", "api_base": fake.url + "/v1"}, active=False)
    targets = access.named(session, [])
    assert targets == access.named(session, ["mine", "config:mine"])
    access.ask_for(session, targets)
    assert [state.awaited for state in access.states(session, targets)] == [True]
    assert access.answer_asked(database.engine, Gateway(Settings(), {}), QUICK) == 1
    session.expire_all()
    (state,) = access.states(session, targets)
    assert state.answers
    assert not state.awaited
    assert access.answer_asked(database.engine, Gateway(Settings(), {}), QUICK) == 0
    with pytest.raises(Invalid, match="no model config called 'absent'"):
        access.named(session, ["absent"])
    with pytest.raises(Invalid, match="no provider is called"):
        access.named(session, ["nobody/x"])


def spec(**roles: Target) -> dict[str, object]:
    return {
        role: {"name": target.model, "api_base": target.api_base or None, "params": {}}
        for role, target in roles.items()
    }


def test_before_a_run_fresh_answers_count_and_failures_are_asked_again(
    session: Session, database: Database, fake: OpenAIServer
) -> None:
    asked: list[Target] = []

    def ask(targets: Sequence[Target]) -> None:
        asked.extend(targets)
        access.check(database.engine, Gateway(Settings(), {}), QUICK, [(target, False) for target in targets])

    good, simulated = at(fake), Target("simulated/optimizer")
    run = spec(primary=good, optimizer=simulated)
    assert access.silent(session, run, QUICK, ask) == []
    assert access.silent(session, run, QUICK, ask) == []
    assert asked == [good], "a fresh answer counts, and a simulated model needs no call"
    session.execute(update(AccessRow).values(outcome="unauthorized", words="HTTP 401: no"))
    session.commit()
    assert access.silent(session, run, QUICK, ask) == []
    assert asked == [good, good], "a failure is asked again"

    fake.play(Fault("404"))
    session.execute(update(AccessRow).values(outcome="unauthorized"))
    session.commit()
    (one,) = access.silent(session, run, QUICK, ask)
    assert (one.role, one.passing) == ("primary", False)
    with pytest.raises(Invalid) as error:
        access.refuse([one], "do this")
    assert error.value.problems[0].field == "primary_model"
    assert "does not answer" in error.value.problems[0].message
    fake.play(Fault("503"))
    (one,) = access.silent(session, run, QUICK, ask)
    assert one.passing
    access.refuse([one], "do this")
    assert access.silent(session, run, Access(before_runs=False), ask) == []
    assert access.silent(session, run, QUICK, lambda targets: None) == [], "a check that did not end says nothing"
