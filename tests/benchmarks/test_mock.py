"""The mock answers as the adapters expect it, keeps its latency, counts, and ends with whoever started it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

from app.config import ROOT, load
from app.llm.gateway import Gateway
from app.ports.llm import Message, ModelRef, Request
from benchmarks.driver import KEYS
from benchmarks.mock import say
from benchmarks.setting import Provider, provider

LATENCY_S = 0.05


@pytest.fixture(scope="module")
def mock() -> Iterator[Provider]:
    with provider(LATENCY_S) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "base"),
    [("openai/mock", "{}/v1"), ("mistral/mistral-small-latest", None), ("vertex_ai/gemini-3.5-flash", "{}")],
)
async def test_every_lane_gets_its_answer_with_usage(mock: Provider, name: str, base: str | None) -> None:
    llm = Gateway(load(environ={}), KEYS | {"MISTRAL_API_BASE": mock.base})
    model = ModelRef(name, {"max_output_tokens": 50}, base.format(mock.address) if base else None)
    mock.reset()
    try:
        reply = await llm.complete(Request(model, (Message("user", "code 3"),)), deadline_s=30)
    finally:
        await llm.aclose()
    assert reply.text == say(["code 3"])
    assert reply.finish_reason == "stop"
    assert reply.usage.completion_tokens
    assert not reply.usage.estimated
    assert reply.ttlb_s >= LATENCY_S
    books = mock.books()
    assert (books["calls"], books["answered"], books["peak"]) == (1, 1, 1)
    assert LATENCY_S <= books["wall_s"] < 5


def test_a_request_without_streaming_gets_one_whole_answer(mock: Provider) -> None:
    body = json.dumps({"model": "mock", "messages": [{"role": "user", "content": "code 3"}]}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{mock.base}/chat/completions", body)) as answer:
        whole = json.load(answer)
    assert whole["choices"][0]["message"]["content"] == say(["code 3"])
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"]


def test_each_revision_is_right_where_the_one_before_was_and_more_often() -> None:
    def right(revision: str) -> set[int]:
        return {n for n in range(1, 1001) if say([f"Repeat the code. {revision}", f"code {n}"]) == str(n)}

    first, second, third = right(""), right("This is revision 1."), right("This is revision 2.")
    assert first < second < third
    assert 300 < len(first) < 500 < len(second) < 700 < len(third) < 900


def test_the_next_revision_is_proposed_in_the_form_that_is_asked_for() -> None:
    asked = 'Improve "This is revision 2." Reply with {"system_prompt": "", "output_prompt": "", "reasoning": ""}'
    assert "revision 3" in json.loads(say([asked]))["system_prompt"]
    assert say(["Fill [[ ## answer ## ]]", "code 3"]).startswith("[[ ## answer ## ]]\n")


def test_it_ends_when_nobody_holds_its_input_any_more() -> None:
    command = [sys.executable, "-m", "benchmarks.mock"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert server.stdin
        assert int(server.stdout.readline())
        server.stdin.close()
        deadline = time.monotonic() + 20
        while server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert server.returncode == 0
