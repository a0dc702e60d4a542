"""Synthetic tasks in which the true accuracy of a prompt is computed exactly. Standard library alone, for gepa's process.

A case has features. A prompt holds rules for features, one a line; each is rough, precise or wrong. The chance of a right
answer is the product of what the prompt knows of the case's features (so rules interact: three features need three rules),
cut by rough rules that spill over to a neighbouring feature, by harmful habits, by idle words and by a missing line about the
form. Whether one answer is right depends on the case's own luck, and for a share of the cases on the luck of exactly this
prompt with this case, as with a real model at temperature 0.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import random
import re
from dataclasses import dataclass, field
from functools import lru_cache

NAMES = ("amber", "basil", "cobalt", "dune", "ember", "fjord", "grove", "hazel", "indigo", "jade", "kelp", "lilac")
FORM = "Write only the code."
RULE = re.compile(r"^On (\w+): use the (rough|precise|wrong) rule\.$", re.MULTILINE)
IDLE = re.compile(r"^Remember: .+$", re.MULTILINE)
HABIT = re.compile(r"^Always: stress (\w+)\.$", re.MULTILINE)
SHOWN = re.compile(r"^Input: (.+)$", re.MULTILINE)
INPUT = re.compile(r"note \d+ about ([a-z ]+)")
START = ("Handle the note.\nRemember: stay calm.", "Answer.")


def draw(*parts: object) -> float:
    """A number in [0, 1) that depends on the parts alone."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest()) / 2**56


@dataclass(frozen=True)
class Item:
    """One thing to answer."""

    id: str
    features: tuple[str, ...]

    @property
    def input(self) -> str:
        """Its text."""
        return f"note {self.id} about {' '.join(self.features)}"

    @property
    def reference(self) -> str:
        """Its right answer."""
        return "-".join(name[:3] for name in self.features)


@dataclass(frozen=True)
class Setting:
    """What makes one family of worlds. See the table WORLDS.

    sizes: how often a case has one, two or three features. levels: what a feature without a rule, with a rough and with a
    wrong one is worth (a precise one: 1). spill: what a rough rule leaves of its neighbours. helpful: share of the reflector's
    replies that try to help; the others harm. luck: share of answers that depend on the exact prompt.
    """

    features: int
    sizes: tuple[float, ...]
    levels: tuple[float, float, float]
    group: int
    spill: float
    helpful: float
    ceiling: float = 0.95
    formless: float = 0.75
    habit: float = 0.6
    idle: float = 0.98
    luck: float = 0.3
    skew: float = 0.6
    shots: tuple[float, float] = (0.15, 0.8)


WORLDS: dict[str, Setting] = {
    "rules": Setting(8, (0.4, 0.4, 0.2), (0.4, 0.75, 0.3), 2, 0.85, 0.7),
    "labels": Setting(8, (1.0,), (0.3, 0.7, 0.2), 2, 0.7, 0.7),
    "mostly harmful": Setting(6, (0.6, 0.4), (0.4, 0.75, 0.2), 2, 0.85, 0.3),
}
"""Rules that interact; labels that are confused with their neighbours; a reflector of whose replies three in four harm."""


@dataclass
class Lesson:
    """What a prompt says."""

    rules: dict[str, str]
    habits: list[str]
    idle: int
    form: bool
    shown: dict[str, int] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def read(text: str) -> Lesson:
    """A prompt's lesson; a later rule for the same feature takes the place of an earlier one."""
    lesson = Lesson(dict(RULE.findall(text)), HABIT.findall(text), len(IDLE.findall(text)), FORM in text)
    for shown in SHOWN.findall(text):
        lesson.form = True
        for name in features_of(shown):
            lesson.shown[name] = lesson.shown.get(name, 0) + 1
    return lesson


def features_of(text: str) -> tuple[str, ...]:
    """The features that an input names."""
    found = INPUT.search(text)
    return tuple(found[1].split()) if found else ()


class World:
    """One world of a family, made by its seed: which features are frequent, which are neighbours, which cases there are."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed, self.setting = name, seed, WORLDS[name]
        numbers = random.Random(f"{name}/{seed}")
        self.features = tuple(numbers.sample(NAMES, self.setting.features))
        self.weights = {f: 1.0 / (1 + i) ** self.setting.skew for i, f in enumerate(self.features)}
        order = numbers.sample(self.features, len(self.features))
        size = self.setting.group
        groups = [order[i : i + size] for i in range(0, len(order), size)]
        self.near = {f: tuple(g for g in group if g != f) for group in groups for f in group}
        self._numbers = numbers
        self._kinds = self._population()

    def cases(self, *sizes: int) -> list[list[Item]]:
        """Samples of the population, one for each size; asked again, others."""
        kinds, weights = zip(*self._kinds, strict=True)
        count = itertools.count(1)
        return [
            [Item(f"{next(count):04d}", kind) for kind in self._numbers.choices(kinds, weights, k=size)]
            for size in sizes
        ]

    def chance(self, features: tuple[str, ...], lesson: Lesson) -> float:
        """How likely a prompt with this lesson answers a case with these features rightly."""
        s = self.setting
        chance = s.ceiling * s.idle**lesson.idle * (1.0 if lesson.form else s.formless)
        for name in features:
            chance *= self._level(name, lesson)
            chance *= s.spill ** sum(lesson.rules.get(other) == "rough" for other in self.near[name])
            chance *= s.habit ** (name in lesson.habits)
        return chance

    def right(self, prompt: str, item: Item) -> bool:
        """Whether this prompt answers this case rightly."""
        own = draw(self.seed, item.id, prompt) < self.setting.luck
        luck = draw(self.seed, item.id, prompt, "own") if own else draw(self.seed, item.id)
        return luck < self.chance(item.features, read(prompt))

    def accuracy(self, prompt: str) -> float:
        """The true accuracy: the expected share of right answers over the whole population."""
        lesson = read(prompt)
        return sum(weight * self.chance(kind, lesson) for kind, weight in self._kinds)

    @property
    def best(self) -> float:
        """The accuracy of the best prompt there is."""
        return self.setting.ceiling

    def _level(self, name: str, lesson: Lesson) -> float:
        none, rough, wrong = self.setting.levels
        each, most = self.setting.shots
        rule = {"precise": 1.0, "rough": rough, "wrong": wrong}.get(lesson.rules.get(name, ""), none)
        return max(rule, min(most, none + each * lesson.shown[name])) if name in lesson.shown else rule

    def _population(self) -> list[tuple[tuple[str, ...], float]]:
        kinds = []
        for size, share in enumerate(self.setting.sizes, start=1):
            sets = list(itertools.combinations(self.features, size))
            raw = [math.prod(self.weights[f] for f in chosen) for chosen in sets]
            kinds += [(chosen, share * one / sum(raw)) for chosen, one in zip(sets, raw, strict=True)]
        return kinds


def joined(system_prompt: str, output_prompt: str) -> str:
    """Both prompts as the worlds read them."""
    return f"{system_prompt}\n{output_prompt}"
