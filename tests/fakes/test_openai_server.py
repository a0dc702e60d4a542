"""The fake provider keeps its own promises: it counts, fails when told to, and answers better when it is told more."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.faults import Fault
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.rule_optimizer import propose
from tests.fakes.rule_world import RuleWorld

SCRIPT = Path(__file__).with_name("openai_server.py")
CASES = {
    "My new card never came in the mail, where is it?": "card_arrival",
    "When does the card that I ordered come, still no arrival": "card_arrival",
    "Someone took my wallet, the card is lost": "card_lost",
    "I lost it on the train": "card_lost",
}
TAUGHT = """Labels: card_arrival, card_lost. Return only the label.
- card_arrival: ordered, mail, came, come
- card_lost: wallet, took"""


def post(url: str, body: Any) -> Any:
    sent = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(sent, timeout=10) as response:
        return json.load(response)


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


def body(text: str = "x") -> dict[str, Any]:
    return {"model": "rule", "messages": [{"role": "user", "content": text}]}


@pytest.fixture
def started() -> Iterator[str]:
    """The script as people start it; its address."""
    command = [sys.executable, str(SCRIPT), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().split()[-1].removesuffix("/v1")
        process.terminate()


def test_the_script_counts_forgets_and_fails_on_demand(started: str) -> None:
    answered = post(f"{started}/v1/chat/completions", body())
    post(f"{started}/v1/chat/completions", body())
    counted = get(f"{started}/count")
    post(f"{started}/reset", {})
    post(f"{started}/faults", [{"kind": "429", "retry_after": "3"}])
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(f"{started}/v1/chat/completions", body())

    assert (counted["paid"], counted["repeated"]) == (2, 1)
    assert counted["prompt_tokens"] == 2 * answered["usage"]["prompt_tokens"]
    assert (refused.value.code, refused.value.headers["Retry-After"]) == (429, "3")
    assert (get(f"{started}/count")["requests"], get(f"{started}/count")["paid"]) == (1, 0)
    refused.value.close()


def test_a_fault_is_played_when_its_rule_says() -> None:
    rule = Fault("500", times=2, after=1, every=2, match="hello")

    played = [rule.applies(text) for text in ("other", "hello", "hello", "hello", "hello", "hello", "hello")]

    assert played == [False, False, True, False, True, False, False]


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        Fault("bad luck")


def right(world: RuleWorld, system: str) -> int:
    turns = [[{"role": "system", "content": system}, {"role": "user", "content": given}] for given in CASES]
    return sum(world.answer(turn) == answer for turn, answer in zip(turns, CASES.values(), strict=True))


def test_what_the_prompt_says_decides_how_good_the_answers_are() -> None:
    world = RuleWorld()

    assert right(world, "Classify.") == 0
    assert right(world, TAUGHT) == len(CASES)
    assert right(world, TAUGHT) == right(RuleWorld(), TAUGHT), "the same prompt is always as good"


def test_a_model_that_knows_the_task_still_needs_to_be_told_the_form() -> None:
    world = RuleWorld(CASES)

    assert right(world, "Classify.") < right(world, TAUGHT)


def test_the_optimizer_reads_the_failures_and_answers_in_the_form_it_is_asked_for() -> None:
    failures = "\n".join(
        f"<input-1f>\n{given}\n</input-1f>\n<expected-1f>\n{answer}\n</expected-1f>" for given, answer in CASES.items()
    )
    asked = [
        {"role": "user", "content": f'{failures}\nReply with {{"system_prompt": "", "reasoning": ""}} {number}'}
        for number in range(30)
    ]

    proposals = [json.loads(propose([turn])) for turn in asked]
    edits = json.loads(
        propose([{"role": "user", "content": f'{failures} {{"edits": [], "reasoning": ""}} system_prompt'}])
    )

    assert any("card_arrival" in one["system_prompt"] for one in proposals)
    assert any("card_arrival" not in one["system_prompt"] for one in proposals), "some are bad"
    assert edits["edits"][0]["append"]


def test_a_server_in_a_thread_is_stopped_and_lets_its_port_go() -> None:
    with OpenAIServer(api_key="right") as server:
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            post(f"{server.url}/v1/chat/completions", body())
        refused.value.close()

    with pytest.raises(urllib.error.URLError):
        get(f"{server.url}/count")
