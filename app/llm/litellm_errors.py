"""What LiteLLM's exceptions mean: the provider's own status and words are dug out from below LiteLLM's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from app.llm.failures import Refusal, error_of, lower, read_refusal, scrub
from app.llm.outbound import forbidden
from app.llm.sse import broken
from app.ports.llm import (
    CallError,
    ContentFiltered,
    Permanent,
    Rejected,
    ServerFault,
    TimedOut,
    UnknownModel,
    Unreachable,
)


def read(error: Exception, secrets: tuple[str, ...]) -> CallError:
    """The port's error for whatever LiteLLM raised."""
    if refusal_of_ours := next(filter(None, map(forbidden, chain(error))), None):
        return Permanent(f"api_base: {refusal_of_ours}")
    names = {type(one).__name__ for one in chain(error)}
    if names & {"ConnectError", "ConnectTimeout", "ClientConnectorError", "ClientConnectorDNSError"}:
        return Unreachable("no connection to the provider")
    if names & {"Timeout", "APITimeoutError", "ReadTimeout", "TimeoutError", "SocketTimeoutError"}:
        return TimedOut("no complete answer in time", maybe_paid=True)
    if names & {"ReadError", "RemoteProtocolError", "ServerDisconnectedError"} and not _had_begun(error):
        return Unreachable("the provider closed the connection before it answered", maybe_paid=True)
    if names & {"APIConnectionError", "ClientPayloadError"}:
        return broken("it was cut off or unreadable")
    if isinstance(error, ModuleNotFoundError):
        return UnknownModel(f"LiteLLM needs the package {error.name} for this provider")
    refusal = _refusal(error)
    if refusal is None:
        return ServerFault(scrub(f"{type(error).__name__}: {error}", secrets), maybe_paid=True)
    message = error_of(refusal, secrets)
    if "ContentPolicyViolationError" in names:
        return ContentFiltered(str(message))
    if "LiteLLMUnknownProvider" in names:
        return UnknownModel(str(message))
    return Rejected(str(message)) if names & {"ContextWindowExceededError", "UnsupportedParamsError"} else message


def _had_begun(error: Exception) -> bool:
    """Whether a part of the answer had already come."""
    return not getattr(error, "is_pre_first_chunk", True)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and everything that it was raised from, outermost first."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        inner = getattr(following, "original_exception", None)
        following = inner if isinstance(inner, BaseException) else following.__cause__ or following.__context__


def _refusal(error: Exception) -> Refusal | None:
    """What the provider said, from the innermost exception that knows a status."""
    told = [one for one in chain(error) if isinstance(getattr(one, "status_code", None), int)]
    if not told:
        return None
    status = int(getattr(told[-1], "status_code"))  # noqa: B009  # mypy knows no such attribute
    said = str(getattr(told[-1], "message", "") or told[-1])
    refusal = read_refusal(status, _headers(error), _body(said))
    return replace(refusal, sent_by_gateway=False)


def _headers(error: Exception) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in chain(error):
        for holder in (one, getattr(one, "response", None)):
            headers = getattr(holder, "headers", None)
            if headers is not None:
                with suppress(TypeError, ValueError, AttributeError):
                    found |= {name: value for name, value in lower(dict(headers)).items() if "retry-after" in name}
    return found


def _body(said: str) -> str:
    """The provider's JSON in LiteLLM's message, when there is one; LiteLLM prints bytes as Python does."""
    said = said.partition("Exception - ")[2] or said
    if said.startswith(("b'", 'b"')):
        with suppress(ValueError, SyntaxError):
            literal = ast.literal_eval(said)
            return bytes(literal).decode("utf-8", "replace")
    start, end = said.find("{"), said.rfind("}")
    return said[start : end + 1] if 0 <= start < end else said
