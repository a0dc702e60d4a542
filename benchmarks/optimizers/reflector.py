"""The one mock reflector that every optimiser of the benchmark asks. Standard library alone.

It sees the current prompts and some answers with their features, and proposes rules for the features that fail. It is as
fallible as a model: one failure alone misleads it more often than several, a whole rewrite loses lines now and then, idle words
creep in, and a share of its replies (much the larger one in the world "mostly harmful") does harm.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.optimizers.worlds import FORM, HABIT, IDLE, RULE, World, joined, read

ATTENTION = 12
"""More rows than this blur its sight."""
_LOST, _LOST_IDLE, _ADDED_IDLE = 0.05, 0.4, 0.15


@dataclass(frozen=True)
class Row:
    """An answer that the reflector is shown."""

    features: tuple[str, ...]
    right: bool


@dataclass(frozen=True)
class Change:
    """What a reply changes: rules by feature, habits and idle words that come in, whether the form is settled or lost."""

    rules: dict[str, str]
    habit: str = ""
    idle: str = ""
    form: bool = False
    unform: bool = False


def reflect(world: World, prompts: tuple[str, str], rows: Sequence[Row], *, most: int, luck: random.Random) -> Change:
    """What the reflector wants changed. most: rules in one reply."""
    if luck.random() >= world.setting.helpful:
        return _harm(world, luck)
    lesson = read(joined(*prompts))
    failing = Counter(f for row in rows if not row.right for f in row.features)
    fine = Counter(f for row in rows if row.right for f in row.features)
    open_to = {f: n / (1 + 0.5 * fine[f]) for f, n in failing.items() if lesson.rules.get(f) != "precise"}
    sight = min(1.0, ATTENTION / max(1, len(rows)))
    rules = {}
    for name in sorted(open_to, key=lambda f: (-open_to[f] * (0.5 + luck.random()), f))[:most]:
        several = failing[name] >= 2
        if luck.random() < sight * (0.85 if several else 0.55):
            rules[name] = "precise" if luck.random() < (0.6 if several else 0.35) else "rough"
        elif luck.random() < 0.4:
            rules[name] = "wrong"
    form = bool(failing) and not lesson.form and luck.random() < 0.5
    idle = f"Remember: point {luck.randrange(1000)}." if luck.random() < _ADDED_IDLE else ""
    return Change(rules, idle=idle, form=form)


def _harm(world: World, luck: random.Random) -> Change:
    kind, name = luck.randrange(4), luck.choice(world.features)
    idle = f"Remember: point {luck.randrange(1000)}."
    if kind == 0:
        return Change({name: "wrong"}, idle=idle)
    if kind == 1:
        return Change({}, habit=name)
    return Change({}, idle=idle, unform=kind == 2)


def rewritten(text: str, change: Change, luck: random.Random, *, owner: bool = True) -> str:
    """A whole prompt written anew with the change. owner: whether new lines belong into this prompt."""
    lines = []
    for line in text.splitlines():
        found = RULE.match(line)
        if found and (found[1] in change.rules or luck.random() < _LOST):
            continue
        if (IDLE.match(line) and luck.random() < _LOST_IDLE) or (HABIT.match(line) and luck.random() < _LOST):
            continue
        if line != FORM or not change.unform:
            lines.append(line)
    return "\n".join(lines + (added(change) if owner else []))


def added(change: Change) -> list[str]:
    """The lines that a change brings in."""
    lines = [f"On {name}: use the {kind} rule." for name, kind in change.rules.items()]
    lines += [f"Always: stress {change.habit}."] if change.habit else []
    lines += [change.idle] if change.idle else []
    return lines + ([FORM] if change.form else [])


def edits(prompts: tuple[str, str], change: Change, most: int) -> list[dict[str, str]]:
    """The change as exact edits, at most so many."""
    made = []
    for name, kind in change.rules.items():
        new = f"On {name}: use the {kind} rule."
        old = [(at, m[0]) for at, text in enumerate(prompts) for m in RULE.finditer(text) if m[1] == name]
        if old and prompts[old[-1][0]].count(old[-1][1]) == 1:
            at, line = old[-1]
            made.append({"target": _TARGETS[at], "find": line, "replace": new, "append": ""})
        else:
            made.append({"target": "system_prompt", "find": "", "replace": "", "append": new})
    rest = Change({}, change.habit, change.idle, change.form)
    made += [{"target": "system_prompt", "find": "", "replace": "", "append": line} for line in added(rest)]
    made += [
        {"target": target, "find": FORM, "replace": "", "append": ""}
        for target, text in zip(_TARGETS, prompts, strict=True)
        if change.unform and text.count(FORM) == 1
    ]
    return made[:most]


_TARGETS = ("system_prompt", "output_prompt")
