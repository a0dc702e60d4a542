"""The ``ask`` of one piece of work: gives each call its content key and adds up what the piece took."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.desk import Desk
from app.core.model import digest
from app.core.sending import Order
from app.ports.journal import CallResult
from app.ports.llm import Json, Listener, Message, ModelRef, Request


class Asker:
    """Implements app.core.model.Ask for one piece of work.

    scope: the piece's key; a call's key adds its position in the piece and the digest of the request. repeat: from 0.
    listener: hears the answers while they come.
    """

    def __init__(self, desk: Desk, scope: str, repeat: int = 0, listener: Listener | None = None) -> None:
        self._desk = desk
        self._scope = scope
        self._listener = listener
        self.repeat = repeat
        self.calls = 0
        self.tokens = 0
        self.cost_usd: float | None = 0.0
        self.seconds = 0.0

    async def __call__(
        self, role: str, model: ModelRef, messages: Sequence[Message], response_schema: Json = None
    ) -> CallResult:
        """See app.core.model.Ask."""
        request = Request(model, tuple(messages), response_schema, self._listener)
        body = as_json(request)
        content = digest(body)
        key = f"{self._scope}/{self.calls}:{content[:16]}"
        self.calls += 1
        cache_key = self._desk.cache_key(content, model, self.repeat, key)
        result = await self._desk.buy(Order(key, role, request, body, cache_key))
        self._add(result)
        return result

    def _add(self, result: CallResult) -> None:
        """A remembered reply counts like the one that was bought: what an answer costs does not depend on who paid for it."""
        self.tokens += result.usage.prompt_tokens + result.usage.completion_tokens
        self.seconds += result.ttlb_s
        if result.cost_usd is None and not result.error:
            self.cost_usd = None
        elif self.cost_usd is not None:
            self.cost_usd += result.cost_usd or 0.0


def _message(message: Message) -> Json:
    images = {"images": [image.digest for image in message.images]} if message.images else {}
    return {"role": message.role, "content": message.content, **images}


def as_json(request: Request) -> Json:
    """A request as it is recorded, and as its content key is made."""
    region = {"region": request.model.region} if request.model.region else {}
    return {
        "model": request.model.name,
        "params": dict(request.model.params),
        "api_base": request.model.api_base,
        "messages": [_message(m) for m in request.messages],
        "response_schema": request.response_schema,
        **region,
    }
