"""The outbound guard for clients that go through requests: the address is judged once connected, before anything is sent."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from app.llm.outbound import Forbidden, Guard

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter


def adapter_of(guard: Guard) -> HTTPAdapter:
    """A transport adapter that connects only where the guard allows it; else requests.ConnectionError, caused by Forbidden."""
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _judged(super()._new_conn(), guard, self.host, self.port or 80)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _judged(super()._new_conn(), guard, self.host, self.port or 443)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    class Guarded(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **options: Any) -> None:
            super().init_poolmanager(*args, **options)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    return Guarded()


def _judged(connection: socket.socket, guard: Guard, host: str, port: int) -> socket.socket:
    peer = str(connection.getpeername()[0])
    if why := guard.refuses(peer, port, host):
        connection.close()
        raise Forbidden(why)
    return connection
