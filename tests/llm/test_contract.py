"""The contract of app.ports.llm.LLM as far as it needs no wire: kept by every adapter and by the simulated provider."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import replace

import pytest

from app.ports.llm import Image, ModelRef, Price, Rejected, TimedOut, UnknownModel
from tests.fakes.faults import Fault
from tests.llm import test_adapters
from tests.llm.wires import DEADLINE_S, NEEDS_A_WIRE, PIXELS, SEEN, Wire
from tests.llm.worlds import ANSWER, INPUT, PROPOSE, SCHEMA

pytestmark = pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning")  # LiteLLM's own affair


def test_the_table_names_every_clause_that_needs_a_wire() -> None:
    assert {name for name in vars(test_adapters) if name.startswith("test_")} == set(NEEDS_A_WIRE)


async def test_a_reply_says_what_was_answered_used_priced_and_measured(provider: Wire) -> None:
    provider.slow(0.02)
    request = provider.world.request(provider.server)
    reply = await provider.adapter.complete(request, deadline_s=DEADLINE_S)

    assert (reply.text, reply.finish_reason) == (ANSWER, "stop")
    assert reply.usage.prompt_tokens > 10
    assert reply.usage.completion_tokens >= 3
    price = provider.adapter.price(request.model)
    assert reply.cost_usd == (price and pytest.approx(price.cost(reply.usage)))
    assert 0 < (reply.ttlb_s if reply.ttft_s is None else reply.ttft_s) <= reply.ttlb_s < DEADLINE_S
    assert reply.served_model
    json.dumps(reply.raw)


async def test_a_price_that_is_given_counts_and_an_unknown_one_is_none(provider: Wire) -> None:
    own = Price(0.25, 0.5)
    request = provider.world.request(provider.server)
    priced = replace(request, model=replace(request.model, price=own))
    reply = await provider.adapter.complete(priced, deadline_s=DEADLINE_S)

    assert provider.adapter.price(priced.model) == own
    assert reply.cost_usd == pytest.approx(own.cost(reply.usage))
    assert provider.adapter.price(ModelRef(_nobody(provider))) is None


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def begin(self) -> None:
        self.pieces.clear()

    def hear(self, text: str) -> None:
        self.pieces.append(text)


async def test_whoever_listens_hears_the_whole_answer_in_pieces(provider: Wire) -> None:
    heard = Heard()
    request = replace(provider.world.request(provider.server, text=INPUT), listener=heard)
    reply = await provider.adapter.complete(request, deadline_s=DEADLINE_S)
    assert "".join(heard.pieces) == reply.text == ANSWER
    assert len(heard.pieces) > 1


async def test_an_answer_cut_at_its_limit_is_truncated(provider: Wire) -> None:
    reply = await provider.ask(max_output_tokens=2)

    assert reply.finish_reason == "length"
    assert ANSWER.startswith(reply.text)
    assert 0 < reply.usage.completion_tokens <= 2


async def test_an_answer_keeps_to_its_schema(provider: Wire) -> None:
    """The simulated optimizer spoils some replies on purpose, as its own tests say; this request's is none of them."""
    reply = await provider.ask(schema=SCHEMA, text=PROPOSE, model=provider.world.optimizer)

    assert set(json.loads(reply.text)) == set(SCHEMA["properties"])


async def test_an_image_is_read_once_and_is_in_no_record(provider: Wire) -> None:
    plain = await provider.ask()
    reply = await provider.ask(images=(SEEN, SEEN))

    assert reply.text == ANSWER
    assert provider.kept.asked == {SEEN.digest: 1}
    assert base64.b64encode(PIXELS).decode() not in json.dumps(reply.raw)
    assert reply.usage.prompt_tokens >= plain.usage.prompt_tokens


async def test_an_image_that_is_gone_is_refused_once_and_before_anything_is_sent(provider: Wire) -> None:
    with pytest.raises(Rejected, match="not in the data folder any more") as caught:
        await provider.ask(images=(Image("0" * 64, "image/png", 1, 1),))

    assert not caught.value.maybe_paid
    assert provider.kept.asked.total() == 1, "an adapter never retries"
    assert provider.ledger.requests == 0


def _nobody(provider: Wire) -> str:
    return provider.world.model.partition("/")[0] + "/nobody"


async def test_a_model_that_nobody_serves_is_unknown(provider: Wire) -> None:
    provider.server.play(Fault("404"))

    with pytest.raises(UnknownModel) as caught:
        await provider.ask(model=_nobody(provider))

    assert not caught.value.maybe_paid
    assert str(caught.value)


async def test_no_answer_within_the_deadline_is_timed_out_and_perhaps_paid(provider: Wire) -> None:
    await provider.ask()
    provider.silent()
    began = time.monotonic()

    with pytest.raises(TimedOut) as caught:
        await provider.ask(deadline_s=0.3)

    assert 0.25 < time.monotonic() - began < 2.0
    assert caught.value.maybe_paid


async def test_a_cancelled_call_ends_at_once(provider: Wire) -> None:
    await provider.ask()
    provider.silent()
    call = asyncio.create_task(provider.ask())
    await asyncio.sleep(0.2)
    began = time.monotonic()

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert time.monotonic() - began < 1


async def test_many_calls_at_once_are_under_way_at_once(provider: Wire) -> None:
    await provider.ask()
    provider.slow(0.3)
    began = time.monotonic()
    replies = await asyncio.gather(*(provider.ask(text=f"{INPUT} {number}") for number in range(24)))
    took = time.monotonic() - began

    assert len(replies) == 24
    assert sum(reply.ttlb_s for reply in replies) / took >= 8, "calls under way at a time, in the mean"


async def test_closing_twice_is_closing_once(provider: Wire) -> None:
    await provider.ask()
    await provider.adapter.aclose()
    await provider.adapter.aclose()
