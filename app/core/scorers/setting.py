"""A scorer's settings are the fields of its frozen dataclass: one place for name, kind, default, range and help."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any, TypeVar

from app.ports.llm import Json

T = TypeVar("T")

LONGEST = 200_000
"""Most characters of a text."""

_YES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a scorer, as a form, the command line and the docs list it.

    kind: bool, int, float, str, list (of texts), json, or file: the text of a file, of which a command line names the path.
    low, high: inclusive range of a number. choices: () when free.
    """

    name: str
    kind: str
    default: Json
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def read(self, text: str) -> Json:
        """The value that a person wrote as text. Raises: ValueError naming the setting."""
        try:
            return self.check(self._converted(text if self.kind in ("str", "file") else text.strip()))
        except (ValueError, RecursionError) as error:
            if str(error).startswith(f"{self.name} "):
                raise
            raise ValueError(f"{self.name} must be {self._wanted()}, not {text[:80]!r}") from None

    def _converted(self, text: str) -> Json:
        if self.kind == "bool":
            if text.lower() not in _YES:
                raise ValueError(text)
            return _YES[text.lower()]
        if self.kind == "int":
            return int(text)
        if self.kind == "float":
            return float(text)
        if self.kind == "list":
            return [part.strip() for part in text.split(",") if part.strip()]
        if self.kind == "json":
            return json.loads(text) if text else {}
        return text

    def check(self, value: Json) -> Json:
        """The value in its canonical form. Raises: ValueError naming the setting."""
        if not self._fits(value):
            raise ValueError(f"{self.name} must be {self._wanted()}, not {str(value)[:80]!r}")
        return float(value) if self.kind == "float" else list(value) if self.kind == "list" else value

    def _fits(self, value: Json) -> bool:
        if self.kind == "bool":
            return isinstance(value, bool)
        if self.kind in ("int", "float"):
            number = isinstance(value, int if self.kind == "int" else int | float) and not isinstance(value, bool)
            return number and math.isfinite(value) and self._in_range(value)
        if self.kind == "list":
            return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        if self.kind == "json":
            return isinstance(value, dict)
        return isinstance(value, str) and len(value) <= LONGEST and (not self.choices or value in self.choices)

    def _in_range(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def _wanted(self) -> str:
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind in ("int", "float"):
            noun = "a whole number" if self.kind == "int" else "a number"
            bounds = [f"at least {self.low:g}"] if self.low is not None else []
            bounds += [f"at most {self.high:g}"] if self.high is not None else []
            return " ".join([noun, " and ".join(bounds)]).strip()
        texts = f"text of at most {LONGEST:,} characters"
        return {"bool": "true or false", "list": "texts separated by commas", "json": "a JSON object"}.get(
            self.kind, texts
        )


WEIGHT = Setting("weight", "float", 1.0, "Share of this scorer when several are given.", low=0.001, high=1000.0)
"""Every scorer has a weight beside its own settings; it counts only in a combination."""


def setting(
    default: T,
    help: str,
    *,
    kind: str,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> T:
    """A dataclass field that documents itself (see Setting)."""
    return dataclasses.field(  # type: ignore[no-any-return]
        **({"default_factory": lambda: default} if isinstance(default, dict) else {"default": default}),
        metadata={"kind": kind, "help": help, "low": low, "high": high, "choices": choices},
    )


def settings_of(scorer: Any) -> list[Setting]:
    """The settings of a scorer class or instance, in the order of its fields; what it is equipped with is none."""
    fields = [field for field in dataclasses.fields(scorer) if field.metadata]
    return [Setting(field.name, default=_default(field), **field.metadata) for field in fields]


def _default(field: dataclasses.Field[Any]) -> Json:
    value = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    return list(value) if isinstance(value, tuple) else value
