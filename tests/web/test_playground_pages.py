"""The playground without scripts: its form, its refusals, the answers of a try that was driven, and what becomes of them."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.ports.llm import CallError, Request, Unauthorized
from app.services import datasets, prompts
from app.services.drive import drive
from app.store.models import Dataset, Example, Run
from tests.fakes.llm import RuleLLM
from tests.web.conftest import World

HOSTILE = "<script>alert(1)</script> & <b>bold</b>"
Post = Callable[..., TestResponse]
PAIR = ["simulated/primary", "simulated/optimizer"]


def send(post: Post, **fields: Any) -> TestResponse:
    return post("/playground", {"models": PAIR, "input": "hello", **fields})


def text_of(response: TestResponse) -> str:
    return html.unescape(response.get_data(as_text=True))


def answer(request: Request) -> str | CallError:
    return HOSTILE if request.model.name == PAIR[0] else Unauthorized("the key is wrong")


def driven(world: World) -> str:
    """The id of the run that was queued last, driven to its end: one model answers in HTML, the other has a wrong key."""
    run_id = world.queued[-1]
    drive(run_id, database=world.database, open_llm=lambda: RuleLLM(answer), owner="test", lease_s=20)
    return run_id


def test_a_failing_model_stands_beside_the_answer_of_the_other_which_is_escaped(
    client: FlaskClient, post: Post, world: World
) -> None:
    sent = send(post, system_prompt="Be kind.", output_prompt="Say {{input}} back.")
    assert sent.status_code == 303
    run_id = driven(world)
    assert sent.location == f"/playground/{run_id}#answers"
    page = client.get(f"/playground/{run_id}").get_data(as_text=True)
    assert html.escape(HOSTILE) in page
    assert "<script>alert" not in page
    assert "the key is wrong" in page
    assert "$0.00000" in page  # seven words at a known price
    with world.database.session() as session:
        run = session.get_one(Run, run_id)
        assert run.status == "done"
        assert [m["content"] for m in run.spec["messages"]] == ["Be kind.", "Say hello back."]
        assert [one["error"] for one in run.outcome["answers"]] == ["", "provider_down"]
    assert client.get(f"/runs/{run_id}").location == f"/playground/{run_id}"
    for part in (
        "",
        "/calls",
        "/bill",
        "/log",
        "/settings",
        "/examples",
        "/report.html",
        "/samples.csv",
        "/unprocessed",
    ):
        assert client.get(f"/runs/{run_id}{part}").status_code < 400, part
    assert client.get("/runs?kind=try").status_code == 200


def test_an_answer_becomes_an_example_of_a_new_dataset_and_then_of_its_next_version(
    client: FlaskClient, post: Post, world: World
) -> None:
    send(post)
    run_id = driven(world)
    for text in ("good morning", "good day"):
        done = post(f"/playground/{run_id}/example", {"dataset": "greetings", "answer": text})
        assert done.status_code == 303
    with world.database.session() as session:
        newest = session.scalars(select(Dataset).order_by(Dataset.id.desc())).first()
        assert newest is not None
        assert (newest.name, newest.version, newest.rows) == ("greetings v2", 2, 2)
        rows = session.execute(select(Example.input, Example.reference).where(Example.dataset_id == newest.id)).all()
        assert [tuple(row) for row in rows] == [("hello", "good morning"), ("hello", "good day")]
        assert datasets.get(session, "greetings").rows == 1
        page = client.get(f"/datasets/{newest.id}")
        assert page.status_code == 200
    empty = post(f"/playground/{run_id}/example", {"dataset": "", "answer": " "})
    assert empty.status_code == 422
    assert "needs the answer that is right" in text_of(empty)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"input": "  ", "output_prompt": ""}, "write what the models are to answer"),
        ({"models": ""}, "choose at least one model"),
        ({"models": [f"simulated/{n}" for n in range(7)]}, "at most 6"),
        ({"models": [PAIR[0], PAIR[0]]}, "is there twice"),
        ({"models": "openay/gpt"}, "did you mean openai/gpt"),
        ({"models": "openai/gpt-5-mini"}, "no key for OpenAI"),
        ({"models": "config:nobody"}, "nobody"),
        ({"models": "local/other"}, "the local model is called local/smollm2"),
        ({"input": "x" * 200_001}, "at most 200,000"),
        ({"temperature": "warm"}, "temperature"),
        ({"output_prompt": "You are {{role}}."}, "{{role}} needs a value"),
        ({"prompt": "nowhere@3"}, "there is no prompt called"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_asked_is_said_and_nothing_typed_is_lost(
    post: Post, world: World, fields: dict[str, Any], said: str
) -> None:
    page = send(post, system_prompt="kept words", **fields)
    assert page.status_code == 422
    assert said in text_of(page)
    assert "kept words" in text_of(page)
    assert not world.queued


def test_a_large_input_with_every_kind_of_sign_is_asked(client: FlaskClient, post: Post, world: World) -> None:
    text = "مرحبا 👋 <i>\x00 \ud800 ".encode("utf-8", "surrogatepass").decode("utf-8", "replace") * 8_000
    assert send(post, models=PAIR[0], input=text).status_code == 303
    assert client.get(f"/playground/{driven(world)}").status_code == 200


def test_a_prompt_of_the_library_is_loaded_and_its_variables_are_asked_for(
    client: FlaskClient, post: Post, world: World
) -> None:
    with world.database.session() as session:
        chat = [
            {"role": "system", "content": "You speak {{language}}."},
            {"role": "user", "content": "Say: {{input}}"},
        ]
        prompts.create(session, "speaker", kind="chat", messages=chat)
        prompts.create(session, "pair", system_prompt="Translate.", output_prompt="")
    loaded = text_of(post("/playground", {"do": "load", "load": "pair", "input": "kept", "models": PAIR}))
    assert "Translate." in loaded
    assert "kept" in loaded
    page = text_of(client.get("/playground?prompt=speaker&model=simulated/primary"))
    assert 'name="variable.language"' in page
    missing = send(post, prompt="speaker@1")
    assert "{{language}} needs a value" in text_of(missing)
    assert send(post, prompt="speaker@1", **{"variable.language": "French"}).status_code == 303
    with world.database.session() as session:
        run = session.get_one(Run, world.queued[-1])
        assert [m["content"] for m in run.spec["messages"]] == ["You speak French.", "Say: hello"]
        assert run.prompt is not None
        assert run.prompt.name == "speaker"


def test_the_panel_tries_an_unsaved_draft_on_the_spot(client: FlaskClient, post: Post, world: World) -> None:
    draft = {"kind": "pair", "system_prompt": "Unsaved.", "input": "hello", "models": PAIR[0]}
    part = post("/playground/panel", draft, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert f'data-stream="/playground/{world.queued[-1]}/stream"' in part.get_data(as_text=True)
    with world.database.session() as session:
        assert session.get_one(Run, world.queued[-1]).spec["messages"][0]["content"] == "Unsaved."
    chat = {"kind": "chat", "role": ["system"], "content": ["Chat draft."], "input": "hi", "models": PAIR[0]}
    assert post("/playground/panel", chat).status_code == 303
    bad = post("/playground/panel", chat | {"messages": "[{"}, headers={"HX-Request": "true"})
    assert bad.status_code == 422
    assert "this is not JSON" in text_of(bad)
    with world.database.session() as session:
        page = prompts.create(session, "one", system_prompt="Hello {{who}}.", output_prompt="").id
    assert 'name="variable.who"' in text_of(client.get(f"/prompts/{page}/versions/1"))
    assert "Try it" in text_of(client.get(f"/prompts/{page}/edit"))


def test_the_most_that_it_may_cost_is_said_before(post: Post) -> None:
    fields = {"models": PAIR, "input": "hello", "max_output_tokens": "1000"}
    told = text_of(post("/playground/estimate", fields))
    assert "2 calls, up to about $0.0044" in told
    dear = {"models": [*PAIR, "simulated/judge"], "max_output_tokens": "1000000"}
    refused = send(post, **dear)
    assert refused.status_code == 422
    assert "tick the box" in text_of(refused)
    assert send(post, **dear, confirmed="1").status_code == 303


def test_a_form_sent_twice_is_one_try_and_one_that_waits_can_be_stopped(
    client: FlaskClient, post: Post, world: World
) -> None:
    first = send(post, once="0123456789")
    assert send(post, once="0123456789").location == first.location
    page = text_of(client.get("/playground/0123456789"))
    assert "Redis does not answer" in page
    assert 'data-say="0"' in page
    assert post("/playground/0123456789/stop").status_code == 303
    assert "No answer: the run ended before." in text_of(client.get("/playground/0123456789"))
    stream = client.get("/playground/0123456789/stream").get_data(as_text=True)
    assert stream.endswith('event: end\ndata: "cancelled"\n\n')
    assert client.get("/playground/nothere").status_code == 404
    assert client.get("/playground/0123456789/cards/7").status_code == 404
