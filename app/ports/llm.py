"""How the core reaches a language model: the request, the reply, the price, and every way a call can fail.

The errors form one tree:

    CallError
    |- Transient                another try may succeed
    |  |- RateLimited           429; carries retry_after in seconds when the provider said so
    |  |- ServerFault           5xx, malformed or cut-off body
    |  |- TimedOut              no complete answer within the deadline; the provider may have been paid
    |  `- Unreachable           connection refused or reset, DNS failure; nothing was answered
    |- Permanent                the same request will fail again, and so will its neighbours
    |  |- Unauthorized          401, 403, missing or wrong key
    |  |- UnknownModel          404, or a name that no adapter knows
    |  `- QuotaExhausted        the account has no money or daily quota left
    |- Rejected                 400: this one request is wrong (too long, unknown parameter); its neighbours may be fine
    `- ContentFiltered          the provider refused this one input or output
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

Json: TypeAlias = Any
"""A value that json.dumps accepts: None, bool, finite int or float, str, list, or dict with str keys."""

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
FinishReason: TypeAlias = Literal["stop", "length", "content_filter", "tool_calls", "unknown"]


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its content; its bytes are where app.ports.images says. digest: SHA-256 of them in hex.

    media_type: as image/png, found from the content. width, height: in pixels.
    """

    digest: str
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat as it is sent to a model. images: come before the text."""

    role: Role
    content: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one call as the provider reported them; ``estimated`` when it did not and we counted ourselves."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """USD per single token. cached_usd: of a prompt token from the provider's cache; reasoning_usd: of one that was thought.

    None for one of these: it costs as much as any other. long: the price of a call whose prompt has more than long_from tokens,
    where the provider asks another one.
    """

    prompt_usd: float
    completion_usd: float
    cached_usd: float | None = None
    reasoning_usd: float | None = None
    long_from: int = 0
    long: Price | None = None

    def at(self, prompt_tokens: int) -> Price:
        """The price of a call with so long a prompt."""
        return self.long if self.long and prompt_tokens > self.long_from else self

    def cost(self, usage: Usage) -> float:
        """USD of one call. Cached tokens are a part of the prompt's, thought ones of the completion's."""
        return self.at(usage.prompt_tokens)._cost(usage)

    def _cost(self, usage: Usage) -> float:
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        thought = min(usage.reasoning_tokens, usage.completion_tokens)
        return (
            (usage.prompt_tokens - cached) * self.prompt_usd
            + cached * (self.prompt_usd if self.cached_usd is None else self.cached_usd)
            + (usage.completion_tokens - thought) * self.completion_usd
            + thought * (self.completion_usd if self.reasoning_usd is None else self.reasoning_usd)
        )

    def highest(self) -> Price:
        """The most that a token of the prompt and of the completion can cost."""
        return Price(max(self.prompt_usd, self.cached_usd or 0.0), max(self.completion_usd, self.reasoning_usd or 0.0))


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which model answers and with which settings.

    name: LiteLLM style, ``provider/model`` (``vertex_ai/gemini-3.5-flash``, ``openai/gpt-5-mini``, ``simulated/primary``).
    params: universal names (see app.core.params); adapters translate them.
    api_base: base URL of an OpenAI-compatible server, else None. region: where the provider serves it, "" for the operator's
    setting. price: in place of the table's. vision: whether it sees images; None when nobody knows, or nobody asked.
    """

    name: str
    params: Mapping[str, Json] = field(default_factory=dict)
    api_base: str | None = None
    region: str = ""
    price: Price | None = None
    vision: bool | None = None


class Listener(Protocol):
    """Hears an answer while it comes, for whoever watches. Returns at once, never raises; may be called from any thread."""

    def begin(self) -> None:
        """The request is sent, perhaps for another time: what was heard before is no part of the answer."""
        ...

    def hear(self, text: str) -> None:
        """The next piece of the answer; thinking is not a part of it."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One model call. response_schema: JSON schema that the reply must follow where the provider can enforce it.

    listener: hears the answer piece by piece from an adapter that gets it so; it is no part of what is asked.
    """

    model: ModelRef
    messages: tuple[Message, ...]
    response_schema: Json = None
    listener: Listener | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered.

    text: the answer, possibly empty. cost_usd: None when no price is known (never 0 for unknown).
    ttft_s, ttlb_s: seconds from sending to the first and to the last delta of content or reasoning; of an answer that came as
    one, ttft_s is None and ttlb_s the time to its last byte. raw: the provider's body for the record.
    """

    text: str
    finish_reason: FinishReason
    usage: Usage
    cost_usd: float | None
    ttft_s: float | None
    ttlb_s: float
    served_model: str = ""
    raw: Json = None


class CallError(Exception):
    """A model call that gave no usable reply. The message is fit for a page: it holds no key and no header."""

    label: ClassVar[str] = "call_error"

    def __init__(self, message: str, *, maybe_paid: bool = False) -> None:
        super().__init__(message)
        self.maybe_paid = maybe_paid
        """True when the request was sent and the provider may have charged for it."""


class Transient(CallError):
    """Another try may succeed."""

    label = "transient"

    def __init__(self, message: str, *, retry_after: float | None = None, maybe_paid: bool = False) -> None:
        super().__init__(message, maybe_paid=maybe_paid)
        self.retry_after = retry_after
        """Seconds that the provider asked to wait, already parsed from whatever form it used; None when it said nothing."""


class RateLimited(Transient):
    """429."""

    label = "rate_limited"


class ServerFault(Transient):
    """5xx, or a body that is not what the protocol promises."""

    label = "server_fault"


class TimedOut(Transient):
    """No complete answer within the deadline; the provider may have been paid."""

    label = "timed_out"


class Unreachable(Transient):
    """No connection: refused, reset before an answer, DNS failure."""

    label = "unreachable"


class Permanent(CallError):
    """The same request will fail again, and so will every other one to this model."""

    label = "permanent"


class Unauthorized(Permanent):
    """401, 403, or no key at all."""

    label = "unauthorized"


class UnknownModel(Permanent):
    """The provider does not know this model, or no adapter speaks for its name."""

    label = "unknown_model"


class QuotaExhausted(Permanent):
    """No money or daily quota left."""

    label = "quota_exhausted"


class Rejected(CallError):
    """This request is wrong; others may be fine."""

    label = "rejected"


class ContentFiltered(CallError):
    """The provider's filter refused this input or output."""

    label = "content_filtered"


class LLM(Protocol):
    """One way to reach models. Implementations never retry: the desk is the only retry layer."""

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:
        """Send one request and wait for the whole reply.

        deadline_s: total seconds for the call, connection and slow drip included.
        Raises: a subclass of CallError, and nothing else, when the provider gives no usable reply.
        """
        ...

    def price(self, model: ModelRef) -> Price | None:
        """USD per token, or None when unknown. Never raises for an unknown model."""
        ...

    async def aclose(self) -> None:
        """Release connections and threads."""
        ...
