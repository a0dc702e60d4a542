"""Replies are shared by runs: the same call is bought once, and a second run of the same makes the same of it."""

from __future__ import annotations

from dataclasses import replace

from app.core.budget import Budget, Limits
from app.core.model import Ask, Candidate
from app.core.run import Run
from app.ports.llm import CallError, Json, Message, ModelRef, Request, ServerFault
from app.store.memory import MemoryLibrary, MemoryRecord
from tests.core.test_run import CANDIDATE, CASES, EXAM, FAST, everything, reverse
from tests.fakes.llm import MODEL, RuleLLM

WARM = ModelRef("simulated/test", {"temperature": 0.7, "max_output_tokens": 10})


def start(llm: RuleLLM, record: MemoryRecord, seed: int | None = 1, limits: Limits | None = None) -> Run:
    budget = Budget(limits or Limits(), record.totals())
    policy = replace(FAST, draws=seed)
    return Run(llm, record.claim(), budget, policy, concurrency=4, resumed=record.fence > 0)


def numbered() -> RuleLLM:
    """A model that never answers the same twice."""
    llm = RuleLLM(lambda _: str(len(llm.paid)))
    return llm


async def drawn(run: Run, model: ModelRef = WARM) -> list[str]:
    async def work(ask: Ask) -> Json:
        return [(await ask("optimizer", model, [Message("user", "propose")])).text for _ in range(2)]

    return list(await run.step("propose/1", work))


async def test_a_second_run_of_the_same_costs_nothing_and_comes_to_the_same() -> None:
    library: MemoryLibrary = {}
    llm, first, second = RuleLLM(reverse), MemoryRecord(library=library), MemoryRecord(library=library)
    await start(llm, first).conduct(everything)
    await start(llm, second, seed=2).conduct(everything)
    assert len(llm.paid) == 20
    assert list(second.samples.values()) == list(first.samples.values())
    assert second.history == first.history
    totals = second.totals()
    assert (totals.calls, totals.cost_usd, totals.cached_calls) == (0, 0.0, 20)
    assert totals.saved_usd == first.totals().cost_usd > 0


async def test_a_limit_counts_only_what_is_bought() -> None:
    library: MemoryLibrary = {}
    llm = RuleLLM(reverse)
    await start(llm, MemoryRecord(library=library)).conduct(everything)
    await start(llm, MemoryRecord(library=library), limits=Limits(calls=1)).conduct(everything)
    assert len(llm.paid) == 20


async def test_without_the_cache_everything_is_bought_again_and_not_offered_to_others() -> None:
    library: MemoryLibrary = {}
    llm = RuleLLM(reverse)
    await start(llm, MemoryRecord(library=library), seed=None).conduct(everything)
    assert library == {}
    await start(llm, MemoryRecord(library=library)).conduct(everything)
    assert len(llm.paid) == 40


async def test_a_model_that_samples_gives_each_seed_and_each_place_its_own_draw() -> None:
    library: MemoryLibrary = {}
    llm = numbered()
    first = await start(llm, MemoryRecord(library=library), seed=1).conduct(drawn)
    again = await start(llm, MemoryRecord(library=library), seed=1).conduct(drawn)
    other = await start(llm, MemoryRecord(library=library), seed=2).conduct(drawn)
    assert first == again == ["0", "1"]
    assert other == ["2", "3"]


async def test_repeats_are_separate_draws_even_at_temperature_0() -> None:
    library: MemoryLibrary = {}
    llm = numbered()
    record = MemoryRecord(library=library)
    await start(llm, record).conduct(lambda run: run.evaluate([CANDIDATE], CASES[:3], EXAM, repeats=2))
    assert len(llm.paid) == 6
    assert len({s.response for s in record.samples.values()}) == 6


async def test_equal_requests_under_way_at_once_are_bought_once() -> None:
    same = [replace(case, input="the same") for case in CASES[:8]]
    llm, record = RuleLLM(reverse, latency_s=0.01), MemoryRecord()
    await start(llm, record).conduct(lambda run: run.evaluate([CANDIDATE], same, EXAM))
    assert len(llm.paid) == 1
    assert len(record.samples) == 8


async def test_an_equal_request_is_sent_again_when_the_first_one_failed() -> None:
    same = [replace(case, input="the same") for case in CASES[:2]]

    def rule(request: Request) -> str | CallError:
        return ServerFault("500") if llm.sent <= FAST.sendings else reverse(request)

    llm, record = RuleLLM(rule), MemoryRecord()
    await start(llm, record).conduct(lambda run: run.evaluate([CANDIDATE], same, EXAM))
    assert sorted(s.outcome for s in record.samples.values()) == ["provider_error", "scored"]


async def test_other_settings_or_another_address_are_other_calls() -> None:
    library: MemoryLibrary = {}
    llm = RuleLLM(reverse)
    models = [
        MODEL,
        ModelRef("simulated/other", MODEL.params),
        ModelRef(MODEL.name, {**MODEL.params, "top_p": 0.5}),
        ModelRef(MODEL.name, MODEL.params, "http://127.0.0.1:1/v1"),
    ]
    for model in models:
        candidate = Candidate("reverse", "", model)
        record = MemoryRecord(library=library)
        await start(llm, record).conduct(lambda run, c=candidate: run.evaluate([c], CASES[:5], EXAM))  # type: ignore[misc]
    assert len(llm.paid) == 20


async def test_a_run_that_is_continued_keeps_what_it_took_from_the_cache() -> None:
    library: MemoryLibrary = {}
    llm = RuleLLM(reverse)
    await start(llm, MemoryRecord(library=library)).conduct(everything)
    record = MemoryRecord(library=library)
    await start(llm, record).conduct(everything)
    before = dict(record.calls)
    library.clear()  # as if the earlier run had been deleted
    record.samples.clear()
    await start(llm, record).conduct(everything)
    assert len(llm.paid) == 20
    assert record.calls == before
