"""Static files under an address that changes with their content, so that browsers may keep them for ever."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, request, url_for

pages = Blueprint("assets", __name__, url_prefix="/assets")

FOLDER = Path(__file__).with_name("static")
_TEXT = {".css", ".js", ".svg", ".md"}


@cache
def version() -> str:
    """A short digest of every static file."""
    digest = hashlib.sha256()
    for path in sorted(p for p in FOLDER.rglob("*") if p.is_file()):
        digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:10]


def asset(path: str) -> str:
    """Address of a static file."""
    return url_for("assets.file", version=version(), path=path)


@dataclass(frozen=True)
class _Asset:
    content: bytes
    packed: bytes | None
    kind: str


@cache
def _load(path: str) -> _Asset:
    content = (FOLDER / path).read_bytes()
    packed = gzip.compress(content, 9, mtime=0) if Path(path).suffix in _TEXT else None
    kind = "text/javascript" if path.endswith(".js") else mimetypes.guess_type(path)[0]
    return _Asset(content, packed, kind or "application/octet-stream")


@cache
def _names() -> frozenset[str]:
    return frozenset(p.relative_to(FOLDER).as_posix() for p in FOLDER.rglob("*") if p.is_file())


@pages.get("/<version>/<path:path>")
def file(version: str, path: str) -> Response:
    """A static file; the version only serves to change the address."""
    del version
    if path not in _names():
        abort(404)
    found = _load(path)
    packed = found.packed if "gzip" in request.headers.get("Accept-Encoding", "") else None
    response = Response(packed or found.content, mimetype=found.kind)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
