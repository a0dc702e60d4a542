"""Every problem of a training is named with its field before anything is spent."""

from __future__ import annotations

import io
import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy.orm import Session

from app.config import Settings, load
from app.config.settings import Budget, Training
from app.llm.gateway import Gateway
from app.services import datasets, prompts, training
from app.services.errors import Invalid
from app.store.database import Database
from app.store.models import Run

ROWS = "user_input,ground_truth_output\n" + "".join(f"text number {i} of many,{'ab'[i % 2]}\n" for i in range(60))
GOOD: dict[str, object] = {
    "dataset": "letters",
    "system_prompt": "Answer a or b.",
    "primary_model": "simulated/primary",
    "optimizer_model": "simulated/optimizer",
}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(environ={})


@pytest.fixture(scope="module")
def gateway(settings: Settings) -> Gateway:
    return Gateway(settings, {})


@pytest.fixture
def session(session: Session) -> Session:
    add(session, "letters", ROWS)
    return session


def add(session: Session, name: str, text: str) -> None:
    datasets.import_file(session, io.BytesIO(text.encode()), f"{name}.csv", name=name)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_complete_spec_is_pinned(session: Session, settings: Settings, gateway: Gateway) -> None:
    spec = training.parse(session, GOOD, settings=settings, gateway=gateway)
    assert spec["dataset"]["name"] == "letters"
    assert (spec["split"]["train"], spec["split"]["validation"], spec["split"]["test"]) == (36, 12, 12)
    assert spec["primary"] == {
        "name": "simulated/primary",
        "params": {"temperature": 0.0, "max_output_tokens": 2048, "seed": 42},
        "api_base": None,
    }
    assert spec["instructions"]
    run = training.start(session, spec)
    stored = session.get_one(Run, run.id)
    assert (stored.status, stored.simulated, stored.kind) == ("queued", True, "train")
    assert prompts.get(session, stored.spec["prompt"]).versions[0].system_prompt == "Answer a or b."


def test_a_form_sent_twice_at_the_same_moment_starts_one_run(
    session: Session, database: Database, settings: Settings, gateway: Gateway
) -> None:
    prompts.create(session, "p", system_prompt="Answer a or b.")
    spec = training.parse(session, GOOD | {"prompt": "p"}, settings=settings, gateway=gateway)
    both = Barrier(2)

    def start(_: int) -> str:
        with database.session() as own:
            own.get(Run, "0123456789")
            both.wait(10)
            return training.start(own, spec, once="0123456789").id

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(start, range(2))) == ["0123456789"] * 2
    assert session.query(Run).count() == 1


def test_a_spec_and_its_form_say_the_same(session: Session, settings: Settings, gateway: Gateway) -> None:
    given = GOOD | {
        "scorer": ["numeric:tolerance=0.5", "similarity"],
        "budget_calls": 900,
        "split": "50/30/20",
        "epochs": 2,
        "conflicts": "allow",
    }
    spec = training.parse(session, given, settings=settings, gateway=gateway)
    again = training.parse(session, training.as_form(spec), settings=settings, gateway=gateway)
    assert again == spec


def test_an_estimate_spans_from_an_early_stop_to_every_epoch_in_full(
    session: Session, settings: Settings, gateway: Gateway
) -> None:
    spec = training.parse(session, GOOD | {"epochs": 4}, settings=settings, gateway=gateway)
    told = training.estimate(session, spec, gateway=gateway)
    assert told.calls_low == 12 + 3 * 2 * 16 + 12 + 3
    # four epochs of parent, two children and their merger on twice the minibatch, one validated; replies asked for twice
    assert told.calls_high == 12 + 4 * (4 * 2 * 16 + 12) + 24 + 2 * 2 * 4
    assert 0 < told.tokens_low < told.tokens_high
    assert told.usd_low is not None
    assert told.usd_high is not None
    assert told.usd_low < told.usd_high
    assert any("12 examples" in note for note in told.notes)


BAD = [
    ({"dataset": ""}, "dataset", "is needed"),
    ({"dataset": "nowhere"}, "dataset", "nowhere"),
    ({"system_prompt": "  "}, "system_prompt", "write a system prompt"),
    ({"system_prompt": "Use {{context}}."}, "system_prompt", "{{context}} is not a known placeholder"),
    ({"output_prompt": "{{ question }}"}, "output_prompt", "{{question}} is not a known placeholder"),
    ({"prompt": "unheard-of", "system_prompt": ""}, "prompt", "unheard-of"),
    ({"primary_model": "nonsense"}, "primary_model", "nonsense"),
    ({"primary_model": "simulated/gpt"}, "primary_model", "simulated/optimizer"),
    ({"primary_model": "openai/gpt-5-mini"}, "primary_model", "OPENAI_API_KEY"),
    ({"optimizer_model": "anthropic/claude-x"}, "optimizer_model", "ANTHROPIC_API_KEY"),
    ({"primary_model": "openai/x", "api_base": "nonsense"}, "api_base", "nonsense"),
    ({"temperature": "hot"}, "temperature", "hot"),
    ({"temperature": -1}, "temperature", "greater than or equal to 0"),
    ({"temperature": "nan"}, "temperature", "finite"),
    ({"epochs": 0}, "epochs", "greater than or equal to 1"),
    ({"epochs": 10**9}, "epochs", "less than or equal to 1000"),
    ({"batch_size": "1.5"}, "batch_size", "integer"),
    ({"patience": -3}, "patience", "greater than or equal to 1"),
    ({"concurrency": 100_000}, "concurrency", "less than or equal to 1000"),
    ({"seed": -1}, "seed", "greater than or equal to 0"),
    ({"alpha": 0}, "alpha", "greater than 0"),
    ({"min_improvement": 1}, "min_improvement", "less than 1"),
    ({"acceptance": "hope"}, "acceptance", "hope"),
    ({"strategy": "magic"}, "strategy", "no strategy 'magic'"),
    ({"scorer": "vibes"}, "scorer", "vibes"),
    ({"scorer": "numeric:tolerance=-1"}, "scorer", "tolerance"),
    ({"scorer": "regex:pattern=("}, "scorer", "pattern"),
    ({"split": "60-20-20"}, "split", "60/20/20"),
    ({"split": "50/20/20"}, "split", "100"),
    ({"split": "100/0/0"}, "split", "validation"),
    ({"budget_usd": 0}, "budget_usd", "greater than 0"),
    ({"budget_calls": "many"}, "budget_calls", "many"),
    ({"budget_calls": 10**40}, "budget_calls", "less than or equal to"),
    ({"budget_minutes": 1e300}, "budget_minutes", "less than or equal to"),
    ({"max_prompt_chars": 100, "system_prompt": "x" * 200}, "max_prompt_chars", "longer"),
    ({"instructions": "Improve {{everything}}."}, "instructions", "{{everything}}"),
    ({"colour": "red"}, "colour", "no setting called colour"),
]


@pytest.mark.parametrize(("changes", "field", "part"), BAD, ids=[f"{field}-{i}" for i, (_, field, _) in enumerate(BAD)])
def test_what_is_wrong_is_named(
    session: Session, settings: Settings, gateway: Gateway, changes: dict[str, object], field: str, part: str
) -> None:
    with pytest.raises(Invalid) as refused:
        training.parse(session, GOOD | changes, settings=settings, gateway=gateway)
    assert [p for p in refused.value.problems if p.field == field and part in p.message], refused.value.problems
    assert session.query(Run).count() == 0


def test_what_the_configuration_allows_the_form_allows(session: Session, settings: Settings, gateway: Gateway) -> None:
    highest = {"alpha": 0.5, "epochs": 1000, "batch_size": 10_000, "patience": 1000, "concurrency": 1000}
    budget = {"usd": 1e9, "calls": 10**12, "tokens": 10**12, "minutes": 1e7}
    configured = settings.model_copy(
        update={"training": Training(**highest), "budget": Budget(**budget)}  # type: ignore[arg-type]
    )
    spec = training.parse(session, GOOD, settings=configured, gateway=gateway)
    assert (spec["alpha"], spec["budget"]) == (0.5, budget)


def test_all_problems_are_named_at_once(session: Session, settings: Settings, gateway: Gateway) -> None:
    wrong = {
        "epochs": "zero",
        "dataset": "nowhere",
        "scorer": "vibes",
        "primary_model": "nonsense",
        "strategy": "magic",
    }
    with pytest.raises(Invalid) as refused:
        training.parse(session, GOOD | wrong, settings=settings, gateway=gateway)
    assert sorted(p.field for p in refused.value.problems) == sorted(wrong)


def test_an_address_where_nobody_listens_is_refused(session: Session, settings: Settings) -> None:
    base = f"http://127.0.0.1:{closed_port()}/v1"
    gateway = Gateway(settings, {"OPENAI_API_KEY": "k"})
    changes = {"primary_model": "openai/rule", "api_base": base, "strategy": "example_addition"}
    with pytest.raises(Invalid, match="api_base"):
        training.parse(session, GOOD | changes, settings=settings, gateway=gateway)


def test_a_dollar_limit_needs_known_prices(session: Session, settings: Settings) -> None:
    gateway = Gateway(settings, {"OPENAI_API_KEY": "k"})
    changes = {"primary_model": "openai/unheard-of-9", "strategy": "example_addition", "budget_usd": 1}
    with pytest.raises(Invalid, match=r"budget_usd: the price of openai/unheard-of-9 is unknown"):
        training.parse(session, GOOD | changes, settings=settings, gateway=gateway)


@pytest.mark.parametrize(
    ("rows", "changes", "field", "part"),
    [
        ("one,a\n", {}, "dataset", "one row"),
        ("one,a\ntwo,a\nthree,a\n", {}, "dataset", "same answer"),
        ("one,a\ntwo,b\none,b\nthree,a\n", {}, "dataset", "rows 1, 3"),
        ("one,a\ntwo,b\n", {"split": "98/1/1"}, "split", "empty"),
    ],
)
def test_a_dataset_that_cannot_be_trained_on_is_refused(
    session: Session, settings: Settings, gateway: Gateway, rows: str, changes: dict[str, object], field: str, part: str
) -> None:
    add(session, "small", "input,answer\n" + rows)
    with pytest.raises(Invalid) as refused:
        training.parse(session, GOOD | {"dataset": "small"} | changes, settings=settings, gateway=gateway)
    assert [p for p in refused.value.problems if p.field == field and part in p.message], refused.value.problems


def test_conflicting_answers_can_be_allowed(session: Session, settings: Settings, gateway: Gateway) -> None:
    rows = "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(40)) + "text 1,a\n"
    add(session, "torn", "input,answer\n" + rows)
    spec = training.parse(session, GOOD | {"dataset": "torn", "conflicts": "allow"}, settings=settings, gateway=gateway)
    assert spec["split"]["train"]
