"""The contract of app.ports.llm.LLM as far as it needs a wire: the table in wires.py says why each test is here."""

from __future__ import annotations

import base64
import time
import traceback
from collections.abc import Iterator

import pytest

from app.core.stats.latency import Timing
from app.ports.llm import CallError, Json, Transient, Unreachable
from tests.fakes.faults import PAUSE_S, Fault
from tests.llm.wires import DEADLINE_S, PIXELS, SEEN, Wire
from tests.llm.worlds import ANSWER, CANARY, INPUT, PROPOSE, SCHEMA, SYSTEM

pytestmark = pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning")  # LiteLLM's own affair


async def test_tokens_and_times_are_the_providers(wire: Wire) -> None:
    reply = await wire.ask()

    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (
        wire.ledger.prompt_tokens,
        wire.ledger.completion_tokens,
    )
    assert not reply.usage.estimated
    assert reply.ttft_s is not None
    assert 0 < reply.ttft_s <= reply.ttlb_s


async def test_times_are_those_of_the_first_and_the_last_delta(wire: Wire) -> None:
    await wire.ask()  # a first call imports libraries and connects
    wire.server.play(Fault("paced"))
    wire.slow(0.3)
    reply = await wire.ask()

    timing = Timing(reply.ttft_s, reply.ttlb_s, reply.usage.completion_tokens)
    assert reply.text == ANSWER
    assert reply.ttft_s == pytest.approx(0.3, abs=0.1)
    assert reply.ttlb_s == pytest.approx(0.3 + PAUSE_S, abs=0.1), "what follows the last delta is no part of the answer"
    assert timing.inter_token_s == pytest.approx(PAUSE_S / (timing.tokens - 1), rel=0.3)


async def test_the_system_message_arrives_as_one_and_is_obeyed(wire: Wire) -> None:
    await wire.ask()

    assert wire.world.system(wire.body) == SYSTEM
    assert INPUT not in wire.world.system(wire.body)


async def test_settings_arrive_under_the_providers_names(wire: Wire) -> None:
    await wire.ask(max_output_tokens=321)

    assert wire.world.settings(wire.body) == {"temperature": 0, "max_output_tokens": 321}


async def test_a_schema_is_sent(wire: Wire) -> None:
    await wire.ask(schema=SCHEMA, text=PROPOSE)

    assert set(wire.world.schema(wire.body)["properties"]) == set(SCHEMA["properties"])


async def test_any_text_passes_unchanged(wire: Wire) -> None:
    text = 'Quotes " and \\ and {{braces}},\nlines,\ttabs, 日本語, emoji 🃏, \u2028 separators: card arrival'

    await wire.ask(text=text)

    assert text in _texts(wire.body)


def _texts(value: Json) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)


async def test_an_image_arrives_whole_with_its_type(wire: Wire) -> None:
    await wire.ask(images=(SEEN,))

    sent = list(_texts(wire.body))
    encoded = base64.b64encode(PIXELS).decode()
    assert any(one.removeprefix("data:image/png;base64,") == encoded for one in sent)
    assert any("image/png" in one for one in sent)
    assert INPUT in sent


async def test_a_filtered_answer_is_no_answer(wire: Wire) -> None:
    wire.server.play(Fault("content_filter"))

    assert (await wire.ask()).finish_reason == "content_filter"


@pytest.mark.parametrize("kind", ["empty", "null"])
async def test_an_empty_answer_is_an_empty_text(wire: Wire, kind: str) -> None:
    wire.server.play(Fault(kind))

    reply = await wire.ask()

    assert (reply.text, reply.finish_reason) == ("", "stop")


async def test_usage_that_is_not_reported_is_estimated_and_marked(wire: Wire) -> None:
    if "no_usage" in wire.world.blind:
        pytest.skip("usage cannot be missing on this wire")
    wire.server.play(Fault("no_usage"))

    usage = (await wire.ask()).usage

    assert usage.estimated
    assert usage.prompt_tokens > 10
    assert usage.completion_tokens >= 1


async def test_a_refused_prompt_is_content_filtered(wire: Wire) -> None:
    wire.server.play(Fault("filtered_input"))

    try:
        said = (await wire.ask()).finish_reason
    except CallError as error:
        said = error.label

    assert said in ("content_filtered", "content_filter")


ERRORS = {
    "400": ("rejected", False),
    "401": ("unauthorized", False),
    "403": ("unauthorized", False),
    "404": ("unknown_model", False),
    "429": ("rate_limited", False),
    "insufficient_quota": ("quota_exhausted", False),
    "500": ("server_fault", False),
    "502": ("server_fault", True),
    "503": ("server_fault", False),
    "reset": ("unreachable", True),
    "html": ("server_fault", True),
    "malformed": ("server_fault", True),
    "not_json_object": ("server_fault", True),
    "no_choices": ("server_fault", True),
}
"""What each fault is called, and whether it may have been paid for."""


@pytest.mark.parametrize("kind", ERRORS)
async def test_every_failure_has_its_name_and_was_sent_once(wire: Wire, kind: str) -> None:
    error = await wire.fail(Fault(kind))

    assert (error.label, error.maybe_paid) == ERRORS[kind]
    assert wire.ledger.requests == 1, "an adapter never retries"


async def test_a_cut_off_answer_may_have_been_paid(wire: Wire) -> None:
    error = await wire.fail(Fault("truncated"))

    assert isinstance(error, Transient)
    assert error.maybe_paid
    assert wire.ledger.paid == 1


@pytest.mark.parametrize(
    ("form", "seconds"), [("2", 2.0), ("0.5", 0.5), ("date:30", 30.0), ("ms:1500", 1.5), (None, None)]
)
async def test_the_wait_that_a_provider_asks_for_is_understood(
    wire: Wire, form: str | None, seconds: float | None
) -> None:
    error = await wire.fail(Fault("429", retry_after=form))

    assert isinstance(error, Transient)
    assert error.retry_after == (seconds if seconds is None else pytest.approx(seconds, abs=2))


@pytest.mark.parametrize("kind", ["drip", "stall"])
async def test_the_deadline_holds_whatever_trickles_in(wire: Wire, kind: str) -> None:
    await wire.ask()
    began = time.monotonic()

    error = await wire.fail(Fault(kind), deadline_s=0.5)

    assert time.monotonic() - began < 2.0
    assert (error.label, error.maybe_paid) == ("timed_out", True)


async def test_a_closed_port_is_unreachable_and_costs_nothing(wire: Wire) -> None:
    elsewhere = wire.world.request(_Nowhere())

    with pytest.raises(Unreachable) as caught:
        await wire.adapter.complete(elsewhere, deadline_s=DEADLINE_S)

    assert not caught.value.maybe_paid


class _Nowhere:
    """A server that is not there: nothing listens on port 9 of this machine."""

    url = "http://127.0.0.1:9"


@pytest.mark.parametrize("kind", ["400", "401", "403", "404", "429", "500"])
async def test_a_key_that_a_careless_provider_repeats_stays_secret(wire: Wire, kind: str) -> None:
    error = await wire.fail(Fault(kind))

    assert CANARY not in "".join(traceback.format_exception(error))
    assert CANARY not in repr(error)
