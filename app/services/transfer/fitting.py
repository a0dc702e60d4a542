"""Whether rows of a record fit to the run's specification, and to the rows before them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from app.core.kinds.reviewing import REVIEW
from app.ports.llm import Json
from app.services.transfer.history import EVENTS
from app.services.transfer.rivals import ANSWERING_CALL
from app.services.transfer.shapes import Wrong

_ANSWER_KEY = re.compile(r"answer/\d{1,3}/.*", re.ASCII | re.DOTALL)


class Fitting:
    """What the rows of one record have to fit to; they come file by file, samples first."""

    def __init__(self, run: Json) -> None:
        self._kind: str = run["kind"]
        spec = run["spec"]
        self._cases = {one["id"] for one in spec["cases"]} if self._kind == "benchmark" else None
        self._labels = {one["label"] for one in spec["configs"]} if self._kind == "benchmark" else set()
        self._has_data = bool((spec.get("dataset") or {}).get("digest"))
        self._proposals = {0}  # 0 are the initial prompts
        self._samples: set[int] = set()
        self._checks: Mapping[str, Callable[[Json], None]] = {
            "samples.jsonl": self._sample,
            "calls.jsonl": self._call,
            "events.jsonl": self._event,
            "looks.jsonl": self._look,
            "rankings.jsonl": self._ranking,
            "marks.jsonl": self._mark,
        }

    def check(self, name: str, row: Json) -> None:
        """name: of the file that the row is from, whose shape is right. Raises: Wrong."""
        if own := self._checks.get(name):
            own(row)

    def _sample(self, row: Json) -> None:
        if self._cases is None:
            if row["split"] == REVIEW:
                raise Wrong("split", "is that of a review, and the run is no benchmark")
            return
        self._samples.add(hash(row["key"]))
        if row["split"] != REVIEW:
            self._prompt(row["case"], "case")

    def _prompt(self, case: str, place: str) -> None:
        if self._cases is None:
            raise Wrong("", "is of no use to a run of this kind")
        if case not in self._cases:
            raise Wrong(place, f"{case[:40]!r} is no prompt of this benchmark")

    def _call(self, row: Json) -> None:
        if self._kind != "try":
            return
        if not _ANSWER_KEY.fullmatch(row["key"]):
            raise Wrong("key", "must begin with answer/ and the number of a model")
        ANSWERING_CALL(row, "")

    def _event(self, row: Json) -> None:
        name, data = row["name"], row["data"]
        if shape := EVENTS.get(name):
            shape(data, "data")
        if name == "proposal":
            self._proposals.add(data["number"])
        if name == "shortened" and data["number"] not in self._proposals:
            raise Wrong("data.number", f"{data['number']} is no proposal of this run")
        if name == "review" and self._cases is not None:
            self._prompt(data["case"], "data.case")

    def _look(self, _: Json) -> None:
        if not self._has_data:
            raise Wrong("", "tells of a look at examples, and the run has no dataset")

    def _ranking(self, row: Json) -> None:
        self._prompt(row["case"], "case")
        if unknown := sorted(set(row["places"]) - self._labels):
            raise Wrong("places", f"{unknown[0][:40]!r} is no config of this benchmark")

    def _mark(self, row: Json) -> None:
        if hash(row["sample"]) not in self._samples:
            raise Wrong("sample", "is no answer of this run")
