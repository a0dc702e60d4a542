"""Headers that keep a page from running, loading or being framed by anything but ourselves."""

from __future__ import annotations

import re

from flask import Flask, Response, request
from werkzeug.exceptions import SecurityError

from app.config import Settings

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def protect(app: Flask, settings: Settings) -> None:
    """Answer only to the allowed host names, and send the headers with every response; pages are never kept by caches."""
    allowed = frozenset(name.lower() for name in settings.allowed_hosts)

    @app.before_request
    def check_host() -> None:
        if not _is_allowed(request.host, allowed):
            raise SecurityError("This host name is not served here.")

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store" if response.mimetype == "text/html" else "no-cache")
        return response


def _is_allowed(host: str, allowed: frozenset[str]) -> bool:
    """True when the name without its port is on the list; an entry ".example.org" stands for every name below it."""
    name = (host if host.endswith("]") else re.sub(r":\d*$", "", host)).lower()
    return name in allowed or any(name.endswith(entry) for entry in allowed if entry.startswith("."))
