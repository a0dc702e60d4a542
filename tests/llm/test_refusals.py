"""What refusals mean, how long they ask to wait, and what is never repeated of them."""

from __future__ import annotations

import json
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.llm.failures import LONGEST_MESSAGE, Refusal, error_of, read_refusal, scrub
from app.llm.retry_after import LONGEST_S, duration, seconds_asked
from app.ports.llm import CallError, Transient

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"retry-after": "3"}, "", 3.0),
        ({"retry-after": " 0.25 "}, "", 0.25),
        ({"retry-after": formatdate(NOW + 90, usegmt=True)}, "", 90.0),
        ({"retry-after": formatdate(NOW - 90, usegmt=True)}, "", 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
        ({"x-ms-retry-after-ms": "20"}, "", 0.02),
        ({}, "Please try again in 1m2.5s.", 62.5),
        ({}, "Please try again in 350ms. Visit our page.", 0.35),
        ({}, "Please retry after 7 seconds.", 7.0),
        ({"retry-after": "31536000"}, "", LONGEST_S),
        ({"retry-after": "-5"}, "", None),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "1e9"}, "", None),
        ({"retry-after": "Fri, 99 Foo 2026 10:00:00 GMT"}, "", None),
        ({}, "It failed.", None),
    ],
)
def test_every_form_of_retry_after(headers: dict[str, str], message: str, seconds: float | None) -> None:
    assert seconds_asked(headers, message, now=NOW) == seconds


def test_durations() -> None:
    assert duration("12.5s") == 12.5
    assert duration("1h2m3s") == 3723.0 - 123.0  # capped at an hour
    assert duration("nothing") is None


@given(st.text(), st.text())
def test_no_header_is_too_strange(value: str, message: str) -> None:
    asked = seconds_asked({"retry-after": value, "retry-after-ms": value}, message)

    assert asked is None or 0 <= asked <= LONGEST_S


@pytest.mark.parametrize(
    ("status", "body", "label"),
    [
        (400, {"error": {"message": "Invalid value for temperature"}}, "rejected"),
        (400, {"error": {"code": "content_filter", "message": "no"}}, "content_filtered"),
        (400, {"error": {"message": "x", "innererror": {"code": "content_filter"}}}, "content_filtered"),
        (400, {"error": {"message": "API key not valid. Please pass a valid API key."}}, "unauthorized"),
        (400, {"error": {"message": "model 'x' not found, try pulling it first"}}, "unknown_model"),
        (400, {"type": "error", "error": {"message": "Your credit balance is too low"}}, "quota_exhausted"),
        (401, {"error": {"message": "who are you"}}, "unauthorized"),
        (402, {"error": {"message": "pay"}}, "quota_exhausted"),
        (403, {"error": {"message": "no"}}, "unauthorized"),
        (404, {"error": {"code": "DeploymentNotFound"}}, "unknown_model"),
        (404, "<html><body>Not here</body></html>", "unknown_model"),
        (405, "", "unknown_model"),
        (408, "", "timed_out"),
        (413, {"detail": "too large"}, "rejected"),
        (422, {"detail": [{"msg": "extra fields"}]}, "rejected"),
        (429, {"error": {"message": "slow down"}}, "rate_limited"),
        (429, {"error": {"type": "insufficient_quota"}}, "quota_exhausted"),
        (
            429,
            [{"error": {"message": "You exceeded your current quota", "status": "RESOURCE_EXHAUSTED"}}],
            "rate_limited",
        ),
        (500, {"error": "oops"}, "server_fault"),
        (503, "upstream connect error", "server_fault"),
        (529, {"error": {"type": "overloaded_error"}}, "server_fault"),
        (302, "", "unknown_model"),
    ],
)
def test_what_a_refusal_is_called(status: int, body: object, label: str) -> None:
    raw = body if isinstance(body, str) else json.dumps(body)

    assert error_of(read_refusal(status, {}, raw)).label == label


def test_a_gateway_that_gave_up_may_have_left_a_bill() -> None:
    assert error_of(Refusal(504)).maybe_paid
    assert error_of(Refusal(502)).maybe_paid
    assert not error_of(Refusal(500)).maybe_paid
    assert not error_of(Refusal(429)).maybe_paid


def test_the_wait_travels_with_the_error() -> None:
    error = error_of(read_refusal(429, {"retry-after": "4"}, b"{}"))

    assert isinstance(error, Transient)
    assert error.retry_after == 4


@given(st.integers(300, 599), st.binary(max_size=300))
def test_any_body_at_all_becomes_an_error(status: int, body: bytes) -> None:
    error = error_of(read_refusal(status, {}, body))

    assert isinstance(error, CallError)
    assert str(error).startswith(f"HTTP {status}")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["error", "message", "details", "code", "innererror", "violations"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_at_all_becomes_an_error(body: object) -> None:
    assert isinstance(error_of(read_refusal(400, {}, json.dumps(body))), CallError)


@pytest.mark.parametrize(
    "said",
    [
        "Incorrect API key provided: sk-proj-abcdefgh1234567890.",
        "key AIzaSyA1234567890abcdefg is bad",
        "Authorization: Bearer abc.def.ghi was refused",
        "POST https://host/v1?key=abcdef123456&alt=sse failed",
        "AKIAIOSFODNN7EXAMPLE",
        "gsk_1234567890abcdef",
    ],
)
def test_what_looks_like_a_key_is_not_repeated(said: str) -> None:
    cleaned = scrub(said)

    assert "***" in cleaned
    assert not any(part in cleaned for part in ("abcdef", "1234567890", "abc.def", "IOSFODNN7"))


def test_a_known_secret_is_not_repeated_whatever_it_looks_like() -> None:
    assert scrub("the password is hunter22!", ["hunter22"]) == "the password is ***!"


def test_messages_stay_short() -> None:
    assert len(scrub("word " * 1000)) == LONGEST_MESSAGE
