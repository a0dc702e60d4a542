"""Train a prompt: a baseline, epochs of propose, gate, validate, accept; then one look at the sealed test split."""

from __future__ import annotations

from app.core.budget import NOTHING
from app.core.evaluation import Report
from app.core.halt import BudgetReached
from app.core.kinds.offer import rule_on_offer
from app.core.kinds.pool import Standing
from app.core.kinds.search import Search
from app.core.kinds.shortening import Shortened, shorten
from app.core.kinds.spending import answers_of_epoch, answers_of_shortening
from app.core.kinds.training import Training
from app.core.model import Candidate
from app.core.optimizers import STRATEGIES
from app.core.run import Run
from app.core.stats import MIN_COVERAGE, Paired, flip_rate, mean_of, paired, strictness, thin, verdict
from app.ports.llm import Json


async def train(run: Run, spec: Training) -> Json:
    """Train and return the run's outcome."""
    return (await searched(run, spec))[0]


async def searched(run: Run, spec: Training) -> tuple[Json, Search | None]:
    """Train; returns the run's outcome, and the search as it ended, None when it could not begin."""
    _announce(run, spec)
    run.note("plan", **_plan(spec))
    try:
        validation = [case for block in spec.blocks() for case in block]
        report = await run.evaluate([spec.start], validation, spec.exam, spec.repeats, stage="baseline", texts=False)
    except BudgetReached as reached:
        return _conclude(run, spec, None, None, ("budget", str(reached))), None
    initial = Standing(0, spec.start, report)
    run.note(
        "baseline",
        number=0,
        digest=spec.start.digest,
        system_prompt=spec.start.system_prompt,
        output_prompt=spec.start.output_prompt,
        validation=initial.mean.as_json(),
    )
    search = Search(run, spec, initial, initial, {spec.start.digest: 0})
    search.keep_back()
    try:
        stopped = await search.go()
    except BudgetReached as reached:
        stopped = ("budget", str(reached))
    shortened = await shorten(run, spec, search)
    run.budget.kept_back, run.budget.timed = NOTHING, False
    test = await _sealed_test(run, spec, search, shortened)
    outcome = _conclude(run, spec, search, test, stopped)
    ruling = rule_on_offer(run, spec, shortened, test, outcome["verdict"])
    return outcome | ({"shortening": ruling} if ruling else {}), search


async def _sealed_test(run: Run, spec: Training, search: Search, shortened: Shortened | None) -> Report | None:
    """The only look at the test split; None when there is no such split or no budget left for it."""
    if not spec.test:
        return None
    offer = [shortened.offer] if shortened and shortened.offer else []
    # By their digests, because a shorter version may be the very prompts that the training began with.
    candidates = list({c.digest: c for c in (spec.start, search.best.candidate, *offer)}.values())
    try:
        return await run.evaluate(candidates, spec.test, spec.exam, spec.repeats, stage="sealed test", texts=False)
    except BudgetReached as reached:
        run.note("log", level="warning", text=f"The sealed test could not be finished: {reached}")
        return None


def _conclude(run: Run, spec: Training, search: Search | None, test: Report | None, stopped: tuple[str, str]) -> Json:
    """Put the verdict into words and numbers."""
    best = search.best if search else None
    final = best.candidate if best else spec.start
    ruling, sentence, scores = _ruling(spec, search, test, final)
    ruling, sentence = spec.tell(ruling, sentence, final)
    if scores:
        run.note("test", **scores)
    run.note("verdict", verdict=ruling, sentence=sentence)
    gap = None
    if best and scores and best.mean.mean is not None and scores["final"]["mean"] is not None:
        gap = best.mean.mean - scores["final"]["mean"]
    return {
        "verdict": ruling,
        "sentence": sentence,
        "simulated": spec.simulated,
        "initial": _prompt(0, spec.start),
        "final": _prompt(best.number if best else 0, final),
        "validation": {"initial": search.initial.mean.as_json(), "final": search.best.mean.as_json()}
        if search
        else None,
        "test": scores,
        "gap": gap,
        "flips": _flips(spec, search, test),
        "looks": {"validation": search.validated if search else 1, "test": test.comparison if test else 0},
        "epochs": search.epochs if search else 0,
        "proposals": search.proposals if search else 0,
        "accepted": search.accepted if search else 0,
        "stopped_by": stopped[0],
        "stopped_why": stopped[1],
    }


def _flips(spec: Training, search: Search | None, test: Report | None) -> Json:
    """How often the initial prompts' answers to one example contradict each other; None when nothing was asked twice."""
    found = flip_rate([*(search.initial.samples if search else ()), *(test.of(spec.start) if test else ())])
    return found.as_json() if found.n else None


def _ruling(
    spec: Training, search: Search | None, test: Report | None, final: Candidate
) -> tuple[str, str, dict[str, Json] | None]:
    if search is None:
        return "indecisive", "The budget ended before the initial prompts were measured.", None
    if test is None:
        why = "its budget ended before the sealed test" if spec.test else "the data has no test split"
        return "indecisive", f"Nothing can be said: {why}. Keep the initial prompts.", None
    before, after = test.of(spec.start), test.of(final)
    _, level = strictness(spec.alpha, test.comparison)
    comparison = paired(before, after, seed=spec.seed, level=level)
    scores = {
        "initial": mean_of(before).as_json(),
        "final": mean_of(after).as_json(),
        "paired": comparison.as_json(),
    }
    if search.best is search.initial and (problem := _too_little_was_seen(search, comparison)):
        return "indecisive", f"Indecisive: {problem}. Keep the initial prompts until there is more to go by.", scores
    if search.best is search.initial:
        sentence = "Keep the initial prompts: no proposal was better on validation."
        return "keep", sentence, scores
    ruling, sentence = verdict(comparison, alpha=spec.alpha, number=test.comparison)
    return ruling, sentence, scores


def _too_little_was_seen(search: Search, comparison: Paired) -> str:
    """Why a search that found nothing better may have missed it: too many answers could not be scored; "" when not."""
    if search.coverage**2 < MIN_COVERAGE:  # of pairs, about the square of that share can be compared
        return f"only {search.coverage:.0%} of the answers in the search could be scored, too few to find better prompts by"
    return thin(comparison)


def _announce(run: Run, spec: Training) -> None:
    batch = min(spec.batch_size, len(spec.train))
    validation, test = (spec.repeats * len(part) for part in (spec.validation, spec.test))
    per_epoch = answers_of_epoch(STRATEGIES[spec.strategy], batch, validation)
    shortening = answers_of_shortening(spec.shorten, spec.shorten_answers, test)
    run.expect(validation + spec.epochs * per_epoch + 2 * test + shortening)


def _plan(spec: Training) -> dict[str, Json]:
    return {
        "train_n": len(spec.train),
        "validation_n": len(spec.validation),
        "test_n": len(spec.test),
        "epochs": spec.epochs,
        "batch_size": spec.batch_size,
        "strategy": spec.strategy,
        "acceptance": spec.acceptance,
        "patience": spec.patience,
        "repeats": spec.repeats,
    }


def _prompt(number: int, candidate: Candidate) -> dict[str, Json]:
    return {
        "number": number,
        "system_prompt": candidate.system_prompt,
        "output_prompt": candidate.output_prompt,
        "digest": candidate.digest,
    }
