"""The shapes of what the API takes and gives about providers and access to models."""

from __future__ import annotations

from typing import Any

from pydantic import Field, create_model

from app.api.shapes import NamedTraining, Shape, Time

CheckedTraining = create_model(
    "CheckedTraining",
    __base__=NamedTraining,
    __doc__="A training. skip_check: do not ask first whether its models answer.",
    skip_check=(bool, False),
)


class Provider(Shape):
    """A provider that is known by name. Of a key only whether and when it was entered, and whether it can be read."""

    name: str
    title: str
    how_found: str
    models: list[str]
    ready: bool
    missing: str
    takes_key: bool
    key_set_at: Time | None
    key_usable: bool | None


class Key(Shape):
    """A key; no answer ever holds it."""

    key: str


class NewServer(Shape):
    """A server of one's own. key: "" for none."""

    name: str
    base_url: str
    key: str = ""


class ServerChange(Shape):
    """What changes about a server; "" as its key removes the key."""

    name: str | None = None
    base_url: str | None = None
    key: str | None = None


class Server(Shape):
    """A server of one's own with its last test."""

    name: str
    base_url: str
    models: list[str]
    key_set_at: Time | None
    key_usable: bool | None
    test: Any
    tested_at: Time | None


class ModelToCall(Shape):
    """The model that a test calls; "" for the first that the server lists."""

    model: str = ""


class ModelsToCheck(Shape):
    """Names of configs or models; none for all active configs. try: try what they can do as well."""

    models: list[str] = Field(default_factory=list)
    try_: bool = Field(default=False, alias="try")


class Access(Shape):
    """Whether a model answers at an address, in a region, on a service tier. usd: null when the price is unknown."""

    model: str
    api_base: str
    region: str
    tier: str
    answers: bool | None
    outcome: str | None
    words: str
    seconds: float | None
    usd: float | None
    checked_at: Time | None
    awaited: bool
    capabilities: Any
