"""How the contract's tests call an adapter, and which clauses of the contract need a wire to be tested."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.ports.images import ImageGone
from app.ports.llm import LLM, CallError, Image, Json, Reply
from tests.fakes.faults import Fault
from tests.fakes.serving import Ledger
from tests.llm.worlds import INPUT, SIMULATED, World
from tests.services.pictures.drawn import picture

DEADLINE_S = 15.0
"""Long enough for the first import of a large library on a busy machine."""
PIXELS = picture(size=(64, 48))
SEEN = Image(hashlib.sha256(PIXELS).hexdigest(), "image/png", 64, 48)

NEEDS_A_WIRE = {
    "test_tokens_and_times_are_the_providers": "the simulated models count their own tokens and answer as one",
    "test_times_are_those_of_the_first_and_the_last_delta": "without a stream there are no deltas",
    "test_the_system_message_arrives_as_one_and_is_obeyed": "looks at what was sent",
    "test_settings_arrive_under_the_providers_names": "looks at what was sent",
    "test_a_schema_is_sent": "looks at what was sent",
    "test_any_text_passes_unchanged": "looks at what was sent",
    "test_an_image_arrives_whole_with_its_type": "looks at what was sent",
    "test_a_filtered_answer_is_no_answer": "the simulated models filter nothing",
    "test_a_refused_prompt_is_content_filtered": "the simulated models filter nothing",
    "test_an_empty_answer_is_an_empty_text": "the simulated models always say something",
    "test_usage_that_is_not_reported_is_estimated_and_marked": "usage is always estimated there, which the contract tests",
    "test_every_failure_has_its_name_and_was_sent_once": "status codes and damaged bodies come over a wire",
    "test_a_cut_off_answer_may_have_been_paid": "a stream that can be cut off",
    "test_the_wait_that_a_provider_asks_for_is_understood": "is a header",
    "test_the_deadline_holds_whatever_trickles_in": "bytes that trickle in",
    "test_a_closed_port_is_unreachable_and_costs_nothing": "is a connection that fails",
    "test_a_key_that_a_careless_provider_repeats_stays_secret": "the simulated models take no key",
}
"""The tests of test_adapters.py, and why the simulated provider cannot take them; it takes all of test_contract.py."""


@dataclass
class Kept:
    """Keeps one image, and counts how often each is asked for."""

    asked: Counter[str] = field(default_factory=Counter)

    def read(self, digest: str) -> bytes:
        self.asked[digest] += 1
        if digest != SEEN.digest:
            raise ImageGone(f"image {digest[:12]} is not in the data folder any more")
        return PIXELS


@dataclass
class Wire:
    """An adapter, its fake, and how to call one through the other."""

    world: World
    server: Any
    adapter: LLM
    kept: Kept

    @classmethod
    def to(cls, world: World, server: Any) -> Wire:
        """With a fake that is as new."""
        server.ledger, server.latency_s = Ledger(), 0.0
        server.play()
        kept = Kept()
        kind = Within if world is SIMULATED else cls
        return kind(world, server, world.adapter(kept), kept)

    async def ask(
        self,
        *,
        deadline_s: float = DEADLINE_S,
        schema: Json = None,
        text: str = INPUT,
        images: tuple[Image, ...] = (),
        model: str = "",
        **params: Json,
    ) -> Reply:
        request = self.world.request(self.server, text=text, schema=schema, images=images, model=model, **params)
        return await self.adapter.complete(request, deadline_s=deadline_s)

    async def fail(self, fault: Fault, *, deadline_s: float = DEADLINE_S) -> CallError:
        if fault.kind in self.world.blind:
            pytest.skip(f"{fault.kind} is hidden on the way through {self.world.name}")
        self.server.play(fault)
        with pytest.raises(CallError) as caught:
            await self.ask(deadline_s=deadline_s)
        return caught.value

    def slow(self, seconds: float) -> None:
        """Let answers take so long from now on."""
        self.server.latency_s = seconds

    def silent(self) -> None:
        """Let the next answer never come."""
        self.server.play(Fault("hang"))

    @property
    def ledger(self) -> Ledger:
        return self.server.ledger

    @property
    def body(self) -> Json:
        return self.ledger.log[-1].body


class Within(Wire):
    """An adapter that answers by itself: how long it takes is its own."""

    def slow(self, seconds: float) -> None:
        self.adapter = self.world.adapter(self.kept, seconds)

    def silent(self) -> None:
        self.slow(3600.0)
