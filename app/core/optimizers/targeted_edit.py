"""The optimiser names a few exact edits; their number shrinks over the epochs, as a learning rate does."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.model import Ask, Candidate
from app.core.optimizers.base import Evidence, Outlook, Proposal
from app.core.optimizers.dialogue import converse
from app.core.optimizers.examples import parted
from app.core.optimizers.reply import Malformed, read_object, read_text
from app.core.optimizers.request import opening
from app.ports.llm import Json

TARGETS = ("system_prompt", "output_prompt")
_BUDGETS = (6, 5, 4, 3, 2)

SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {
        "edits": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "target": {"type": "string", "enum": list(TARGETS)},
                    "find": {"type": "string"},
                    "replace": {"type": "string"},
                    "append": {"type": "string"},
                },
                "required": ["target", "find", "replace", "append"],
                "additionalProperties": False,
            },
        },
        "reasoning": {"type": "string"},
    },
    "required": ["edits", "reasoning"],
    "additionalProperties": False,
}
"""Every key is required because strict providers want that; the empty text stands for what an edit does not use."""
REPLY_FORMAT = """\
Reply with one JSON object and nothing else:
{"edits": [{"target": "system_prompt", "find": "exact text that stands in the prompt once", "replace": "new text"}, \
{"target": "output_prompt", "append": "text for a new line at the end"}], \
"reasoning": "two or three sentences: what went wrong, and what the edits do against it"}
An empty "replace" deletes what was found."""


def edit_budget(epoch: int) -> int:
    """How many edits an epoch (from 1) allows: bold at first, careful later, never fewer than two."""
    return _BUDGETS[min(epoch, len(_BUDGETS)) - 1]


def approach(epoch: int) -> str:
    """What the optimiser is told about how far it may go."""
    return (
        f"Change as little as possible: at most {edit_budget(epoch)} edits. "
        "Each replaces a text that stands exactly once in the prompt, or appends a line. Everything else stays."
    )


class TargetedEdit:
    """See the module's first line."""

    name = "targeted_edit"
    summary = "The optimiser model names a few exact edits; fewer are allowed from epoch to epoch."
    needs_optimizer = True
    adds_examples = False
    template = "targeted_edit"
    children = 1
    merges = False

    def parent(self, outlook: Outlook) -> int:
        """The best so far."""
        return outlook.best

    async def propose(self, evidence: Evidence, ask: Ask) -> list[Proposal]:
        """See app.core.optimizers.base.Strategy."""
        found = await edit(evidence, ask)
        return [found] if found else []


async def edit(evidence: Evidence, ask: Ask, further: str = "") -> Proposal | None:
    """The parent with the optimiser's edits; None when its replies were unusable. further: what it is told beside."""
    if evidence.optimizer is None:
        raise ValueError("an edit needs an optimiser model")
    budget = edit_budget(evidence.epoch)
    return await converse(
        ask,
        evidence.optimizer,
        opening(evidence, approach=f"{approach(evidence.epoch)}{further}", reply_format=REPLY_FORMAT),
        SCHEMA,
        lambda text, last: read_edits(text, evidence.parent, budget, forgive=last),
    )


@dataclass(frozen=True)
class Edit:
    """One change of one prompt, its examples block aside. An empty ``find`` appends ``text`` as a new line."""

    target: str
    find: str
    text: str

    def apply(self, prompt: str) -> str:
        """The changed prompt. Raises: Malformed when ``find`` does not stand in it exactly once."""
        head, examples = parted(prompt)
        if not self.find:
            return (f"{head}\n{self.text}" if head else self.text) + examples
        if (count := head.count(self.find)) != 1:
            raise Malformed(f'"{self.find[:80]}" stands {count} times in the {self.target}, not once')
        return head.replace(self.find, self.text) + examples


def read_edits(text: str, parent: Candidate, budget: int, *, forgive: bool) -> Proposal:
    """The parent with a reply's edits applied in order.

    forgive: leave out edits that do not fit instead of complaining, as long as one does fit.
    Raises: Malformed with every edit that does not fit.
    """
    found = read_object(text, ["edits"])
    edits = found.get("edits")
    if not isinstance(edits, list) or not edits:
        raise Malformed('"edits" must be a list with at least one edit')
    prompts = {"system_prompt": parent.system_prompt, "output_prompt": parent.output_prompt}
    problems = []
    for number, raw in enumerate(edits[:budget], start=1):
        try:
            edit = _edit(raw)
            prompts[edit.target] = edit.apply(prompts[edit.target])
        except Malformed as problem:
            problems.append(f"edit {number}: {problem}")
    if problems and not (forgive and len(problems) < len(edits[:budget])):
        raise Malformed("; ".join(problems))
    reasoning = read_text(found, "reasoning", "")
    left_out = len(problems) + len(edits) - len(edits[:budget])
    note = f" ({left_out} of {len(edits)} edits left out: they did not fit or were too many.)" if left_out else ""
    return Proposal(prompts["system_prompt"], prompts["output_prompt"], reasoning + note)


def _edit(raw: Json) -> Edit:
    if not isinstance(raw, dict) or raw.get("target") not in TARGETS:
        raise Malformed(f'an edit is an object whose "target" is {" or ".join(TARGETS)}')
    find, append = read_text(raw, "find", ""), read_text(raw, "append", "")
    if not find and not append:
        raise Malformed('it has neither "find" nor "append"')
    return Edit(raw["target"], find, read_text(raw, "replace") if find else append)
