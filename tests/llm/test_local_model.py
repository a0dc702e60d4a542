"""The local model: named and priced always; where its packages are installed, also served and trained."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.supervisor import healthy
from app.config import ROOT, Settings
from app.core.scorers import NO_TOOLS
from app.llm import local
from app.llm.gateway import Gateway
from app.ports.llm import Message, ModelRef, Price, Request
from app.services import datasets, local_model, providers, runs, training
from app.services.drive import drive
from app.store.database import Database
from tests.servers import free_port

MODEL = ModelRef("local/smollm2", {"temperature": 0, "max_output_tokens": 16})
needed = pytest.mark.skipif(not local.installed(), reason="the local model is not installed (make local)")


def test_it_costs_nothing_and_what_keeps_it_from_running_is_said() -> None:
    settings = Settings(local_model_port=free_port())
    gateway = Gateway(settings, {})
    assert gateway.price(MODEL) == Price(0.0, 0.0)
    assert gateway.price(ModelRef("local/smollm2", {}, "http://127.0.0.1:1/v1")) is None
    assert gateway.problem(ModelRef("local/other")) == "the local model is called local/smollm2"
    elsewhere = Gateway(settings, {"LOCAL_MODEL_BASE": "http://model.example:80/v1"})
    assert elsewhere.problem(MODEL) is None
    found = next(one for one in providers.found(settings, {}) if one.name == "local")
    assert not found.ready
    assert "make local" in found.missing or "whetstone up" in found.missing


@pytest.fixture(scope="module")
def served() -> Iterator[Settings]:
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "app.llm.local_server", str(port)], cwd=ROOT) as process:
        ends = time.monotonic() + 30
        while not healthy("127.0.0.1", port, "/health"):
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.05)
        yield Settings(local_model_port=port)
        process.terminate()
        assert process.wait(10) == 0


@needed
async def test_equal_requests_get_equal_answers_of_one_line(served: Settings) -> None:
    gateway = Gateway(served, {})
    shown = "Name the colour.\n\nInput: the grass\nOutput: green\n\nInput: the snow\nOutput: white"
    request = Request(MODEL, (Message("system", shown), Message("user", "a ripe tomato")))
    replies = [await gateway.complete(request, deadline_s=30) for _ in range(3)]
    await gateway.aclose()
    assert {reply.text for reply in replies} == {" red"}
    assert all(reply.finish_reason == "stop" and reply.cost_usd == 0 and not reply.usage.estimated for reply in replies)


@needed
@pytest.mark.slow
def test_a_short_training_makes_it_better_on_examples_that_it_never_saw(served: Settings, tmp_path: Path) -> None:
    gateway = Gateway(served, {})
    with Database(f"sqlite:///{tmp_path / 'app.db'}") as database:
        database.upgrade()
        with database.session() as session:
            form = {
                **local_model.TRAINING,
                "dataset": datasets.import_sample(session, "city_mentioned.csv").name,
                "system_prompt": "Name the city in the sentence.",
                "split": "60/20/20",
                "epochs": "1",
                "batch_size": "4",
                "seed": "1",
                "cache": "off",
            }
            spec = training.parse(session, form, settings=served, gateway=gateway, tools=NO_TOOLS)
            run_id = training.start(session, spec).id
        drive(run_id, database=database, open_llm=lambda: Gateway(served, {}), owner="test", lease_s=20)
        with database.session() as session:
            run = runs.get(session, run_id)
            assert (run.status, run.simulated, run.outcome["verdict"]) == ("done", False, "ship")
            assert run.outcome["test"]["paired"]["low"] > 0.3
            assert runs.totals(session, run_id).cost_usd == 0
