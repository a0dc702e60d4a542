"""A benchmark from what a person asked to a pinned spec; whatever stands against it is named with its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from app.config import Settings
from app.core import scorers
from app.core.model import called_as
from app.core.scorers.rubric import Rubric as ScorerRubric
from app.llm.gateway import Gateway
from app.ports.llm import Json
from app.ports.scoring import Tools
from app.services import models, prompts, reviews
from app.services.benchmarks import cases
from app.services.benchmarks.form import MOST_MODELS, BenchmarkForm, read
from app.services.errors import Invalid, NotFound, Problem
from app.services.training.models import Chosen, Wish, choose, lanes


def parse(
    session: Session,
    raw: Mapping[str, object],
    *,
    settings: Settings,
    gateway: Gateway,
    tools: Tools = scorers.NO_TOOLS,
) -> Json:
    """The complete, pinned spec of a benchmark.

    raw: field name -> value, blank ones meaning the default. Raises: Invalid with every problem found.
    """
    form, problems = read(raw, settings)
    draft = _Draft(session, form, settings, gateway)
    spec = draft.spec(tools)
    named = {problem.field for problem in problems}
    problems += [problem for problem in draft.problems if problem.field not in named]
    if problems:
        raise Invalid(problems)
    return spec


class _Draft:
    """One form on its way to a spec; collects what is wrong with it."""

    def __init__(self, session: Session, form: BenchmarkForm, settings: Settings, gateway: Gateway) -> None:
        self.problems: list[Problem] = []
        self._session = session
        self._form = form
        self._settings = settings
        self._gateway = gateway

    def spec(self, tools: Tools) -> Json:
        form = self._form
        dataset, found = cases.build(self._session, form, self.problems)
        labels = self._models()
        configs = [(label, self._model("models", name)) for label, name in labels]
        review, named = self._review()
        chosen = self._scorers()
        judge = self._judge(named) if review or scorers.judgements(chosen) else None
        self._build(chosen, tools, judge)
        self._refuse_twins(configs)
        called = [one for _, one in configs] + ([judge] if judge else [])
        self._budget(called)
        if self.problems:
            return None
        calls = self._settings.calls.model_dump() | {
            "on_uncertain": form.on_uncertain,
            "target_rpm": None,
            "lanes": lanes(called, {}, settings=self._settings, gateway=self._gateway),
        }
        return {
            "dataset": dataset,
            "cases": found,
            "configs": [{"label": label, **one.pinned} for label, one in configs],
            "review": review,
            "judge": judge.pinned if judge else None,
            "scorers": chosen,
            "runs": form.runs,
            "repeats": form.repeats,
            "concurrency": form.concurrency,
            "seed": form.seed,
            "budget": {name: getattr(form, f"budget_{name}") for name in ("usd", "calls", "tokens", "minutes")},
            "calls": calls,
            "cache": form.cache,
            "apart": True,
            "form": _kept(form),
        }

    def _refuse(self, field: str, message: str) -> None:
        self.problems.append(Problem(field, message))

    def _models(self) -> list[tuple[str, str]]:
        """(label, name as it was asked for) of each config; without any, those of the library that are active."""
        names = self._form.models
        if not names:
            active = models.list_configs(self._session, only_active=True)
            if not active:
                self._refuse(
                    "models", "name the models to compare, or make model configs: without names all active ones are"
                )
            if len(active) > MOST_MODELS:
                self._refuse("models", f"there are {len(active)} active configs; choose at most {MOST_MODELS} of them")
                return []
            names = [models.PREFIX + config.name for config in active]
        return [(name.removeprefix(models.PREFIX), name) for name in names]

    def _model(self, field: str, name: str, *, judging: bool = False) -> Chosen:
        asked = self._settings.judge if judging else self._form
        wish = Wish(name, "", asked.temperature, asked.max_output_tokens, self._form.seed)
        chosen = choose(self._session, wish)
        for flaw in chosen.problems:
            self._refuse(field, f"{name}: {flaw}")
        if not chosen.problems and (problem := self._gateway.problem(chosen.ref)):
            self._refuse(field, f"{name}: {problem}")
        return chosen

    def _review(self) -> tuple[Json, str]:
        """The review prompt as it is pinned, None for no review; and the model that it names, if any."""
        reference = self._form.review_prompt or reviews.DEFAULT
        if reference == reviews.NONE:
            return None, ""
        try:
            found = reviews.get(self._session, reference)
        except NotFound as missing:
            self._refuse("review_prompt", str(missing))
            return None, ""
        checked = found.checked
        for error in checked.errors:
            self._refuse("review_prompt", f"{found.name}: {error.field}: {error.message}")
        if checked.rubric is None:
            return None, ""
        return {"prompt": found.name, "version": found.version, **checked.rubric.spec}, checked.model

    def _judge(self, named: str) -> Chosen:
        return self._model(
            "reviewer_model", self._form.reviewer_model or named or self._settings.judge_model, judging=True
        )

    def _scorers(self) -> list[Json]:
        """The scorers that compare answers with references, with everything pinned that they depend on."""
        found = []
        try:
            for text in self._form.scorer:
                spec = scorers.parse(text)
                if spec["name"] == ScorerRubric.name:
                    told = (spec["instructions"].strip() or prompts.judge_instructions(self._session)).strip()
                    if flaw := prompts.judge_flaw(told):
                        raise ValueError(f"the rubric's instructions: {flaw}")
                    spec |= {"instructions": told}
                found.append(spec)
        except ValueError as error:
            self._refuse("scorer", str(error))
            return []
        return found

    def _build(self, chosen: Sequence[Json], tools: Tools, judge: Chosen | None) -> None:
        try:
            if chosen:
                scorers.build(chosen, tools, judge.ref if judge else None)
        except ValueError as error:
            self._refuse("scorer", str(error))

    def _refuse_twins(self, configs: Sequence[tuple[str, Chosen]]) -> None:
        seen: dict[str, str] = {}
        for label, one in configs:
            if one.problems:
                continue
            twin = seen.setdefault(str(called_as(one.pinned)), label)
            if twin != label:
                self._refuse(
                    "models", f"{twin} and {label} would be called in exactly the same way; leave one of them out"
                )

    def _budget(self, called: Sequence[Chosen]) -> None:
        unpriced = [one.ref.name for one in called if not one.problems and self._gateway.price(one.ref) is None]
        if self._form.budget_usd is not None and unpriced:
            told = f"the price of {', '.join(dict.fromkeys(unpriced))} is unknown, so USD cannot be limited"
            self._refuse("budget_usd", f"{told}; limit calls or tokens instead")


def _kept(form: BenchmarkForm) -> Json:
    """What cloning needs and the rest of the spec does not say."""
    kept = form.model_dump()
    if form.first:
        lines = [line for line in form.jsonl.splitlines() if line.strip()]
        kept |= {"jsonl": "\n".join(lines[: form.first]), "first": None}
    return {name: value for name, value in kept.items() if not name.startswith("budget_")}
