"""A model that can be computed by hand: what it answers follows from the words of its prompt and input, and from nothing else.

As a primary model it is a bag-of-words reader. Labels that the prompt lists, words that the prompt says about a label and
worked examples are all that it knows of a task; a prompt that asks for the bare answer gets it bare. Given a table of known
answers it stands for a model that knows the task and errs by difficulty: a better prompt solves harder inputs.
Answers are pure functions of the request.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

WORD = re.compile(r"[a-z]+|\d+")
SNAKE = re.compile(r"\b[a-zA-Z]+(?:_[a-zA-Z]+)+\b")
LISTED = re.compile(r"(?:labels?|categories|classes|intents|one of)\b[^:\n]*:\s*([^\n]+)", re.IGNORECASE)
DEFINED = re.compile(r"^\s*[-*\d.)]*\s*`?([A-Za-z][\w ]{1,40}?)`?\s*(?::|=|—|–| - )\s*(\S.*)$", re.MULTILINE)
EXAMPLE = re.compile(
    r"(?:input|message|question|q|user)[^:\n]{0,12}:\s*(.+?)\s*\n\s*"
    r"(?:output|answer|label|a|expected|reference)[^:\n]{0,12}:\s*(.+)",
    re.IGNORECASE,
)
TAGGED = re.compile(r"<input(-\w+)?>\n(.*?)\n</input\1>\s*<(output|expected|reference)\1>\n(.*?)\n</\3\1>", re.DOTALL)
BARE = re.compile(r"\b(only|exactly|nothing else|just the|no other|without explanation|single label)\b", re.IGNORECASE)
CAREFUL = re.compile(r"\b(step by step|think|reason|careful|check|precise)\w*", re.IGNORECASE)
HARMFUL = re.compile(r"\b(creative|chatty|at length|elaborate|friendly|poem)\b", re.IGNORECASE)
OPTION = re.compile(r"^\s*(\([A-Z]\))\s*(.*)$", re.MULTILINE)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
STOP = frozenset(
    WORD.findall(
        """a am an and are as at be been but by can could did do does don for from get got had has have how i if im in is it
        just me my no not of on or s see should so t that the there they this to up ve was what when where which who why will
        with would you your"""
    )
)
NOT_LABELS = frozenset({"system_prompt", "output_prompt", "ground_truth_output", "user_input", "response_format"})


def draw(*parts: str) -> float:
    """A number in [0, 1) that depends on the texts alone."""
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).digest()[:6]) / 2**48


def stems(text: str) -> set[str]:
    """The content words of a text, cut to a crude stem."""
    words = (w for w in WORD.findall(text.lower().replace("_", " ")) if w not in STOP)
    return {re.sub(r"(ings?|ed|es|s|d|y|ie)$", "", w) if len(w) > 4 else w for w in words}


@dataclass
class Lesson:
    """What a prompt teaches: the words that speak for each label, examples, and how to answer."""

    words: dict[str, set[str]] = field(default_factory=dict)
    examples: list[tuple[set[str], str]] = field(default_factory=list)
    bare: bool = False
    careful: bool = False
    harmful: bool = False

    @classmethod
    @lru_cache(maxsize=1024)
    def read(cls, prompt: str) -> Lesson:
        """Take a lesson from a prompt's text; to be looked at, not changed."""
        lesson = cls(
            bare=bool(BARE.search(prompt)), careful=bool(CAREFUL.search(prompt)), harmful=bool(HARMFUL.search(prompt))
        )
        for label in labels_in(prompt):
            lesson.words.setdefault(label, stems(label))
        for given, answer in pairs(prompt):
            lesson.examples.append((stems(given), answer))
            if len(answer.split()) <= 3 and lesson.words:
                lesson.words.setdefault(answer, stems(answer))
        for name, meaning in DEFINED.findall(prompt):
            if name.strip() in lesson.words:
                lesson.words[name.strip()] |= stems(meaning)
        return lesson


def labels_in(prompt: str) -> list[str]:
    """The answers that a prompt lists."""
    found = [s for s in SNAKE.findall(prompt) if s.lower() not in NOT_LABELS]
    for line in LISTED.findall(prompt):
        items = [re.sub(r"^(or|and)\s+", "", part.strip(" .`'\"")) for part in re.split(r"[,;|]|\bor\b", line)]
        if len(items) > 1:
            found += [item for item in items if 0 < len(item) <= 40 and len(item.split()) <= 3]
    return list(dict.fromkeys(found))


def pairs(text: str) -> list[tuple[str, str]]:
    """The worked examples in a text, whichever way they are written."""
    return EXAMPLE.findall(text) + [(given, answer) for _, given, _, answer in TAGGED.findall(text)]


class RuleWorld:
    """known: input text to right answer; empty for a model that knows only what its prompt teaches."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self.known = {_plain(k): v for k, v in (known or {}).items()}
        self._answers = sorted(set(self.known.values()))

    @classmethod
    def from_csv(cls, paths: Iterable[str | Path]) -> RuleWorld:
        """Knows the answers in the first two columns of these files."""
        known: dict[str, str] = {}
        for path in paths:
            with open(path, encoding="utf-8-sig", newline="") as file:
                rows = csv.reader(file)
                next(rows)
                known.update({row[0]: row[1] for row in rows if len(row) > 1})
        return cls(known)

    def answer(self, messages: Sequence[Mapping[str, str]]) -> str:
        """What a primary model says."""
        system = "\n".join(m["content"] for m in messages if m["role"] == "system")
        user = "\n".join(m["content"] for m in messages if m["role"] == "user")
        found = self._known_in(user)
        given, closing = found if found else _split(user)
        prompt = f"{system}\n{closing}"
        lesson = Lesson.read(prompt)
        if lesson.harmful and draw(given, prompt, "harm") < 0.6:
            return f"What a wonderful thing to say! There is so much in these words: {given[:80]}"
        plain = self._recall(given, lesson, prompt) if found else _work_out(given, lesson, prompt)
        return plain if lesson.bare or draw(given, "bare") < 0.25 else f"I would say that the answer is {plain}."

    def _known_in(self, user: str) -> tuple[str, str] | None:
        if not self.known:
            return None
        parts = user.split("\n\n")
        for cut in range(len(parts), 0, -1):
            given = "\n\n".join(parts[:cut])
            if _plain(given) in self.known:
                return given, "\n\n".join(parts[cut:])
        return next(((k, user.replace(k, "")) for k in self.known if k in user), None)

    def _recall(self, given: str, lesson: Lesson, prompt: str) -> str:
        right = self.known[_plain(given)]
        quality = 0.4 + 0.1 * lesson.careful + 0.05 * min(3, len(lesson.examples)) + 0.05 * lesson.bare
        if right in lesson.words:
            taught = len(stems(given) & (lesson.words[right] - stems(right)))
            quality += 0.2 + 0.1 * min(2, taught)
        if draw(given, "difficulty") + 0.16 * (draw(given, prompt, "luck") - 0.5) < min(quality, 0.95):
            return right
        return self._wrong(given, right, lesson)

    def _wrong(self, given: str, right: str, lesson: Lesson) -> str:
        if NUMBER.fullmatch(right):
            return str(int(float(right)) + 1 + int(9 * draw(given, "slip")))
        if len(right.split()) > 4:
            words = right.split()
            return " ".join(w for i, w in enumerate(words) if draw(given, str(i)) < 0.6) or words[0]
        others = [o for o in (list(lesson.words) or self._answers) if o != right] or ["unknown"]
        return others[int(draw(given, "other") * len(others))]


def _plain(text: str) -> str:
    return " ".join(text.split())


def _split(user: str) -> tuple[str, str]:
    given, _, closing = user.rpartition("\n\n")
    return (given, closing) if given else (user, "")


def _work_out(given: str, lesson: Lesson, prompt: str) -> str:
    if options := OPTION.findall(given):
        return options[int(draw(given, "" if lesson.careful else prompt) * len(options))][0]
    if lesson.words or lesson.examples:
        return _best_label(given, lesson)
    if numbers := NUMBER.findall(given):
        return f"{sum(float(n) for n in numbers):g}"
    return "_".join(sorted(stems(given), key=lambda w: (-len(w), w))[:2]) or "nothing"


def _best_label(given: str, lesson: Lesson) -> str:
    said = stems(given)
    spread = {w: sum(w in words for words in lesson.words.values()) for w in said}
    points = {
        label: sum(1 / spread[w] for w in said & words) + 0.01 * draw(given, label)
        for label, words in lesson.words.items()
    }
    for words, label in lesson.examples:
        alike = len(words & said) / max(1, len(words | said))
        points[label] = max(points.get(label, 0.0), points.get(label, 0.0) + 3 * alike)
    return max(points, key=lambda label: (points[label], label))
