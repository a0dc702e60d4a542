"""Keys are sealed at rest, bound to one address, and go nowhere else; servers of one's own are tested step by step."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.llm.gateway import Gateway
from app.llm.keyring import Keyring, origin
from app.llm.known import KNOWN
from app.llm.outbound import Guard
from app.llm.routes import base_of, key_for
from app.ports.llm import CallError, Message, ModelRef, Permanent, Request
from app.services import providers
from app.services.errors import Invalid, NotFound
from app.services.providers.servers import Form
from app.store.database import Database
from app.store.provider_tables import ProviderKey, Server
from tests.fakes.openai_server import OpenAIServer

KEY = "sk-canary-1618033988749894"
ASK = (Message("user", "Say OK."),)
LOCAL = Guard.of(["127.0.0.0/8"])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, secret_key="first")


@pytest.fixture
def fake() -> Iterator[OpenAIServer]:
    with OpenAIServer(api_key=KEY) as server:
        assert isinstance(server, OpenAIServer)
        yield server


def ring(database: Database, settings: Settings) -> Keyring:
    return providers.keyring(database.engine, settings)


def gateway(database: Database, settings: Settings, environ: dict[str, str] | None = None) -> Gateway:
    return Gateway(settings, environ or {}, keys=ring(database, settings))


def problems(error: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    assert KEY not in "".join(traceback.format_exception(error.value))
    return {problem.field: problem.message for problem in error.value.problems}


def test_a_key_is_nowhere_in_the_database_and_in_no_repr(
    session: Session, database: Database, settings: Settings
) -> None:
    providers.keys.enter(session, settings, "openai", f"  {KEY}\n")
    providers.servers.save(session, settings, LOCAL, Form("lab", "http://127.0.0.1:9/v1", KEY + "x"))

    file = Path(database.engine.url.database or "")
    dump = b"".join(path.read_bytes() for path in file.parent.glob("app.db*"))
    assert b"provider:openai" in dump
    found = ring(database, settings)
    assert KEY.encode() not in dump
    assert found.of_provider("openai", "https://api.openai.com/v1") == KEY
    assert found.of_server("http://127.0.0.1:9/v1") == KEY + "x"
    assert KEY not in repr(found) + repr(gateway(database, settings).around) + repr(settings)


def test_a_key_goes_to_its_address_and_the_environment_comes_first(
    session: Session, database: Database, settings: Settings
) -> None:
    providers.keys.enter(session, settings, "openai", KEY)
    found = ring(database, settings)

    for base in ("http://api.openai.com/v1", "https://api.openai.com:444/v1", "https://api.openai.com.evil.example/v1"):
        assert found.of_provider("openai", base) == ""
    assert gateway(database, settings).problem(ModelRef("openai/gpt-5-mini")) is None
    assert "no key" in (gateway(database, settings).problem(ModelRef("anthropic/claude-sonnet-5")) or "")
    elsewhere = gateway(database, settings, {"OPENAI_BASE_URL": "https://proxy.example/v1"})
    openai = KNOWN["openai"]
    assert key_for(openai, base_of(openai, None, elsewhere.around.environ), elsewhere.around.environ, found)[0] == ""
    assert key_for(openai, openai.default_base, {"OPENAI_API_KEY": "env"}, found)[0] == "env"


def test_a_sealed_key_cannot_be_moved_to_another_address_or_opened_with_another_secret(
    session: Session, database: Database, settings: Settings
) -> None:
    saved = providers.servers.save(session, settings, LOCAL, Form("lab", "http://127.0.0.1:9/v1", KEY))
    row = session.scalars(select(ProviderKey)).one()
    row.origin = "http://evil.example:80"
    session.commit()
    assert ring(database, settings).servers == {}
    row.origin = saved.origin
    session.commit()

    other = Settings(data_dir=settings.data_dir, secret_key="second")
    assert ring(database, other).servers == {}
    assert not providers.keys.kept(session, other)[providers.keys.holder_of(saved.id)].usable
    rotated = Settings(data_dir=settings.data_dir, secret_key="second", former_secret_keys=("first",))
    assert ring(database, rotated).servers == {saved.origin: KEY}
    assert providers.keys.reseal(session, rotated) == (1, 0)
    assert ring(database, other).servers == {saved.origin: KEY}
    assert providers.keys.reseal(session, settings) == (0, 1)
    row.sealed = Fernet(Fernet.generate_key()).encrypt(b"{}").decode()
    session.commit()
    assert ring(database, other).servers == {}


def test_another_host_means_no_key(session: Session, database: Database, settings: Settings) -> None:
    saved = providers.servers.save(session, settings, LOCAL, Form("lab", "http://127.0.0.1:9/v1", KEY))

    providers.servers.save(session, settings, LOCAL, Form("lab 2", "http://127.0.0.1:9/other/v1"), saved)
    assert ring(database, settings).of_server("http://127.0.0.1:9/other/v1") == KEY, "the path is not the host"
    providers.servers.save(session, settings, LOCAL, Form("lab 2", "http://127.0.0.1:10/v1"), saved)
    assert ring(database, settings).secrets == ()
    providers.servers.save(session, settings, LOCAL, Form("lab 2", "http://127.0.0.1:10/v1", KEY), saved)
    providers.servers.save(session, settings, LOCAL, Form("lab 2", "http://127.0.0.1:10/v1", forget_key=True), saved)
    assert ring(database, settings).secrets == ()


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        (Form("", "http://127.0.0.1:9/v1"), "name", "give it a name"),
        (Form("a/b", "http://127.0.0.1:9/v1"), "name", "no /"),
        (Form("x" * 101, "http://127.0.0.1:9/v1"), "name", "at most 100"),
        (Form("n", ""), "base_url", "must look like"),
        (Form("n", "127.0.0.1:9"), "base_url", "must look like"),
        (Form("n", f"http://u:{KEY}@127.0.0.1:9/v1"), "base_url", "user name or password"),
        (Form("n", f"http://127.0.0.1:9/v1?key={KEY}"), "base_url", "end before ?"),
        (Form("n", "http://10.0.0.8/v1"), "base_url", "private_hosts"),
        (Form("n", "http://169.254.169.254/v1"), "base_url", "no request may go to"),
        (Form("n", "https://api.openai.com/v1"), "base_url", "write openai/MODEL"),
        (Form("lab", "http://127.0.0.1:11/v1"), "name", "already"),
        (Form("n", "http://127.0.0.1:9/x"), "base_url", "'lab' already"),
        (Form("n", "http://127.0.0.1:12/v1", f"{KEY} and more"), "key", "one word"),
        (Form("n", "http://127.0.0.1:12/v1", KEY + "é"), "key", "one word"),
        (Form("n", "http://127.0.0.1:12/v1", "k" * 5000), "key", "at most 4096"),
    ],
)
def test_what_is_wrong_is_named_and_no_key_is_repeated(
    session: Session, settings: Settings, form: Form, field: str, said: str
) -> None:
    providers.servers.save(session, settings, LOCAL, Form("lab", "http://127.0.0.1:9/v1"))
    with pytest.raises(Invalid) as error:
        providers.servers.save(session, settings, LOCAL, form)
    assert said in problems(error)[field]


def test_providers_without_an_address_take_no_key(session: Session, settings: Settings) -> None:
    for name in ("bedrock", "vertex_ai", "azure", "ollama", "simulated"):
        with pytest.raises(Invalid, match="no key can be entered"):
            providers.keys.enter(session, settings, name, KEY)
    with pytest.raises(NotFound):
        providers.keys.enter(session, settings, "nobody", KEY)
    with pytest.raises(Invalid, match="enter the key"):
        providers.keys.enter(session, settings, "openai", " ")


async def test_a_call_takes_the_key_of_its_server_and_hides_it(
    session: Session, database: Database, settings: Settings, fake: OpenAIServer
) -> None:
    providers.servers.save(session, settings, LOCAL, Form("lab", fake.url + "/v1", KEY))
    model = ModelRef("openai/rule", api_base=fake.url + "/v1")
    with_key, without = gateway(database, settings), Gateway(settings, {})
    try:
        await with_key.complete(Request(model, ASK), deadline_s=5)
        with pytest.raises(CallError):
            await without.complete(Request(model, ASK), deadline_s=5)
        fake.api_key = "another"
        with pytest.raises(Permanent) as refused:
            await with_key.complete(Request(model, ASK), deadline_s=5)
    finally:
        await with_key.aclose()
        await without.aclose()
    told = "".join(traceback.format_exception(refused.value))
    assert "entered with this server" in told
    assert KEY not in told


def trial_of(
    session: Session, database: Database, settings: Settings, server: Server, model: str = ""
) -> dict[str, tuple]:
    own = providers.servers.key_of(ring(database, settings), server)
    trial = providers.trial.run(server.base_url, gateway(database, settings).around, own, model)
    providers.servers.record(session, server, trial)
    document = providers.servers.document(server, providers.keys.kept(session, settings))
    assert KEY not in repr(document)
    return {step["name"]: (step["ok"], step["words"]) for step in document["test"]}


def test_a_server_is_tested_step_by_step(
    session: Session, database: Database, settings: Settings, fake: OpenAIServer
) -> None:
    server = providers.servers.save(session, settings, LOCAL, Form("lab", fake.url + "/v1", KEY))

    good = trial_of(session, database, settings, server)
    assert {name: ok for name, (ok, _) in good.items()} == dict.fromkeys(
        ("reachable", "models", "call", "stream"), True
    )
    assert "answers" in good["call"][1]
    assert server.models
    assert fake.ledger.paid == 1

    providers.servers.save(session, settings, LOCAL, Form("lab", fake.url + "/v1", "sk-wrong-key-000000"), server)
    refused = trial_of(session, database, settings, server, "rule")
    assert refused["models"] == (False, "HTTP 401: the server refuses the key")
    assert refused["call"][0] is False
    assert refused["stream"] == (None, "not tried")

    providers.servers.save(session, settings, LOCAL, Form("lab", "http://127.0.0.1:9/v1"), server)
    gone = trial_of(session, database, settings, server)
    assert gone["reachable"] == (False, "no connection: Connection refused")
    assert gone["call"][0] is None


def test_a_trial_obeys_the_guard(settings: Settings, fake: OpenAIServer) -> None:
    around = replace(Gateway(settings, {}).around, guard=Guard())
    trial = providers.trial.run(fake.url + "/v1", around, Keyring({origin(fake.url): KEY}))
    assert not trial.passed
    assert "private_hosts" in trial.steps[0].words
    assert fake.ledger.requests == 0
