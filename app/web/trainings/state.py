"""What stands in the form of a training: the defaults, an earlier run, or what was sent; as text, so that nothing is lost."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flask import request

from app.ports.llm import Json, ModelRef
from app.services import datasets, prompts, providers, runs, training
from app.services.datasets import BundledSample
from app.services.errors import Conflict, NotFound, Problem
from app.web import params
from app.web.context import backend, settings
from app.web.database import session
from app.web.trainings import scoring
from app.web.trainings.scoring import ScorerRow

SAMPLE = "sample:"
ASKED = (
    "dataset", "prompt", "primary_model", "strategy", "split", "max_output_tokens", "concurrency", "epochs", "patience",
)  # fmt: skip
"""Fields that the address may fill in."""
"""Beginning of a choice of dataset that is a bundled sample, not imported yet."""
TEXTS = ("system_prompt", "output_prompt", "instructions", "locked")
FIELDS = (
    "name", "dataset", "split", "seed", "prompt", "primary_model", "optimizer_model", "judge_model", "api_base",
    "optimizer_api_base", "judge_api_base", "temperature", "optimizer_temperature", "max_output_tokens", "strategy",
    "acceptance", "alpha", "min_improvement", "epochs", "batch_size", "patience", "repeats", "concurrency", "max_prompt_chars",
    "max_prompt_tokens", "shorten", "shorten_margin", "shorten_answers",
    "budget_usd", "budget_calls", "budget_tokens", "budget_minutes", "stop_above_usd_per_point",
    "worth_points", "pilot_examples", "target_rpm", "cache", "on_uncertain", "conflicts", *TEXTS,
)  # fmt: skip
FOLDED = (
    "seed", "optimizer_api_base", "judge_api_base", "temperature", "optimizer_temperature", "max_output_tokens", "alpha",
    "concurrency", "target_rpm", "cache", "on_uncertain", "max_prompt_chars", "max_prompt_tokens", "pilot_examples",
)  # fmt: skip
"""Fields in the fold for experts."""
ONCE = re.compile("[0-9a-f]{10}")


@dataclass(frozen=True)
class State:
    """values: by field. cloned_from: id of the run that it began with, or "". once: id of the run that it will start.

    instructions_from: the version of the optimizer's instructions to be loaded. kept: what was just kept, in words.
    """

    values: Mapping[str, str]
    scorers: tuple[ScorerRow, ...]
    cloned_from: str = ""
    confirmed: bool = False
    once: str = field(default_factory=lambda: secrets.token_hex(5))
    instructions_from: str = ""
    kept: str = ""

    def with_values(self, **changes: str) -> State:
        """The same with other values."""
        return replace(self, values={**self.values, **changes})

    @property
    def has_prompts(self) -> bool:
        """Whether a prompt is written in the form."""
        return bool((self.values["system_prompt"] + self.values["output_prompt"]).strip())

    def raw(self) -> tuple[dict[str, object], list[Problem]]:
        """As a training takes it, and what is wrong with the scorers' settings."""
        texts, problems = scoring.read(self.scorers)
        values = {key: value for key, value in self.values.items() if key != "name"}
        if values["dataset"].startswith(SAMPLE):
            sample = values["dataset"].removeprefix(SAMPLE)
            values["dataset"] = datasets.import_sample(session(), sample, backend().image_loader()).name
        return {**values, "scorer": ["exact_match"] if problems else texts}, problems


def fresh() -> State:
    """The defaults, with models that can be called from here, and what the address asks for."""
    known = training.defaults(settings())
    values = {key: _shown(known.get(key)) for key in FIELDS}
    values |= zip(("primary_model", "optimizer_model", "judge_model"), callable_models(), strict=True)
    values |= {key: params.text(key, longest=400) for key in ASKED if request.args.get(key)}
    state = State(values, scoring.from_texts(known["scorer"]))
    return with_dataset(with_prompt(state))


def cloned(run_id: str) -> State:
    """The settings of an earlier run. Raises: NotFound, Conflict."""
    run = runs.get(session(), run_id)
    try:
        form = training.as_form(run.spec)
    except (KeyError, TypeError, ValueError):
        raise Conflict("this run's settings are written in another way than today's; they cannot be copied") from None
    values = {key: _shown(form.get(key)) for key in FIELDS}
    return State(values, scoring.from_texts(form["scorer"]), run.id)


def sent() -> State:
    """What the browser sent."""
    form = request.form
    values = {
        key: scoring.lines(form.get(key, "")) if key in TEXTS else params.clean(form.get(key, "")) for key in FIELDS
    }
    cloned_from = params.clean(form.get("from", ""))
    state = State(values, scoring.from_form(form, request.files), cloned_from, bool(form.get("confirmed")))
    state = replace(state, instructions_from=params.clean(form.get("instructions_from", ""))[:20])
    once = form.get("once", "")
    return replace(state, once=once) if ONCE.fullmatch(once) else state


def with_prompt(state: State) -> State:
    """With the text of the library prompt that is chosen; without one, or without such a version, unchanged."""
    name, _, which = state.values["prompt"].partition("@")
    if not name:
        return state
    try:
        version = prompts.version(session(), prompts.get(session(), name), which)
    except NotFound:
        return state
    return state.with_values(system_prompt=version.system_prompt, output_prompt=version.output_prompt)


def with_dataset(state: State) -> State:
    """With prompts and scorer that suit the chosen sample, where nothing has been written yet."""
    sample = _sample(state.values["dataset"])
    if sample is None or state.has_prompts or state.values["prompt"]:
        return state
    filled = state.with_values(system_prompt=sample.system_prompt, output_prompt=sample.output_prompt)
    return replace(filled, scorers=scoring.from_texts([sample.scorer]))


def rearranged(state: State, do: str) -> State:
    """After one of the form's own buttons."""
    rows = list(state.scorers)
    verb, _, place = do.partition("-")
    if do == "load-prompt":
        return with_prompt(state)
    if do == "choose-dataset":
        return with_dataset(state)
    if verb == "add" and len(rows) < scoring.MOST:
        rows.append(ScorerRow(rows[-1].name if rows else "exact_match"))
    elif verb == "remove" and place.isdecimal() and len(place) < 3 and int(place) < len(rows) > 1:
        del rows[int(place)]
    return replace(state, scorers=tuple(rows))


def _sample(choice: str) -> BundledSample | None:
    for sample in datasets.sample_files():
        if choice in (sample.name, SAMPLE + sample.filename):
            return sample
    return None


def callable_models() -> tuple[str, str, str]:
    """The configured models; where they cannot be called, the first examples of a provider that can.

    A judge that cannot be called is replaced by the optimizer's model.
    """
    primary, optimizer, judge = settings().primary_model, settings().optimizer_model, settings().judge_model
    if _callable(primary) and _callable(optimizer):
        return primary, optimizer, judge if _callable(judge) else optimizer
    ready = [
        p
        for p in providers.found(settings(), backend().environ, backend().keys)
        if p.ready and p.name not in ("simulated", "local")
    ]
    names = [name for provider in ready for name in provider.models if "<" not in name]
    return (names[0], names[0], names[0]) if names else ("simulated/primary", "simulated/optimizer", "simulated/judge")


def _callable(name: str) -> bool:
    return backend().gateway.problem(ModelRef(name)) is None


def _shown(value: Json) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
