"""{{name}} is replaced exactly; nothing else in a text has a meaning, so hostile text stays text."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


class UnknownPlaceholder(ValueError):
    """A text refers to a name that has no value."""


def placeholders(text: str) -> list[str]:
    """The names that a text refers to, each once, in order of appearance."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def render(text: str, values: Mapping[str, str]) -> str:
    """The text with every {{name}} replaced by its value; values are not searched for placeholders.

    Raises: UnknownPlaceholder.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise UnknownPlaceholder(f"{{{{{match[1]}}}}} has no value; known: {', '.join(values)}")
        return values[match[1]]

    return _PLACEHOLDER.sub(value, text)
