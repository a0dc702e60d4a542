"""JSON schemas that people write: checked when given, without network and with patterns in linear time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend

from app.core.scorers.text import clip
from app.core.storable import storable
from app.ports.llm import Json

MAX_DEPTH = 50
"""Deepest nesting of a schema, and of an answer that is checked against one."""

MOST_TOLD = 3
"""Flaws that are told one by one."""


class Validator:
    """One schema, ready to use."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = _Linear(schema)

    def flaws(self, value: Json) -> str:
        """Where the value breaks the schema and how, the first MOST_TOLD places; "" when it does not."""
        if _deeper(value, MAX_DEPTH):
            return f"nested deeper than {MAX_DEPTH} levels"
        errors = sorted(self._validator.iter_errors(value), key=lambda e: (list(map(str, e.absolute_path)), e.message))
        more = f"; and {len(errors) - MOST_TOLD} more" if len(errors) > MOST_TOLD else ""
        return "; ".join(map(_told, errors[:MOST_TOLD])) + more


def validator(schema: Mapping[str, Any]) -> Validator:
    """A validator for a JSON schema of draft 2020-12.

    Raises: ValueError naming the setting ``schema`` for a schema that is wrong, points outside itself or uses
    patternProperties (Python's own regular expressions can take exponential time).
    """
    if _deeper(schema, MAX_DEPTH):
        raise ValueError(f"schema is nested deeper than {MAX_DEPTH} levels")
    for key, value in _keywords(schema):
        if key in ("$ref", "$dynamicRef") and not str(value).startswith("#"):
            raise ValueError(f"schema may refer to its own parts only (#/$defs/...), not to {str(value)[:80]!r}")
        if key == "patternProperties":
            raise ValueError("schema may not use patternProperties")
        if key == "pattern" and isinstance(value, str):
            _compiled(value)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"schema is not a valid JSON schema: {error.message[:200]}") from None
    return Validator(schema)


def _told(error: ValidationError) -> str:
    path = ".".join(map(str, error.absolute_path))
    return clip(f"{path}: {error.message}" if path else str(error.message))


def _keywords(value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        yield from value.items()
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keywords(item)


def _deeper(value: Json, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is not None and (levels == 0 or any(_deeper(item, levels - 1) for item in inner))


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(storable(pattern), options)
    except re2.error:
        raise ValueError(f"schema has a pattern that is not valid RE2: {pattern[:80]!r}") from None


def _pattern(_validator: Any, pattern: str, value: Json, _schema: Json) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _compiled(pattern).search(storable(value)):
        yield ValidationError(f"{value[:80]!r} does not match {pattern[:80]!r}")


_Linear = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
