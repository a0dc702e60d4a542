"""json_schema: 1 when the answer is JSON that follows a schema, whatever the reference says, else 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from app.core.model import Score
from app.core.scorers import schema as schemas
from app.core.scorers.base import TextScorer, binary
from app.core.scorers.setting import setting
from app.core.scorers.text import quote
from app.core.scorers.unwrap import Unreadable, loads, unwrap


@dataclass(frozen=True)
class JsonSchema(TextScorer):
    """For the form of an answer alone; combine it with a scorer of the content. An answer that is no JSON is unreadable."""

    name: ClassVar[str] = "json_schema"
    schema: Mapping[str, Any] = setting(
        {}, "JSON schema that the answer must follow; empty: any JSON object.", kind="json"
    )
    strict: bool = setting(False, "The whole answer must be JSON: no text and no code fence around it.", kind="bool")

    def __post_init__(self) -> None:
        """Raises: ValueError naming the setting."""
        super().__post_init__()
        _ = self._validator

    @cached_property
    def _validator(self) -> schemas.Validator:
        return schemas.validator(self.schema or {"type": "object"})

    def grade(self, reference: str, answer: str) -> Score:  # noqa: ARG002 - the form alone counts
        """1 or 0; unreadable (parsed False) when the answer is no JSON."""
        try:
            got = loads(answer) if self.strict else unwrap(answer)
        except Unreadable as error:
            return Score(0.0, f"Expected JSON, got {quote(answer)}: {error}.", parsed=False)
        broken = self._validator.flaws(got)
        return binary(not broken, f"The answer breaks the schema: {broken}.")
