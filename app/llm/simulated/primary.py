"""simulated/primary: answers an input as well as its prompt lets it, and chats around the answer unless told not to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.llm.simulated import choose, classify, extract, translate
from app.llm.simulated.brief import Brief, read
from app.llm.simulated.chance import Dice, pick
from app.ports.llm import Json, Message

_CLOSING = re.compile(
    r"^(?:please |now )?(?:return|reply|respond|answer|output|give|write|translate|classify|label|choose|pick|name|state"
    r"|explain|extract|only|just|use|do not|think|format|one of|the (?:answer|label|output))\b",
    re.IGNORECASE,
)
_BARE = {"none": 0.55, "asked": 0.8, "strict": 0.985}
"""How often the answer stands alone, by how clearly that was demanded. Examples count as "asked"."""

_CHAT = (
    "The answer is {answer}.",
    "Sure! I would say {answer}.",
    "**{answer}**",
    "Based on the text, this looks like {answer} to me.",
    "{answer}\n\nLet me know if you need anything else!",
    "Thank you for your message. In my opinion the right answer here is: {answer}",
)


def reply(messages: Sequence[Message], params: dict[str, Json]) -> str:
    """The reply to a chat. params: temperature and seed count; the same arguments always give the same text."""
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    text, closing = parted("\n\n".join(m.content for m in messages if m.role == "user"))
    prompt = f"{system}\n\n{closing}"
    dice = Dice(params.get("seed", 0), prompt, text, float(params.get("temperature") or 0.0))
    brief = read(prompt)
    return _dressed(_answer(text, brief, dice), brief, dice)


def parted(user: str) -> tuple[str, str]:
    """The input and what follows it: everything from the first later paragraph that begins like an instruction."""
    paragraphs = user.split("\n\n")
    for number, paragraph in enumerate(paragraphs[1:], start=1):
        if _CLOSING.match(paragraph.strip()):
            return "\n\n".join(paragraphs[:number]), "\n\n".join(paragraphs[number:])
    return user, ""


def _answer(text: str, brief: Brief, dice: Dice) -> str:
    """The bare answer. What the work is, the input and the prompt decide together."""
    if options := choose.options(text):
        return choose.answer(options, brief, dice)
    if brief.says(r"\bjson\b") or (brief.fields and brief.says(r"extract|fields?")):
        return extract.answer(text, brief, dice)
    if language := translate.wanted(brief):
        return translate.answer(text, language, brief, dice)
    if brief.says(r"\b(?:how much|how many|calculat|solve|math|number|sum)\w*\b") and not brief.labels:
        return extract.number_in(text, dice)
    return classify.answer(text, brief, dice)


def _dressed(answer: str, brief: Brief, dice: Dice) -> str:
    """The answer alone or in a sentence. Luck belongs to the input, so that two prompts meet the same temptation."""
    form = "asked" if brief.form == "none" and brief.examples else brief.form
    if brief.wants_steps:
        return f"Let me think step by step. The text mentions {dice.text[:60]!r}.\n\n{answer}"
    if dice.of_input("form") < _BARE[form]:
        return answer
    return pick(_CHAT, dice.seed, dice.text, "chat").format(answer=answer)
