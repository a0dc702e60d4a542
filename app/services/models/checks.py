"""What a model config may say; every problem of an input is found at once and names its field, the same at every door."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.core.params import resolve
from app.core.storable import storable, storable_json
from app.llm.outbound import Forbidden, Guard
from app.llm.routes import checked, route
from app.ports.llm import Json, ModelRef, Permanent, Price
from app.services.errors import Problem

LONGEST_NAME = 200
NAME_RULE = "letters, digits, spaces and . _ - / :, beginning with a letter or digit"
WITH_REGIONS = ("vertex_ai/", "bedrock/")
"""Beginnings of the names of models that are served in regions."""
PER_MILLION = 1_000_000

_ANYWHERE = Guard.of(("0.0.0.0/0", "::/0"))
"""Refuses only what no request may ever go to; whether a private address is listed is told beside the form, and at use."""
_NAME = re.compile(r"[^\W_](?:[\w .\-/:]*[\w.\-])?")
_RESERVED = frozenset({"access", "check", "clone", "import", "export", "new", "revisions"})


class PriceForm(BaseModel):
    """USD per million tokens. cached: of tokens from the provider's cache; None when they cost as much as others."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    prompt: float = Field(ge=0, le=1e6)
    completion: float = Field(ge=0, le=1e6)
    cached: float | None = Field(None, ge=0, le=1e6)


class ConfigForm(BaseModel):
    """What a model config says. params: in our names, or a provider's; what the model takes of them is resolved at use."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, str_strip_whitespace=True)

    model: str = Field(min_length=1, max_length=200)
    api_base: str = Field("", max_length=2000)
    region: str = Field("", pattern=r"^[A-Za-z0-9-]{0,60}$")
    params: dict[str, Json] = Field(default_factory=dict)
    target_rpm: float | None = Field(None, gt=0, le=1e6)
    price: PriceForm | None = None


def read(raw: Mapping[str, Json]) -> tuple[ConfigForm | None, list[Problem]]:
    """The config, None when it cannot be read, and every problem. Fields of a price are called price_prompt and so on."""
    try:
        form = ConfigForm.model_validate(dict(raw))
    except ValidationError as error:
        return None, [_problem(dict(one)) for one in error.errors()]
    problems = _address(form) + _region(form)
    resolved = resolve(form.model, form.params)
    problems += [Problem(name, f"{name} {why}" if " " in name else why) for name, why in resolved.refusals]
    if problems:
        return form, problems
    clean = {"model": storable(form.model), "api_base": storable(form.api_base), "params": storable_json(form.params)}
    return form.model_copy(update=clean), []


def _problem(error: Mapping[str, Json]) -> Problem:
    field = "_".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return Problem(field, f"there is no setting called {field[:100]}")
    if error["type"] == "missing":
        return Problem(field, "is needed")
    if field == "region":
        return Problem(field, "use letters, digits and -, as us-west-2")
    return Problem(field, f"{error['msg'].replace('Input should', 'must')}, not {str(error['input'])[:80]!r}")


def _address(form: ConfigForm) -> list[Problem]:
    try:
        if form.api_base:
            _ANYWHERE.check(checked(form.api_base, "api_base"))
    except (Permanent, Forbidden) as error:
        return [Problem("api_base", str(error))]
    try:
        route(ModelRef(form.model, api_base=form.api_base or None))
    except Permanent as error:
        return [Problem("model", str(error))]
    return []


def _region(form: ConfigForm) -> list[Problem]:
    if form.region and not form.model.startswith(WITH_REGIONS):
        known = " and ".join(WITH_REGIONS)
        return [Problem("region", f"only models of {known} are served in regions; leave it empty")]
    return []


def checked_name(name: str, problems: list[Problem]) -> str:
    """The name in one Unicode form, without spaces around it."""
    name = unicodedata.normalize("NFC", storable(name)).strip()
    if not name:
        problems.append(Problem("name", "give it a name"))
    elif len(name) > LONGEST_NAME:
        problems.append(Problem("name", f"a name has at most {LONGEST_NAME} characters; this one has {len(name)}"))
    elif not _NAME.fullmatch(name) or not all(part.strip(" .") for part in name.split("/")):
        problems.append(Problem("name", f"{name!r} is not a possible name: use {NAME_RULE}"))
    elif taken := _RESERVED.intersection(name.split("/")):
        problems.append(Problem("name", f"{min(taken)!r} cannot be a part of a name: addresses use it"))
    return name


def price_of(price: Json) -> Price | None:
    """A config's price in USD per token."""
    if not price:
        return None
    per_token = {
        key: None if price.get(key) is None else price[key] / PER_MILLION for key in ("prompt", "completion", "cached")
    }
    return Price(per_token["prompt"] or 0.0, per_token["completion"] or 0.0, per_token["cached"])
