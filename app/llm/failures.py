"""What a provider's refusal means: from status, code and words to the error tree of app.ports.llm, without any secret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.llm.retry_after import duration, seconds_asked
from app.ports.llm import (
    CallError,
    ContentFiltered,
    QuotaExhausted,
    RateLimited,
    Rejected,
    ServerFault,
    TimedOut,
    Transient,
    Unauthorized,
    UnknownModel,
)

LONGEST_MESSAGE = 400
_KEY_LIKE = re.compile(
    r"(?:sk|pk|rk|gsk|xai|hf|ya29|key)[-_.][\w.*-]{8,}|AIza[\w-]{10,}|AKIA[A-Z0-9]{12,}|(?<=Bearer )\S+|(?<=[?&]key=)[^&\s]+"
)
_FILTERED = re.compile(
    r"content[_ ]filter|content_policy|content management policy|safety system|moderation", re.IGNORECASE
)
_NO_MONEY = re.compile(
    r"insufficient_quota|billing_hard_limit|insufficient (?:balance|credits?|funds)|credit balance is too low"
    r"|payment required|PerDay",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model_not_found|DeploymentNotFound|no such model|unknown model"
    r"|model\b.{0,80}\b(?:not found|does not exist|not exist|is not available)",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(r"invalid_api_key|API_KEY_INVALID|api key not valid|invalid api key", re.IGNORECASE)


_QUOTA_NAMES = ("quotaId", "quotaMetric", "quota_limit", "quota_metric", "subject")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no answer. code: the provider's own words for the kind of error (code, type, status, reason)."""

    status: int
    code: str = ""
    message: str = ""
    param: str = ""
    retry_after: float | None = None
    sent_by_gateway: bool = False
    quota: str = ""
    """Which quota of Google's is used up, "" when it did not say."""

    @property
    def words(self) -> str:
        """Everything that the provider said."""
        return f"{self.code} {self.param} {self.message}"


def read_refusal(status: int, headers: Mapping[str, str], body: bytes | str) -> Refusal:
    """Read an error response, whatever it looks like: OpenAI's, Azure's, Google's, FastAPI's JSON, HTML or plain words.

    headers: names in lower case.
    """
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    first = parsed[0] if isinstance(parsed, list) and parsed else parsed  # Google streams its errors as a list
    error = first.get("error", first) if isinstance(first, dict) else {}
    if not isinstance(error, dict):
        error = {"message": error}
    message = str(error.get("message") or error.get("detail") or (parsed is None and _words_of(text)) or "")
    asked = seconds_asked(headers, message)
    return Refusal(
        status,
        " ".join(str(code) for code in _codes(error) if code),
        message,
        str(error.get("param") or ""),
        _delay_in_details(error) if asked is None else asked,
        sent_by_gateway=parsed is None,
        quota=_quota(error),
    )


def _codes(error: Mapping[str, Any]) -> Iterator[object]:
    yield from (error.get(name) for name in ("code", "type", "status"))
    inner = error.get("innererror")
    yield inner.get("code") if isinstance(inner, dict) else None
    for detail in _details(error):
        yield detail.get("reason")
        violations = detail.get("violations")
        if isinstance(violations, list):
            yield from (violation.get("quotaId") for violation in violations if isinstance(violation, dict))


def _quota(error: Mapping[str, Any]) -> str:
    """The name of the quota in Google's QuotaFailure or ErrorInfo, with its size where that is told."""
    for detail in _details(error):
        violations = detail.get("violations")
        told = [one for one in violations if isinstance(one, dict)] if isinstance(violations, list) else []
        metadata = detail.get("metadata")
        told += [metadata] if isinstance(metadata, dict) else []
        for one in told:
            name = next((one[key] for key in _QUOTA_NAMES if isinstance(one.get(key), str) and one[key]), "")
            size = one.get("quotaValue") or one.get("quota_limit_value")
            if name:
                return f"{name}, {size}" if size else str(name)
    return ""


def _delay_in_details(error: Mapping[str, Any]) -> float | None:
    """Google's RetryInfo."""
    delays = [str(detail["retryDelay"]) for detail in _details(error) if "retryDelay" in detail]
    return duration(delays[0]) if delays else None


def _details(error: Mapping[str, Any]) -> list[dict[str, Any]]:
    details = error.get("details")
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _words_of(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def error_of(refusal: Refusal, secrets: Iterable[str] = (), hint: str = "") -> CallError:
    """The error that a refusal stands for. hint: a sentence added when the key was refused."""
    message = describe(refusal, secrets)
    status, words = refusal.status, refusal.words
    if status == 402 or (status in (400, 403, 429) and _NO_MONEY.search(words)):
        return QuotaExhausted(message)
    if status in (401, 403) or (status == 400 and _BAD_KEY.search(words)):
        return Unauthorized(f"{message} {hint}".strip())
    if status == 429:
        return RateLimited(message, retry_after=refusal.retry_after)
    if status >= 500 or status in (408, 409, 425):
        return _transient(refusal, message)
    if status < 400 or status in (404, 405, 410) or _NO_MODEL.search(words):
        return UnknownModel(message)
    return (ContentFiltered if _FILTERED.search(words) else Rejected)(message)


def _transient(refusal: Refusal, message: str) -> Transient:
    if refusal.status == 408:
        return TimedOut(message, retry_after=refusal.retry_after)
    # A gateway that gave up may stand before a model that did not.
    unsure = refusal.status in (502, 504) or (refusal.status == 500 and refusal.sent_by_gateway)
    return ServerFault(message, retry_after=refusal.retry_after, maybe_paid=unsure)


def describe(refusal: Refusal, secrets: Iterable[str] = ()) -> str:
    """A refusal in one sentence that is fit for a page."""
    said = scrub(refusal.message or refusal.code, secrets) or "no reason given"
    if 300 <= refusal.status < 400:
        return f"HTTP {refusal.status}: the address redirects; give the address that it leads to"
    named = refusal.quota and refusal.quota.split(",")[0] not in said
    quota = f" (quota {scrub(refusal.quota, secrets)})" if named else ""
    return f"HTTP {refusal.status}: {said}{quota}"


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without secrets and without what looks like a key, cut to 400 characters."""
    for secret in sorted((s for s in secrets if len(s) >= 4), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = " ".join(_KEY_LIKE.sub("***", text).split())
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"


def lower(headers: Mapping[Any, Any]) -> dict[str, str]:
    """Headers with names in lower case."""
    return {str(name).lower(): str(value) for name, value in headers.items()}
