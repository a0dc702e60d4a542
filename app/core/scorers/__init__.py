"""How answers are scored: one small file per scorer, and one literal table of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from app.core.scorers.advice import advice
from app.core.scorers.base import Configured
from app.core.scorers.contains import Contains
from app.core.scorers.exact_match import ExactMatch
from app.core.scorers.json_match import JsonMatch
from app.core.scorers.json_schema import JsonSchema
from app.core.scorers.numeric import Numeric
from app.core.scorers.overlap import Bleu, Chrf, Overlap
from app.core.scorers.python_file import PythonFile
from app.core.scorers.regex import Regex
from app.core.scorers.rouge import RougeL
from app.core.scorers.rubric import Rubric
from app.core.scorers.semantic import Semantic
from app.core.scorers.setting import WEIGHT, Setting, settings_of
from app.core.scorers.similarity import Similarity
from app.core.scorers.weighted import Weighted
from app.ports.llm import Json, ModelRef
from app.ports.scoring import Tools

SCORERS: dict[str, type[Configured]] = {
    "exact_match": ExactMatch,
    "contains": Contains,
    "regex": Regex,
    "numeric": Numeric,
    "similarity": Similarity,
    "json_match": JsonMatch,
    "json_schema": JsonSchema,
    "bleu": Bleu,
    "chrf": Chrf,
    "rouge_l": RougeL,
    "semantic": Semantic,
    "rubric": Rubric,
    "python": PythonFile,
}

NO_TOOLS = Tools()
_NEXT_SETTING = re.compile(r",(?=\s*[A-Za-z_]\w*\s*=)")


def settings(name: str) -> list[Setting]:
    """The settings of a scorer, without the weight that each has. Raises: ValueError for an unknown name."""
    return settings_of(_class(name))


def parse(text: str) -> dict[str, Json]:
    """The complete spec (every setting and the weight) of a scorer written as text.

    ``exact_match``, ``numeric:tolerance=0.01,relative=0.05``, or a JSON object ``{"name": "regex", "pattern": "..."}`` where
    a text holds what looks like the next setting. Raises: ValueError naming the scorer or the setting.
    """
    if text.lstrip().startswith("{"):
        try:
            return complete(json.loads(text))
        except (json.JSONDecodeError, RecursionError):
            raise ValueError(f"the scorer {text[:80]!r} is not valid JSON") from None
    return read(*written(text))


def read(name: str, given: Mapping[str, str]) -> dict[str, Json]:
    """The complete spec of a scorer whose settings were written as texts. Raises: ValueError naming scorer or setting."""
    known = {one.name: one for one in [*settings(name), WEIGHT]}
    return complete({"name": name} | {key: _known(name, known, key).read(value) for key, value in given.items()})


def written(text: str) -> tuple[str, dict[str, str]]:
    """The name and the settings of a scorer written as ``name:key=value,...``, unread. Raises: ValueError."""
    name, _, rest = text.strip().partition(":")
    given: dict[str, str] = {}
    for part in _NEXT_SETTING.split(rest) if rest else []:
        key, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{part[:80]!r} is no setting; write {name}:setting=value")
        given[key.strip()] = value
    return name.strip(), given


def format(spec: Mapping[str, Json]) -> str:
    """The shortest text that ``parse`` reads as this spec: what differs from the defaults."""
    spec = complete(spec)
    changed = {one.name: spec[one.name] for one in [*settings(spec["name"]), WEIGHT] if spec[one.name] != one.default}
    if not changed:
        return str(spec["name"])
    text = f"{spec['name']}:" + ",".join(f"{key}={_as_text(value)}" for key, value in changed.items())
    try:
        if parse(text) == spec:
            return text
    except ValueError:
        pass  # a text that holds a comma and an equals sign
    return json.dumps({"name": spec["name"]} | changed, ensure_ascii=False)


def complete(spec: object) -> dict[str, Json]:
    """The spec with every default filled in and every value checked. Raises: ValueError naming the scorer or setting."""
    if not isinstance(spec, Mapping) or not isinstance(spec.get("name"), str):
        raise ValueError("a scorer is a name, or an object with a name and settings")
    name = spec["name"]
    known = {one.name: one for one in [*settings(name), WEIGHT]}
    for key in spec:
        if key != "name":
            _known(name, known, str(key))
    values = {key: one.check(spec.get(key, one.default)) for key, one in known.items()}
    _class(name)(**{key: value for key, value in values.items() if key != WEIGHT.name})
    return {"name": name, **values}


def build(
    spec: str | Mapping[str, Json] | Sequence[str | Mapping[str, Json]],
    tools: Tools = NO_TOOLS,
    judge: ModelRef | None = None,
) -> Configured | Weighted:
    """A scorer from its text or spec, ready to work; several of them make a weighted mean.

    judge: the model that rubric asks. Raises: ValueError naming the scorer or the setting, or what is not here that it needs.
    """
    several = [spec] if isinstance(spec, str | Mapping) else list(spec)
    if not several:
        raise ValueError("choose at least one scorer")
    specs = [parse(one) if isinstance(one, str) else complete(one) for one in several]
    parts = [(_build(one).equipped(tools, judge), float(one[WEIGHT.name])) for one in specs]
    return parts[0][0] if len(parts) == 1 else Weighted(tuple(parts))


def corpus(spec: Mapping[str, Json], references: Sequence[str], answers: Sequence[str]) -> float | None:
    """The corpus-level score in [0, 1] of all answers, for the scorers that have one (bleu, chrf); else None."""
    scorer = _build(complete(spec))
    return scorer.corpus(references, answers) if isinstance(scorer, Overlap) and answers else None


def warning(spec: Mapping[str, Json], facts: Mapping[str, Json]) -> str:
    """One sentence when a scorer fits a dataset badly, else "". facts: the dataset's statistics."""
    return advice(complete(spec), facts)


def judgements(specs: Sequence[Mapping[str, Json]]) -> int:
    """How many calls of a judge model scoring one answer takes, when every reply can be used."""
    return sum(_class(spec["name"]).asks_judge for spec in specs)


def hint(specs: Sequence[Mapping[str, Json]]) -> str:
    """How answers are scored, in a sentence for the optimiser."""
    return "Answers are scored by " + " and ".join(_build(complete(spec)).hint for spec in specs) + "."


def _build(spec: Mapping[str, Json]) -> Configured:
    return _class(spec["name"])(**{key: value for key, value in spec.items() if key not in ("name", WEIGHT.name)})


def _class(name: str) -> type[Configured]:
    try:
        return SCORERS[name]
    except KeyError:
        raise ValueError(f"there is no scorer {name[:80]!r}; known: {', '.join(SCORERS)}") from None


def _known(name: str, known: Mapping[str, Setting], key: str) -> Setting:
    if key not in known:
        raise ValueError(f"{name} has no setting {key[:80]!r}; it has: {', '.join(known)}")
    return known[key]


def _as_text(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
