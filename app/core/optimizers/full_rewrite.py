"""The optimiser writes both prompts anew, learning from the failures."""

from __future__ import annotations

from app.core.model import Ask, Candidate
from app.core.optimizers.base import Evidence, Outlook, Proposal
from app.core.optimizers.dialogue import converse
from app.core.optimizers.examples import like
from app.core.optimizers.reply import read_object, read_text
from app.core.optimizers.request import opening
from app.ports.llm import Json

SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("system_prompt", "output_prompt", "reasoning")},
    "required": ["system_prompt", "output_prompt", "reasoning"],
    "additionalProperties": False,
}
APPROACH = "You may rewrite both prompts completely. Prefer a clear order: the task, the rules, the form of the answer."
REPLY_FORMAT = """\
Reply with one JSON object and nothing else:
{"system_prompt": "the complete new system prompt", "output_prompt": "the complete new output prompt", \
"reasoning": "two or three sentences: what went wrong, and what you changed against it"}"""


class FullRewrite:
    """See the module's first line."""

    name = "full_rewrite"
    summary = "The optimiser model writes both prompts anew, learning from failures and their feedback."
    needs_optimizer = True
    adds_examples = False
    template = "full_rewrite"
    children = 1
    merges = False

    def parent(self, outlook: Outlook) -> int:
        """The best so far."""
        return outlook.best

    async def propose(self, evidence: Evidence, ask: Ask) -> list[Proposal]:
        """See app.core.optimizers.base.Strategy."""
        found = await rewrite(evidence, ask)
        return [found] if found else []


async def rewrite(evidence: Evidence, ask: Ask, approach: str = APPROACH) -> Proposal | None:
    """Both prompts as the optimiser writes them anew; None when its replies were unusable."""
    if evidence.optimizer is None:
        raise ValueError("a rewrite needs an optimiser model")
    messages = opening(evidence, approach=approach, reply_format=REPLY_FORMAT)
    return await converse(
        ask, evidence.optimizer, messages, SCHEMA, lambda text, _last: read_rewrite(text, evidence.parent)
    )


def read_rewrite(text: str, parent: Candidate) -> Proposal:
    """The proposal in a reply; a prompt that it does not name stays as it is, and so do examples. Raises: Malformed."""
    found = read_object(text, SCHEMA["required"])
    kept = parent.output_prompt if "system_prompt" in found else None
    system_prompt = read_text(found, "system_prompt", parent.system_prompt if "output_prompt" in found else None)
    return Proposal(
        like(parent.system_prompt, system_prompt),
        read_text(found, "output_prompt", kept),
        read_text(found, "reasoning", ""),
    )
