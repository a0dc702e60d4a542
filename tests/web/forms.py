"""What a browser without scripts does: open a page, fill its form, send it with its CSRF mark."""

from __future__ import annotations

import html
import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

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
