"""How answers are scored: one small file per scorer, and one literal table of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from app.core.model import Scorer
from app.core.scorers.advice import advice
from app.core.scorers.base import TextScorer
from app.core.scorers.contains import Contains
from app.core.scorers.exact_match import ExactMatch
from app.core.scorers.json_match import JsonMatch
from app.core.scorers.numeric import Numeric
from app.core.scorers.overlap import Bleu, Chrf, Overlap
from app.core.scorers.regex import Regex
from app.core.scorers.setting import WEIGHT, Setting, settings_of
from app.core.scorers.similarity import Similarity
from app.core.scorers.weighted import Weighted
from app.ports.llm import Json

SCORERS: dict[str, type[TextScorer]] = {
    "exact_match": ExactMatch,
    "contains": Contains,
    "regex": Regex,
    "numeric": Numeric,
    "similarity": Similarity,
    "json_match": JsonMatch,
    "bleu": Bleu,
    "chrf": Chrf,
}

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
    name, _, rest = text.strip().partition(":")
    known = {one.name: one for one in [*settings(name.strip()), WEIGHT]}
    spec: dict[str, Json] = {"name": name.strip()}
    for part in _NEXT_SETTING.split(rest) if rest else []:
        key, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{part[:80]!r} is no setting; write {name}:setting=value")
        spec[key.strip()] = _known(name, known, key.strip()).read(value)
    return complete(spec)


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


def build(spec: str | Mapping[str, Json] | Sequence[str | Mapping[str, Json]]) -> Scorer:
    """A scorer from its text or spec; several of them make a weighted mean.

    Raises: ValueError naming the scorer or the setting.
    """
    several = [spec] if isinstance(spec, str | Mapping) else list(spec)
    if not several:
        raise ValueError("choose at least one scorer")
    specs = [parse(one) if isinstance(one, str) else complete(one) for one in several]
    parts = [(_build(one), float(one[WEIGHT.name])) for one in specs]
    return parts[0][0] if len(parts) == 1 else Weighted(tuple(parts))


def corpus(spec: Mapping[str, Json], references: Sequence[str], answers: Sequence[str]) -> float | None:
    """The corpus-level score in [0, 1] of all answers, for the scorers that have one (bleu, chrf); else None."""
    scorer = _build(complete(spec))
    return scorer.corpus(references, answers) if isinstance(scorer, Overlap) and answers else None


def warning(spec: Mapping[str, Json], facts: Mapping[str, Json]) -> str:
    """One sentence when a scorer fits a dataset badly, else "". facts: the dataset's statistics."""
    return advice(complete(spec), facts)


def _build(spec: Mapping[str, Json]) -> TextScorer:
    return _class(spec["name"])(**{key: value for key, value in spec.items() if key not in ("name", WEIGHT.name)})


def _class(name: str) -> type[TextScorer]:
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
