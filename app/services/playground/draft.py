"""A try from what a person typed to a pinned spec; whatever stands against it is named with its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.config import Settings
from app.core.responders.single_turn import turns
from app.core.storable import storable_json
from app.core.templates import placeholders, render
from app.llm.gateway import Gateway
from app.ports.llm import Json, Message
from app.services import prompts
from app.services.errors import Invalid, NotFound, Problem
from app.services.playground.form import MOST_MODELS, TryForm, read
from app.services.training.models import Chosen, Wish, choose

MOST_RETRIES = 1
"""A person is waiting: a model that fails twice has failed."""


@dataclass(frozen=True)
class Texts:
    """What is asked, before variables are filled in: a pair of prompts, or the messages of a chat.

    prompt_id: of the library's prompt that they are from.
    """

    system_prompt: str = ""
    output_prompt: str = ""
    messages: Sequence[Mapping[str, str]] = field(default_factory=tuple)
    prompt_id: int | None = None

    @property
    def variables(self) -> list[str]:
        """Names that need a value, the input aside, in order of appearance."""
        texts = [one["content"] for one in self.messages] or [self.system_prompt, self.output_prompt]
        return [name for name in placeholders("\n".join(texts)) if name != "input"]

    def filled(self, values: Mapping[str, str]) -> list[Message]:
        """What is sent. values: of every variable, the input among them. Raises: UnknownPlaceholder."""
        if not self.messages:
            return turns(self.system_prompt, self.output_prompt, values)
        chat = [Message(one["role"], render(one["content"], values)) for one in self.messages]  # type: ignore[arg-type]
        placed = any("input" in placeholders(one["content"]) for one in self.messages)
        return chat if placed or not values["input"] else [*chat, Message("user", values["input"])]


def parse(
    session: Session, raw: Mapping[str, object], *, settings: Settings, gateway: Gateway
) -> tuple[Json, int | None]:
    """The complete, pinned spec of a try, and the id of the library's prompt that it is about.

    raw: field name -> value, blank ones meaning the default. Raises: Invalid with every problem found.
    """
    try:
        given = storable_json(dict(raw))
    except (ValueError, TypeError, RecursionError):
        raise Invalid([Problem("", "a value cannot be kept: a number without end, or nested too deeply")]) from None
    form, problems = read(given, settings)
    draft = _Draft(session, form, settings, gateway)
    texts = draft.texts()
    spec = draft.spec(texts)
    named = {problem.field for problem in problems}
    problems += [problem for problem in draft.problems if problem.field not in named]
    if problems:
        raise Invalid(problems)
    return spec, texts.prompt_id


def texts_of(session: Session, form: TryForm) -> Texts:
    """The texts of a form: its own, or those of the library's prompt. Raises: Invalid, NotFound."""
    if form.messages:
        return Texts(messages=prompts.checked_messages(form.messages))
    own = Texts(form.system_prompt, form.output_prompt)
    if not form.prompt:
        return own
    name, _, which = form.prompt.partition("@")
    prompt = prompts.get(session, name)
    version = prompts.version(session, prompt, which)
    kept = Texts(version.system_prompt, version.output_prompt, tuple(version.messages), prompt.id)
    changed = (own.system_prompt, own.output_prompt) != (kept.system_prompt, kept.output_prompt)
    has_own = bool(own.system_prompt.strip() or own.output_prompt.strip())
    return own if has_own and changed else kept


class _Draft:
    """One form on its way to a spec; collects what is wrong with it."""

    def __init__(self, session: Session, form: TryForm, settings: Settings, gateway: Gateway) -> None:
        self.problems: list[Problem] = []
        self._session, self._form, self._settings, self._gateway = session, form, settings, gateway

    def texts(self) -> Texts:
        try:
            return texts_of(self._session, self._form)
        except NotFound as missing:
            self.problems.append(Problem("prompt", str(missing)))
        except Invalid as error:
            self.problems += error.problems
        return Texts()

    def spec(self, texts: Texts) -> Json:
        messages, models = self._messages(texts), self._models()
        calls = self._settings.calls.model_dump()
        calls |= {
            "retries": min(MOST_RETRIES, calls["retries"]),
            "on_uncertain": "repeat",
            "lanes": self._lanes(models),
        }
        budget = self._settings.budget
        unpriced = any(self._gateway.price(model.ref) is None for model in models if not model.problems)
        return {
            "messages": [{"role": one.role, "content": one.content} for one in messages],
            "asked": self._form.model_dump(),
            "models": [model.pinned for model in models],
            "calls": calls,
            "budget": {
                "usd": None if unpriced else budget.usd,  # what has no known price cannot be limited in USD
                "calls": budget.calls,
                "tokens": budget.tokens,
                "minutes": budget.minutes,
            },
            "concurrency": len(models),
            "seed": 0,
            "cache": "off",
        }

    def _messages(self, texts: Texts) -> list[Message]:
        values = {"input": self._form.input} | self._form.variables
        missing = [name for name in texts.variables if name not in values]
        if missing:
            told = ", ".join(f"{{{{{name}}}}}" for name in missing)
            self.problems.append(Problem("variables", f"{told} {'needs' if len(missing) == 1 else 'need'} a value"))
            return []
        if "input" in self._form.variables:
            self.problems.append(Problem("variables", "{{input}} is the input; write it there"))
        messages = texts.filled(values)
        if not any(one.role == "user" and one.content.strip() for one in messages):
            self.problems.append(Problem("input", "write what the models are to answer"))
        return messages

    def _models(self) -> list[Chosen]:
        names = [name.strip() for name in self._form.models if name.strip()]
        if not names:
            self._refuse("choose at least one model")
        elif len(names) > MOST_MODELS:
            self._refuse(f"there are {len(names)}; at most {MOST_MODELS} answer side by side")
        twice = next((name for name in names if names.count(name) > 1), "")
        if twice:
            self._refuse(f"{twice[:100]} is there twice; make a model config to try it with other settings")
        return [self._model(name) for name in dict.fromkeys(names[:MOST_MODELS])]

    def _model(self, name: str) -> Chosen:
        form = self._form
        chosen = choose(self._session, Wish(name, "", form.temperature, form.max_output_tokens, 0))
        if chosen.problems:
            self._refuse(*(f"{name[:100]}: {flaw}" for flaw in chosen.problems))
        elif flaw := self._gateway.problem(chosen.ref) or self._gateway.unreachable(chosen.ref):
            self._refuse(f"{name[:100]}: {flaw}")
        return chosen

    def _refuse(self, *messages: str) -> None:
        self.problems += [Problem("models", message) for message in messages]

    def _lanes(self, models: Sequence[Chosen]) -> Json:
        """By model, what it shares its rate limit with, and how many requests per minute."""
        lanes: dict[str, Json] = {}
        limits = self._settings.rate_limits
        for model in models:
            lane = self._gateway.lane(model.ref)
            rpm = model.target_rpm or limits.get(lane) or limits.get(model.ref.name)
            slower = [one for one in (rpm, lanes.get(model.ref.name, {}).get("rpm")) if one]
            lanes[model.ref.name] = {"name": lane, "rpm": min(slower, default=None)}
        return lanes
