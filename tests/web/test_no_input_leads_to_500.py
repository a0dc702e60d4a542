"""Whatever is sent to whatever address, the answer is never an unhandled error, and every text is shown as text."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from urllib.parse import quote_from_bytes

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.forms import mark
from tests.web.seed import Seeded

LONE_SURROGATE = b"\xed\xa0\x80"
HOSTILE = [
    b"",
    b"\0",
    LONE_SURROGATE,
    b"\xff\xfe",
    b"-1",
    b"9" * 40,
    b"1e309",
    b"nan",
    "²".encode(),
    b"../../etc/passwd",
    b"\r\nX-Evil: 1",
    b"<script>alert(1)</script>",
    b"{{input}}{{7*7}}",
    b"=cmd|' /C calc'!A0",
    b"%s%n",
    b"[]",
    b'{"a":' * 2000,
    b"regex:pattern=(",
]
NAMES = (
    "after",
    "before",
    "show",
    "status",
    "search",
    "split",
    "seed",
    "a",
    "b",
    "view",
    "from",
    "kind",
    "limit",
    "format",
    "days",
    "sign",
    "state",
    "last",
    "names",
    "against",
    "dataset",
)
SOUND = {
    "run_id": "r0finished",
    "name": "state",
    "format": "csv",
    "token": "0" * 32,
    "label": "production",
    "version": "x",
    "path": "css/base.css",
}
"""What stands for a part of an address while another one is tried; 1 for the rest."""
PAGES = (
    "/prompts/new",
    "/prompts/new?kind=chat",
    "/prompts/import",
    "/prompts/1",
    "/prompts/1/edit",
    "/prompts/1/about",
    "/datasets",
    "/datasets/1",
    "/datasets/1/labels?state=all",
    "/runs/r0finished/rejudge",
    "/runs/r0finished/settings",
    "/trainings/new",
    "/benchmarks/new",
    "/benchmarks/reviews/edit",
    "/playground",
)
"""Pages whose forms are tried, field by field."""
FIELDS = (
    "dataset", "prompt", "system_prompt", "primary_model", "api_base", "temperature", "scorer", "strategy", "alpha",
    "epochs", "split", "seed", "conflicts", "target_rpm", "cache", "on_uncertain", "budget_usd", "budget_calls",
    "budget_minutes", "instructions", "name", "unknown",
)  # fmt: skip
VALUES: list[object] = [None, True, -1, 10**400, float("nan"), "\0\ud800", "x" * 300, [], {}, [{}], ["regex:pattern=("]]
BODIES = [
    b"",
    b"\xff",
    b"null",
    b"[" * 100_000,
    b'{"a":1e999}',
    b'{"system_prompt":"\\ud800\\u0000"}',
    b'{"messages":[[]]}',
]
FILES = [
    b"",
    b"\0" * 50,
    b"\xff\xfei\0n",
    b"input,answer\n",
    b'input,answer\n"a,b\n',
    b"input,answer\n<script>,=1+1\nb,c\n",
    b'{"input":"\\ud800","answer":"\\u0000","\\udfff":1}\n' * 2,
    b'{"a":' * 50_000,
    b'{"format":"whetstone-prompt/1","name":{},"kind":[],"tags":5}',
]


class Forms(HTMLParser):
    """The forms of a page: (action, values by field), as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.found.append((given.get("action") or "" if given.get("method") == "post" else "", {}))
        elif self.found and tag in {"input", "select", "textarea", "button"} and given.get("name"):
            self.found[-1][1][str(given["name"])] = given.get("value") or ""


class Walker:
    """Sends requests and remembers which of them were not handled."""

    def __init__(self, app: Flask) -> None:
        self.app, self.client = app, app.test_client()
        self.mark = mark(self.client)
        self.sent, self.failed = 0, list[str]()

    def send(self, method: str, path: str, **options: object) -> int:
        answer = self.client.open(path, method=method, **options)  # type: ignore[arg-type]
        if answer.mimetype == "text/event-stream":
            next(iter(answer.response), None)
        else:
            answer.get_data()
        answer.close()
        self.sent += 1
        if answer.status_code >= 500 or "X-Evil" in answer.headers:
            self.failed.append(f"{answer.status_code} {method} {path[:200]} {str(options)[:300]}")
        return answer.status_code

    def post(self, path: str, values: Mapping[str, object]) -> int:
        return self.send("POST", path, data={"csrf_token": self.mark, **values})

    def routes(self) -> Iterator[tuple[str, str]]:
        """Method and rule of everything that is served."""
        for rule in self.app.url_map.iter_rules():
            yield from ((method, rule.rule) for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}))


def addresses(rule: str, pieces: list[bytes]) -> Iterator[str]:
    """The rule with each of its parts replaced by each piece while the others are sound."""
    for target in re.findall(r"<(?:\w+:)?(\w+)>", rule):
        for piece in pieces:
            said = quote_from_bytes(piece, safe="")
            yield re.sub(r"<(?:\w+:)?(\w+)>", lambda m: said if m[1] == target else SOUND.get(m[1], "1"), rule)  # noqa: B023


def sound(rule: str) -> str:
    """The rule with something that exists in every part."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda m: SOUND.get(m[1], "1"), rule)


@pytest.fixture
def walker(app: Flask, seeded: Seeded) -> Iterator[Walker]:
    """A walker over pages and API of a seeded application."""
    walker = Walker(app)
    yield walker
    assert walker.sent > 100
    assert not walker.failed, "\n".join(walker.failed[:20])


def test_no_part_of_an_address(walker: Walker) -> None:
    for method, rule in walker.routes():
        for address in addresses(rule, HOSTILE[1:]):
            walker.send(method, address, headers={"X-CSRFToken": walker.mark})


def test_no_value_in_an_address(walker: Walker) -> None:
    for method, rule in walker.routes():
        if method == "GET" and not rule.startswith("/assets"):
            for value in HOSTILE[1:9:2]:
                said = quote_from_bytes(value)
                walker.send("GET", sound(rule) + "?" + "&".join(f"{name}={said}" for name in NAMES))
            # A few at a time: what is refused for one of them says nothing about the rest.
            for first in range(0, len(NAMES), 5):
                walker.send(
                    "GET", sound(rule) + "?" + "&".join(f"{name}=%00%ff-1" for name in NAMES[first : first + 5])
                )


def test_no_header_and_no_content_type(walker: Walker) -> None:
    bodies = (
        ("application/json", b"{"),
        ("multipart/form-data", b"junk"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a'),
        ("application/x-www-form-urlencoded", b"%ff=%fe&name=%ff%00&base=%d9%a1&do=up-%c2%b2"),
        ("text/plain; charset=none", b"\xff"),
    )
    strange = ({"Last-Event-ID": "9" * 40}, {"Range": "bytes=5-,-3"}, {"Cookie": "whetstone=\xff;;=;"}, {"Host": ""})
    for method, rule in walker.routes():
        if method == "GET":
            for headers in strange:
                walker.send("GET", sound(rule), headers=headers)
            continue
        if method != "DELETE" and not rule.endswith("/delete"):
            assert walker.send(method, sound(rule), data=b"a=1") in {400, 404, 415, 422}, (method, rule)
            for kind, body in bodies:
                walker.send(method, sound(rule), data=body, headers={"X-CSRFToken": walker.mark, "Content-Type": kind})


def test_no_field_of_a_form(walker: Walker) -> None:
    for page in PAGES:
        for action, fields in Forms(walker.client.get(page).text).found:
            if not action or action.endswith("/delete"):
                continue
            names = [name for name in fields if name != "csrf_token"]
            for value in HOSTILE:
                walker.post(action, dict.fromkeys(names, value))
            for name in names:
                walker.post(
                    action, fields | {"csrf_token": walker.mark, name: b"<script>{{x}}" + LONE_SURROGATE + b"\0"}
                )
            if names:
                walker.post(action, fields | {"csrf_token": walker.mark, names[-1]: "x" * 5_000_000})


def test_no_file(walker: Walker) -> None:
    for name in ("../../x.jsonl", "", "a\0<b>.csv", "x" * 3000):
        for content in FILES:
            upload = {"csrf_token": walker.mark, "file": (io.BytesIO(content), name)}
            kept = walker.client.post("/datasets/new", data=upload).headers.get("Location")
            if kept:
                walker.send("GET", kept)
                walker.post(kept, {"do": "import", "input_column": "input", "answer_column": "answer", "name": ""})
            walker.send("POST", "/api/v1/datasets", data={"file": (io.BytesIO(content), name)})
            walker.post("/prompts/import", {"file": (io.BytesIO(content), name)})


def test_no_json(walker: Walker) -> None:
    start = {
        "dataset": "1", "system_prompt": "a", "primary_model": "simulated/primary", "optimizer_model": "simulated/optimizer"
    }  # fmt: skip
    for field in FIELDS:
        for value in VALUES:
            for path in ("/api/v1/trainings/estimate", "/api/v1/trainings"):
                walker.send("POST", path, data=json.dumps({**start, field: value}), content_type="application/json")
    for method, rule in walker.routes():
        if rule.startswith("/api") and method in {"POST", "PUT"}:
            for body in BODIES:
                walker.send(method, sound(rule), data=body, content_type="application/json")
    started = walker.client.get("/api/v1/runs?limit=500").get_json()["items"]
    for run in started[:30]:
        for part in ("", "/settings", "/report.html"):
            walker.send("GET", f"/runs/{run['id']}{part}")
        walker.send("GET", f"/trainings/new?from={run['id']}")


def test_markup_in_every_text_is_shown_as_text(client: FlaskClient, app: Flask, seeded: Seeded) -> None:
    evil = "<img src=x onerror=alert(1)>"
    values = {"system_prompt": evil, "output_prompt": evil, "description": evil, "category": evil, "tags": evil}
    client.post("/prompts/new", data={"csrf_token": mark(client), "name": "evil", **values})
    client.post("/runs/r0finished/rename", data={"csrf_token": mark(client), "name": evil})
    rows = f"input,answer\n{evil},{evil}\nb,{evil}2\n".encode()
    kept = client.post("/datasets/new", data={"csrf_token": mark(client), "file": (io.BytesIO(rows), "e.csv")}).location
    client.post(kept, data={"csrf_token": mark(client), "do": "import", "name": evil})
    pages = ["/prompts", "/prompts/2", "/prompts/2/edit", "/prompts/2/versions/1", "/datasets", "/datasets/2", "/runs"]
    for page in [*pages, "/", "/compare", "/trainings/new", "/runs/r0finished", "/runs/r0finished/report.html"]:
        shown = client.get(page).text
        assert "<img src=x" not in shown, page
        assert "&lt;img src=x" in shown, page
