"""Prediction clients over REST, lent to one thread at a time: their HTTP sessions are not made for several."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.llm.outbound import Guard
from app.llm.outbound_requests import adapter_of

if TYPE_CHECKING:
    from google.cloud.aiplatform_v1.services.prediction_service import PredictionServiceClient

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
_PIECE = 65536


class Clients:
    """The clients of one adapter. environ: where GOOGLE_APPLICATION_CREDENTIALS is looked for. guard: where they may connect.

    Credentials are Google's Application Default Credentials; they are sent to googleapis.com and nowhere else.
    """

    def __init__(self, environ: Mapping[str, str], guard: Guard) -> None:
        self._environ = environ
        self._guard = guard
        self._lock = threading.Lock()
        self._idle: dict[str, list[PredictionServiceClient]] = defaultdict(list)
        self._credentials: Any = None
        self._closed = False

    @contextmanager
    def lent(self, host: str) -> Iterator[PredictionServiceClient]:
        """A client for a host (a base URL) that nobody else uses meanwhile."""
        with self._lock:
            client = self._idle[host].pop() if self._idle[host] else None
        client = client or self._make(host)
        try:
            yield client
        finally:
            self._take_back(host, client)

    def close(self) -> None:
        """Close what is idle now, and the rest as it comes back."""
        with self._lock:
            self._closed = True
            idle = [client for clients in self._idle.values() for client in clients]
            self._idle.clear()
        for client in idle:
            _close(client)

    def _take_back(self, host: str, client: PredictionServiceClient) -> None:
        with self._lock:
            if not self._closed:
                self._idle[host].append(client)
                return
        _close(client)

    def _make(self, host: str) -> PredictionServiceClient:
        from google.cloud.aiplatform_v1.services.prediction_service import PredictionServiceClient

        client = PredictionServiceClient(
            transport="rest", credentials=self.credentials_for(host), client_options={"api_endpoint": host}
        )
        # By default the stream is read byte by byte, which takes more time than all the rest of a call.
        transport: Any = client.transport
        transport._session.hooks["response"].append(_read_in_pieces)
        transport._session.max_redirects = 0
        if not _is_googles(host):
            transport._session.mount(host, adapter_of(self._guard))
        return client

    def credentials_for(self, host: str) -> Any:
        """Google's credentials for its own hosts, none for others. Raises: google.auth.exceptions.GoogleAuthError."""
        import google.auth
        from google.auth.credentials import AnonymousCredentials

        if not _is_googles(host):
            return AnonymousCredentials()  # type: ignore[no-untyped-call]
        with self._lock:
            if self._credentials is None:
                if file := self._environ.get(_FILE):
                    os.environ.setdefault(_FILE, file)  # which may have been named in .env only
                self._credentials, _ = google.auth.default(scopes=[SCOPE])
            return self._credentials


def _is_googles(host: str) -> bool:
    return (urlsplit(host).hostname or "").endswith(".googleapis.com")


def _close(client: PredictionServiceClient) -> None:
    transport: Any = client.transport
    transport.close()


def _read_in_pieces(response: Any, **_: Any) -> Any:
    one_by_one = response.iter_content

    def iter_content(chunk_size: int = 1, decode_unicode: bool = False) -> Any:
        return one_by_one(max(chunk_size, _PIECE), decode_unicode)

    response.iter_content = iter_content
    return response
