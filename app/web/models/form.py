"""What stands in the form of a model config, as text, so that nothing typed is lost; and what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request

from app.core.params import PROVIDERS, Param
from app.ports.llm import Json
from app.services import models
from app.services.errors import Problem
from app.store.models import ModelConfigRevision
from app.web import params

ABOUT = ("name", "model", "api_base", "region")
NUMBERS = ("target_rpm", "price_prompt", "price_completion", "price_cached")
EXTRA = "extra"
SHOWN = (
    *("temperature", "top_p", "max_output_tokens", "seed", "stop", "presence_penalty", "frequency_penalty"),
    *("reasoning_effort", "verbosity", "service_tier", "thinking_budget", "top_k"),
)
"""Parameters that have a field of their own; all others stand as JSON in the field EXTRA."""
FIELDS = (*ABOUT, *NUMBERS, *SHOWN, EXTRA)


def param(name: str) -> Param:
    """The parameter as the first table that has it describes it."""
    return next(found for one in PROVIDERS.values() if (found := one.param(name)))


@dataclass(frozen=True)
class Draft:
    """values: by field, as text."""

    values: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(FIELDS, ""))

    def said(self) -> tuple[dict[str, Json], list[Problem]]:
        """What a config would say, and what cannot be read."""
        problems: list[Problem] = []
        price = {name[6:]: self._number(name, problems) for name in NUMBERS[1:]}
        given = {name: value for name, value in price.items() if value is not None}
        said: dict[str, Json] = {name: self.values[name] for name in ABOUT if name != "name"}
        said |= {"target_rpm": self._number("target_rpm", problems), "price": given or None}
        said["params"] = self._extra(problems) | self._params(problems)
        return said, problems

    def _params(self, problems: list[Problem]) -> dict[str, Json]:
        read: dict[str, Json] = {}
        for name in SHOWN:
            text, kind = self.values[name].strip(), param(name).kind
            if not text:
                continue
            if kind == "texts":
                read[name] = self.values[name].splitlines()
            else:
                read[name] = text if kind == "choice" else self._number(name, problems, whole=kind == "int")
        return read

    def _number(self, name: str, problems: list[Problem], *, whole: bool = False) -> Json:
        text = self.values[name].strip()
        if not text:
            return None
        try:
            return int(text) if whole else float(text)
        except ValueError:
            wanted = "a whole number" if whole else "a number"
            problems.append(Problem(name, f"must be {wanted}, not {text[:40]!r}"))
            return None

    def _extra(self, problems: list[Problem]) -> dict[str, Json]:
        text = self.values[EXTRA].strip()
        if not text:
            return {}
        try:
            read = json.loads(text)
        except (ValueError, RecursionError):
            read = None
        if not isinstance(read, dict):
            problems.append(Problem(EXTRA, 'must be a JSON object, as {"logit_bias": {}}'))
            return {}
        own = sorted(read.keys() & set(SHOWN))
        problems += [Problem(EXTRA, f"{name} has a field of its own") for name in own]
        return read


def sent() -> Draft:
    """What the browser sent."""
    lines = {name: request.form.get(name, "").replace("\r\n", "\n").replace("\0", "") for name in ("stop", EXTRA)}
    rest = {name: params.clean(request.form.get(name, "")) for name in FIELDS if name not in lines}
    return Draft(rest | {name: params.clean(text) for name, text in lines.items()})


def of_revision(name: str, revision: ModelConfigRevision) -> Draft:
    """What a revision says, as text."""
    said = models.says(revision)
    price = {f"price_{key}": value for key, value in (said["price"] or {}).items()}
    numbers = {key: text_of(value) for key, value in ({"target_rpm": said["target_rpm"]} | price).items()}
    own = {key: value for key, value in said["params"].items() if key in SHOWN}
    rest = {key: value for key, value in said["params"].items() if key not in SHOWN}
    values = {"name": name, **{key: said[key] for key in ABOUT if key != "name"}, **numbers}
    values |= {key: text_of(value) for key, value in own.items()}
    values[EXTRA] = json.dumps(rest, ensure_ascii=False, indent=2) if rest else ""
    return Draft(dict.fromkeys(FIELDS, "") | values)


def text_of(value: Json) -> str:
    """A value as its field shows it."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(str(one) for one in value)
    if isinstance(value, bool | dict):
        return json.dumps(value, ensure_ascii=False)
    return f"{value:.12g}" if isinstance(value, float) else str(value)
