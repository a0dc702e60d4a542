"""What a browser without scripts does: open a page, fill its form, send it with its CSRF mark."""

from __future__ import annotations

import html
import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

ROWS = "\n".join(f"question {n},{'yes' if n % 3 else 'no'}" for n in range(60))
FORM: dict[str, Any] = {
    "dataset": "mine",
    "system_prompt": "Answer yes or no.\r\nNothing else.",
    "output_prompt": "",
    "primary_model": "simulated/primary",
    "optimizer_model": "simulated/optimizer",
    "scorer-0": "exact_match",
    "scorer-0-of": "exact_match",
    "scorer-0-strip": "1",
    "split": "60/20/20",
    "strategy": "auto",
    "acceptance": "improvement",
    "epochs": "3",
}
"""A training that can start, on the dataset "mine" of ROWS; tests change a field of it."""

_MARK = re.compile(r'name="csrf_token" value="([^"]+)"')
_ERROR = re.compile(r'<p class="error" id="([\w-]+)-error">(.*?)</p>', re.DOTALL)


def mark(client: FlaskClient, page: str = "/prompts/new") -> str:
    """A CSRF mark of this client's session, from a page that has a form."""
    found = _MARK.search(client.get(page).text)
    assert found is not None, f"{page} has no form"
    return found[1]


def post(client: FlaskClient, address: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
    """Send a form."""
    return client.post(address, data={"csrf_token": mark(client), **(data or {})}, **more)


def errors(response: TestResponse) -> dict[str, str]:
    """The messages that stand beside fields, by the field's id."""
    return {name: html.unescape(text) for name, text in _ERROR.findall(response.text)}
