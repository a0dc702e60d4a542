"""The case is the whole chat, ready to be sent as it is: rivals get the same messages, to the letter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from app.core.model import Ask, Candidate, Case, Response
from app.core.responders.seeing import unseen
from app.core.responders.single_turn import read
from app.ports.llm import Json, Message


def packed(messages: Sequence[Json]) -> str:
    """Messages ({"role", "content"}) as the input of a case."""
    return json.dumps([[one["role"], one["content"]] for one in messages], ensure_ascii=False)


def unpacked(text: str) -> list[Message]:
    """The messages of a case's input."""
    return [Message(role, content) for role, content in json.loads(text)]


class Ready:
    """Sends the messages of the case to the candidate's model, once."""

    @property
    def spec(self) -> Json:
        """See app.core.model.Responder."""
        return {"name": "ready"}

    async def respond(self, candidate: Candidate, case: Case, ask: Ask) -> Response:
        """See app.core.model.Responder. A picture goes with the last message of the user."""
        if failure := unseen(candidate.model, case):
            return failure
        turns = unpacked(case.input)
        if case.picture and case.picture.image:
            last = max((at for at, turn in enumerate(turns) if turn.role == "user"), default=len(turns) - 1)
            turns[last] = replace(turns[last], images=(case.picture.image,))
        return read(await ask("primary", candidate.model, turns))
