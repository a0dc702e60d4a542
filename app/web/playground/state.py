"""What stands in the playground's form: as it was sent, as an earlier try had it, or as the address asks for it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flask import request

from app.core.storable import storable
from app.ports.llm import Json
from app.services import playground, prompts
from app.services.errors import Invalid, NotFound
from app.store.models import Run
from app.web import params
from app.web.context import settings
from app.web.database import session
from app.web.prompts.drafts import from_form
from app.web.trying import default_model

VARIABLE = "variable."
SHOWN = 2
"""Fields for models that are there at least."""
TEXTS = ("prompt", "system_prompt", "output_prompt", "input", "temperature", "max_output_tokens")


@dataclass(frozen=True)
class State:
    """values: the plain fields. models: names. variables: values by name. messages: an unsaved chat, in place of the texts.

    once: id for the run, so that the same form sent twice gives one. confirmed: a person agreed to the cost.
    """

    values: Mapping[str, str]
    models: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    messages: Json = ()
    once: str = ""
    confirmed: bool = False

    def raw(self) -> dict[str, object]:
        """As services take it."""
        whole: dict[str, object] = {**self.values, "models": list(self.models), "variables": dict(self.variables)}
        return whole | ({"messages": list(self.messages)} if self.messages else {})

    @property
    def fields(self) -> list[str]:
        """What stands in the fields for models: those that are named, and room for another one."""
        named = list(self.models)
        wanted = min(playground.MOST_MODELS, max(SHOWN, len(named) + (1 if named else 0)))
        return named[: playground.MOST_MODELS] + [""] * (wanted - len(named))

    def texts(self) -> playground.Texts:
        """The texts that are asked, as far as they are known."""
        form, _ = playground.read(self.raw(), settings())
        try:
            return playground.texts_of(session(), form)
        except (NotFound, Invalid):
            return playground.Texts(form.system_prompt, form.output_prompt)


def sent() -> State:
    """What was sent."""
    form = request.form
    values = {name: _lines(form.get(name, "")) for name in TEXTS}
    models = tuple(filter(None, (params.clean(name) for name in form.getlist("models"))))
    named = {key.removeprefix(VARIABLE): value for key, value in form.items() if key.startswith(VARIABLE)}
    variables = {name: _lines(value) for name, value in named.items() if name.isidentifier()}
    once = form.get("once", "")
    good = len(once) == 10 and all(sign in "0123456789abcdef" for sign in once)
    return State(
        values, models, variables, _chat(), once if good else secrets.token_hex(5), bool(form.get("confirmed"))
    )


def _chat() -> Json:
    """The messages of a chat that is being edited. Raises: Invalid when its JSON is wrong."""
    return from_form("chat").messages if request.form.get("kind") == "chat" else ()


def fresh() -> State:
    """An empty form, with the models and the prompt of the address (?model=, ?config=, ?prompt=)."""
    models = [params.clean(name) for name in request.args.getlist("model")]
    models += [f"config:{params.clean(name)}" for name in request.args.getlist("config")]
    values = dict.fromkeys(TEXTS, "") | defaults()
    state = State(values, tuple(filter(None, models)) or (default_model(),), once=secrets.token_hex(5))
    prompt = params.text("prompt", longest=300)
    return loaded(state, prompt) if prompt else state


def defaults() -> dict[str, str]:
    """The fields that have a default, with it."""
    return {name: _shown(value) for name, value in playground.defaults(settings()).items()}


def _shown(value: Json) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def of_run(run: Run) -> State:
    """What an earlier try was asked with."""
    asked = run.spec["asked"]
    values = {name: _shown(asked.get(name, "")) for name in TEXTS}
    return State(
        values, tuple(asked["models"]), asked["variables"], tuple(asked["messages"]), once=secrets.token_hex(5)
    )


def loaded(state: State, prompt: str) -> State:
    """The form with the texts of a prompt of the library. Raises: NotFound."""
    name, _, which = prompt.partition("@")
    version = prompts.version(session(), prompts.get(session(), name), which)
    texts = {
        "prompt": f"{name}@{version.number}",
        "system_prompt": version.system_prompt,
        "output_prompt": version.output_prompt,
    }
    return replace(state, values={**state.values, **texts}, messages=())


def _lines(text: str) -> str:
    """Browsers send CRLF; a text must not change by being sent."""
    return storable(text.replace("\r\n", "\n"))
