"""A form becomes a pinned spec; whatever stands against it is collected, each problem with its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.core import scorers
from app.core.datasets import BadSplit, split
from app.core.optimizers import STRATEGIES
from app.core.responders.single_turn import PLACEHOLDERS
from app.core.scorers.rubric import Rubric
from app.core.templates import placeholders
from app.llm.gateway import Gateway
from app.ports.llm import Json, ModelRef
from app.ports.pace import place
from app.ports.scoring import Tools
from app.services import datasets, prompts
from app.services.errors import Invalid, NotFound, Problem
from app.services.training import hygiene
from app.services.training.form import TrainingForm, read
from app.services.training.models import Chosen, Wish, choose, lanes
from app.store.models import Dataset, Example, PromptVersion


def parse(
    session: Session,
    raw: Mapping[str, object],
    *,
    settings: Settings,
    gateway: Gateway,
    tools: Tools = scorers.NO_TOOLS,
) -> Json:
    """The complete, pinned spec of a training.

    raw: field name -> value, blank ones meaning the default. tools: what scorers may use here.
    Raises: Invalid with every problem found.
    """
    form, problems = read(raw, settings)
    draft = _Draft(session, form, settings, gateway, tools)
    spec = draft.spec()
    named = {problem.field for problem in problems}
    problems += [problem for problem in draft.problems if problem.field not in named]
    if problems:
        raise Invalid(problems)
    return spec


def examined(
    session: Session, form: TrainingForm, primary: Chosen, *, settings: Settings, gateway: Gateway, tools: Tools
) -> tuple[Json, list[Problem]]:
    """What concerns scoring in a form, as a spec pins it: scorers, judge, calls; and what is wrong with it.

    primary: the primary model as it is pinned already. calls: of primary model and judge.
    """
    draft = _Draft(session, form, settings, gateway, tools)
    chosen, judge = draft._scorers()
    models = [primary, *([judge] if judge and not judge.problems else [])]
    if judge and not judge.problems and "vision" in primary.pinned:  # the training's dataset has images
        judge = draft._sighted(judge)
    draft._budget([m.ref for m in models])
    pinned = {"scorers": chosen, "judge": judge.pinned if judge else None, "calls": draft._calls(models)}
    return pinned, draft.problems


def grounded(
    session: Session, form: TrainingForm, dataset: Dataset, *, settings: Settings, gateway: Gateway
) -> tuple[Chosen, Json, list[Problem]]:
    """The primary model and the split of a dataset that a form names, as a spec pins them, and what is wrong with them."""
    draft = _Draft(session, form, settings, gateway, scorers.NO_TOOLS)
    asked = (form.temperature, form.max_output_tokens)
    primary = draft._model("primary_model", form.primary_model, "api_base", form.api_base, asked)
    if primary.pinned and datasets.has_images(dataset):
        primary = replace(primary, pinned=primary.pinned | {"vision": gateway.sees(primary.ref)})
    return primary, draft._split(dataset), draft.problems


class _Draft:
    """One form on its way to a spec; collects what is wrong with it."""

    def __init__(
        self, session: Session, form: TrainingForm, settings: Settings, gateway: Gateway, tools: Tools
    ) -> None:
        self.problems: list[Problem] = []
        self._session = session
        self._form = form
        self._settings = settings
        self._gateway = gateway
        self._tools = tools

    def spec(self) -> Json:
        form = self._form
        dataset = self._dataset()
        texts = self._prompts()
        asked = (form.temperature, form.max_output_tokens)
        primary = self._model("primary_model", form.primary_model, "api_base", form.api_base, asked)
        optimizer = self._optimizer()
        chosen, judge = self._scorers()
        models = [m for m in (primary, optimizer, judge) if m and not m.problems]
        self._budget([m.ref for m in models])
        instructions = self._instructions()
        parts = self._split(dataset) if dataset else None
        self.problems += hygiene.problems(form, texts, parts)
        if self.problems or dataset is None:
            return None
        if datasets.has_images(dataset):
            primary, judge = self._sighted(primary), judge and self._sighted(judge)
        return {
            "dataset": {"id": dataset.id, "name": dataset.name, "digest": dataset.digest},
            "split": parts,
            "conflicts": form.conflicts,
            "prompt": form.prompt.partition("@")[0],
            **texts,
            "primary": primary.pinned,
            "optimizer": optimizer.pinned if optimizer else None,
            "judge": judge.pinned if judge else None,
            "scorers": chosen,
            "strategy": form.strategy,
            "instructions": instructions,
            "acceptance": form.acceptance,
            "alpha": form.alpha,
            "min_delta": form.min_improvement,
            "epochs": form.epochs,
            "batch_size": form.batch_size,
            "patience": form.patience,
            "repeats": form.repeats,
            "concurrency": form.concurrency,
            "seed": form.seed,
            **hygiene.pinned(form, texts),
            "failures": self._settings.optimizer.failures,
            "successes": self._settings.optimizer.successes,
            "budget": {name: getattr(form, f"budget_{name}") for name in ("usd", "calls", "tokens", "minutes")},
            "stop_above_usd_per_point": form.stop_above_usd_per_point,
            "worth_points": form.worth_points,
            "pilot_examples": form.pilot_examples,
            "calls": self._calls(models),
            "cache": form.cache,
        }

    def _sighted(self, chosen: Chosen) -> Chosen:
        """With whether it sees images: a run that goes on under a later release, which may know better, decides the same."""
        return replace(chosen, pinned=chosen.pinned | {"vision": self._gateway.sees(chosen.ref)})

    def _calls(self, models: Sequence[Chosen]) -> Json:
        """How calls are made. lanes: by model, what it shares its rate limit with, and how many requests per minute.

        A model that another role has somewhere else stands there by its place (see app.ports.pace).
        """
        form = self._form
        own = {place(models[0].ref): form.target_rpm} if form.target_rpm else {}
        found = lanes(models, own, settings=self._settings, gateway=self._gateway)
        pinned = {"on_uncertain": form.on_uncertain, "target_rpm": form.target_rpm, "lanes": found}
        return self._settings.calls.model_dump() | pinned

    def _refuse(self, field: str, message: str) -> None:
        self.problems.append(Problem(field, message))

    def _dataset(self) -> Dataset | None:
        if not self._form.dataset:
            self._refuse("dataset", "is needed")
            return None
        try:
            dataset = datasets.get(self._session, self._form.dataset)
        except NotFound as missing:
            self._refuse("dataset", str(missing))
            return None
        facts = dataset.statistics
        if dataset.rows < 2:
            self._refuse("dataset", "it has one row; a training needs at least 2 to learn from one and test on another")
            return None
        if facts["labels_distinct"] == 1:
            self._refuse("dataset", "every row has the same answer, so there is nothing to learn; add other answers")
        if facts["conflicts"] and self._form.conflicts == "refuse":
            first = facts["conflicts"][0]
            self._refuse(
                "dataset",
                f"{facts['conflicts_total']} input(s) have different answers, first in rows "
                f"{', '.join(str(r) for r in first['rows'])}; correct the file, or set conflicts to allow",
            )
        return dataset

    def _prompts(self) -> dict[str, str]:
        form = self._form
        texts = {"system_prompt": form.system_prompt, "output_prompt": form.output_prompt}
        if form.prompt:
            version = self._library_version()
            if version and not any(text.strip() for text in texts.values()):
                texts = {"system_prompt": version.system_prompt, "output_prompt": version.output_prompt}
        elif not any(text.strip() for text in texts.values()):
            self._refuse("system_prompt", "write a system prompt or an output prompt, or choose one of the library")
        for field, text in texts.items():
            for name in placeholders(text):
                if name not in PLACEHOLDERS:
                    known = ", ".join(f"{{{{{known}}}}}" for known in PLACEHOLDERS)
                    self._refuse(field, f"{{{{{name}}}}} is not a known placeholder; known: {known}")
        return texts

    def _library_version(self) -> PromptVersion | None:
        name, _, which = self._form.prompt.partition("@")
        try:
            prompt = prompts.get(self._session, name)
            version = prompts.version(self._session, prompt, which)
        except NotFound as missing:
            if which or not (self._form.system_prompt or self._form.output_prompt).strip():
                self._refuse("prompt", str(missing))
            return None  # a new name: the run's versions will create the prompt
        if prompt.kind != "pair":
            self._refuse("prompt", f"{name} is a chat prompt; a training needs a system and output prompt pair")
            return None
        return version

    def _model(self, field: str, name: str, base_field: str, base: str, asked: tuple[float, int]) -> Chosen:
        """A model with what it is sent of its temperature and most output tokens, if it can be called."""
        chosen = choose(self._session, Wish(name, base, asked[0], asked[1], self._form.seed))
        if chosen.problems:
            self.problems += [Problem(field, flaw) for flaw in chosen.problems]
            return chosen
        problem = self._gateway.problem(chosen.ref)
        if problem:
            self._refuse(base_field if problem.startswith("api_base") else field, problem)
        elif unreachable := self._gateway.unreachable(chosen.ref):
            self._refuse(base_field, unreachable)
        return chosen

    def _optimizer(self) -> Chosen | None:
        form = self._form
        strategy = STRATEGIES.get(form.strategy)
        if strategy is None:
            self._refuse("strategy", f"there is no strategy {form.strategy!r}; known: {', '.join(STRATEGIES)}")
            return None
        if not strategy.needs_optimizer:
            return None
        base = form.optimizer_api_base or (form.api_base if form.optimizer_model == form.primary_model else "")
        field = "optimizer_api_base" if form.optimizer_api_base else "api_base"
        asked = (form.optimizer_temperature, self._settings.optimizer.max_output_tokens)
        return self._model("optimizer_model", form.optimizer_model, field, base, asked)

    def _judge(self) -> Chosen:
        form, judge = self._form, self._settings.judge
        base = form.judge_api_base or (form.api_base if form.judge_model == form.primary_model else "")
        field = "judge_api_base" if form.judge_api_base else "api_base"
        return self._model("judge_model", form.judge_model, field, base, (judge.temperature, judge.max_output_tokens))

    def _budget(self, models: Sequence[ModelRef]) -> None:
        unpriced = [m.name for m in models if self._gateway.price(m) is None]
        if self._form.budget_usd is not None and unpriced:
            self._refuse(
                "budget_usd",
                f"the price of {', '.join(unpriced)} is unknown, so USD cannot be limited; limit calls or tokens instead",
            )

    def _scorers(self) -> tuple[list[Json], Chosen | None]:
        """The scorers with everything pinned that they depend on, and the judge when one of them asks one."""
        judge = None
        try:
            specs = [self._pinned(scorers.parse(text)) for text in self._form.scorer]
            judge = self._judge() if scorers.judgements(specs) else None
            scorers.build(specs, self._tools, judge.ref if judge else None)
        except ValueError as error:
            self._refuse("scorer", str(error))
            return [], judge
        return specs, judge

    def _pinned(self, spec: Json) -> Json:
        """With the judge's instructions as they are now. Raises: ValueError for instructions that cannot be used."""
        if spec["name"] != Rubric.name:
            return spec
        text = (spec["instructions"].strip() or prompts.judge_instructions(self._session)).strip()
        if flaw := prompts.judge_flaw(text):
            raise ValueError(f"the rubric's instructions: {flaw}")
        return spec | {"instructions": text}

    def _instructions(self) -> str:
        name = self._form.strategy
        if name not in STRATEGIES or not STRATEGIES[name].template:
            return ""
        if not self._form.instructions:
            return prompts.optimizer_instructions(self._session, name)
        if flaw := prompts.instructions_flaw(name, self._form.instructions):
            self._refuse("instructions", flaw)
        return self._form.instructions

    def _split(self, dataset: Dataset) -> Json:
        try:
            parts = split(datasets.marked_rows(self._session, dataset.id), self._form.ratios, self._form.seed)
        except BadSplit as error:
            self._refuse("split", str(error))
            return None
        return {
            "ratios": list(self._form.ratios),
            "seed": self._form.seed,
            "digest": parts.digest,
            "train": len(parts.train),
            "validation": len(parts.validation),
            "test": len(parts.test),
            "notes": list(parts.notes),
        }


def examples_of(session: Session, dataset_id: int) -> list[tuple[int, str, str]]:
    """(row, input, reference) of every example, in order."""
    query = select(Example.row, Example.input, Example.reference).where(Example.dataset_id == dataset_id)
    return [(row, input_, reference) for row, input_, reference in session.execute(query.order_by(Example.row))]
