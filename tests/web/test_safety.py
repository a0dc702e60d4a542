"""What every answer carries, and what no request can break."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.seed import Seeded

BAD_IDS = [
    "nope",
    "0",
    "-1",
    "r0finished%00",
    "%F0%9F%92%A5",
    "a" * 300,
    "..%2F..%2Fetc",
    "' OR 1=1 --",
    "99999999999999999999",
]
BAD_VALUES = ["-1", "9" * 23, b"\0<script>\xed\xa0\x80"]
NAMES = ["after", "before", "show", "status", "search", "split", "a", "view"]


@pytest.mark.parametrize("path", ["/", "/runs", "/nowhere", "/healthz", "/assets/x/css/base.css"])
def test_every_answer_is_protected(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_pages_hold_nothing_inline(client: FlaskClient, seeded: Seeded) -> None:
    for path in ("/", "/runs", "/runs/r0finished", "/runs/r1running", "/compare?a=r0finished:0&b=r0finished"):
        page = client.get(path).get_data(as_text=True)
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|hx-on", page), path


def test_the_session_cookie_is_for_us_alone(client: FlaskClient) -> None:
    cookie = client.get("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("LOCALHOST", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("[::2]", 400),
    ],
)
def test_only_allowed_host_names_are_served(client: FlaskClient, host: str, status: int) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == status


def test_a_form_without_its_mark_is_refused_calmly(client: FlaskClient, seeded: Seeded) -> None:
    answer = client.post("/runs/r1running/pause")
    assert answer.status_code == 400
    assert "The form is out of date" in answer.get_data(as_text=True)


def test_unknown_addresses_and_methods_say_what_to_do(client: FlaskClient) -> None:
    assert "There is nothing here" in client.get("/nowhere").get_data(as_text=True)
    assert client.get("/nowhere").status_code == 404
    refused = client.put("/runs", headers={"X-CSRFToken": "x"})
    assert refused.status_code in {400, 405}


def test_a_part_of_a_page_gets_a_notice_instead_of_a_page(client: FlaskClient) -> None:
    answer = client.get("/runs/nope", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert answer.headers["HX-Retarget"] == "#notices"
    assert "<html" not in answer.get_data(as_text=True)


def test_an_upload_over_the_limit_is_refused_with_the_limit(app: Flask, post: Callable[..., TestResponse]) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 1000
    answer = post("/runs/x/rename", {"name": "a" * 2000})
    assert answer.status_code == 413
    assert "200 MB" in answer.get_data(as_text=True)


def _readable(app: Flask) -> list[str]:
    return sorted({rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())})


@pytest.mark.parametrize("bad", BAD_IDS)
def test_no_identifier_breaks_a_page(app: Flask, client: FlaskClient, seeded: Seeded, bad: str) -> None:
    for rule in _readable(app):
        path = re.sub(r"<[^>]+>", bad, rule)
        assert client.get(path).status_code < 500, path


@pytest.mark.parametrize("bad", BAD_VALUES)
def test_no_value_in_the_address_breaks_a_page(
    app: Flask, client: FlaskClient, seeded: Seeded, bad: str | bytes
) -> None:
    for rule in _readable(app):
        if rule.endswith("/events"):
            continue
        path = re.sub(r"<[^>]*run_id>", "r0finished", rule)
        path = re.sub(r"<[^>]+>", "1", path)
        for name in NAMES:
            assert client.get(path, query_string={name: bad}).status_code < 500, (path, name)


def test_health_and_readiness(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.get_json()["database"] == "ok"
    assert ready.get_json()["status"] == "degraded"
    assert "does not answer" in ready.get_json()["redis"]


def test_static_files_are_kept_by_the_browser_and_packed(client: FlaskClient) -> None:
    page = client.get("/").get_data(as_text=True)
    address = re.search(r'href="(/assets/\w+/css/base\.css)"', page)
    assert address
    plain = client.get(address[1])
    packed = client.get(address[1], headers={"Accept-Encoding": "gzip"})
    assert "immutable" in plain.headers["Cache-Control"]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data) / 2
    assert client.get("/assets/x/../../__init__.py").status_code == 404
    assert client.get("/assets/x/vendor/htmx.min.js").mimetype == "text/javascript"
