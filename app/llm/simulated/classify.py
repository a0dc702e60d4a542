"""Classification: the label whose name, definition, rules and examples have most in common with the text."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from app.llm.simulated.brief import Brief
from app.llm.simulated.chance import Dice
from app.llm.simulated.words import concepts, stems
from app.llm.simulated.world import TOPICS

_NAME, _DEFINITION, _WORD, _RULE, _EXAMPLE = 0.45, 1.0, 0.5, 2.5, 1.6
"""What a concept in the name, a concept in the definition, a word of either, a rule, and the likest example are worth."""
_NOISE = 0.35
_SLIP = 0.02
"""How often the second best label is given."""
_LONG = 6_000
"""Characters from which on a prompt distracts."""


@dataclass
class Label:
    """One permitted answer and what the prompt tells about it."""

    name: str
    named: frozenset[str]
    defined: frozenset[str]
    cues: frozenset[str]
    examples: list[str] = field(default_factory=list)


def answer(text: str, brief: Brief, dice: Dice) -> str:
    """The label that fits best; without permitted labels the model's own name for the topic."""
    labels = permitted(brief)
    if not labels:
        return own_name(text, dice)
    scores = {label.name: fit for label, fit in zip(labels, _fits(text, labels, brief, dice), strict=True)}
    ranked = sorted(scores, key=lambda name: scores[name], reverse=True)
    slips = _SLIP + 0.04 * dice.temperature + (0.08 if len(brief.text) > _LONG else 0.0)
    return ranked[1] if len(ranked) > 1 and dice.of_call("slip") < slips else ranked[0]


def permitted(brief: Brief) -> list[Label]:
    """Every label that the prompt names: in a list, in a rule, or as the output of an example."""
    outputs = [output for _, output in brief.examples if len(output) <= 60]
    names = dict.fromkeys([*brief.labels, *(name for _, name in brief.rules), *outputs])
    labels = {name: _label(name, brief.labels.get(name, "")) for name in names}
    for input_, output in brief.examples:
        if output in labels:
            labels[output].examples.append(input_)
    return list(labels.values())


def _label(name: str, definition: str) -> Label:
    return Label(name, concepts(name), concepts(definition), stems(f"{name} {definition}"))


def own_name(text: str, dice: Dice) -> str:
    """What the model calls the topic when it was not told what to call it."""
    seen = concepts(text)
    fits = {
        name: sum(concept in seen for concept in about) / len(about) + 0.3 * dice.of_input(name)
        for name, about in TOPICS
    }
    return max(fits, key=lambda name: fits[name])


def _fits(text: str, labels: list[Label], brief: Brief, dice: Dice) -> list[float]:
    """How well each label fits. What few labels share tells more than what many share."""
    seen, heard = concepts(text), stems(text)
    spread = Counter(concept for label in labels for concept in label.named | label.defined)
    common = Counter(cue for label in labels for cue in label.cues)
    noise = _NOISE * (1.0 + dice.temperature)
    fits = []
    for label in labels:
        fit = sum(_DEFINITION / math.sqrt(spread[c]) for c in seen & label.defined)
        fit += sum(_NAME / math.sqrt(spread[c]) for c in seen & (label.named - label.defined))
        fit += sum(_WORD / common[cue] for cue in heard & label.cues)
        fit += _EXAMPLE * max((_likeness(text, example) for example in label.examples), default=0.0)
        fit += sum(_RULE for cue, name in brief.rules if name == label.name and _met(cue, text))
        fits.append(fit + noise * dice.of_input(label.name))
    return fits


def _met(cue: str, text: str) -> bool:
    """Whether the text has everything that a rule's cue names."""
    wanted = stems(cue)
    return bool(wanted) and wanted <= stems(text)


def _likeness(one: str, other: str) -> float:
    a, b = stems(one) | concepts(one), stems(other) | concepts(other)
    return len(a & b) / math.sqrt(max(1, len(a)) * max(1, len(b)))
