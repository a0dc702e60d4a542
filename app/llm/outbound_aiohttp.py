"""The outbound guard for aiohttp: what a name leads to is judged, and only what was judged is connected to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from app.llm.keyring import origin
from app.llm.outbound import Forbidden, Guard

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def connector(guard: Guard, **options: Any) -> aiohttp.TCPConnector:
    """A connector that connects only where the guard allows it; every other attempt fails with Forbidden as its cause."""
    keeper = _Doorkeeper(guard)
    return aiohttp.TCPConnector(resolver=keeper, socket_factory=keeper.open, **options)


class _Doorkeeper(AbstractResolver):
    """Looks names up for a connector and opens its sockets, the only two ways by which it comes to an address."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._vouched: set[tuple[str, int]] = set()
        """What a listed name led to: its address alone need not be listed."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """See AbstractResolver; all addresses are judged already."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(None, self._guard.allowed, host, port)
        self._vouched.update((address, port) for address in found)
        results = (_result(host, address, port) for address in found)
        return [one for one in results if family in (socket.AF_UNSPEC, one["family"])]

    async def close(self) -> None:
        """See AbstractResolver; nothing is held."""

    def open(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for an address, right before it is connected. Raises: Forbidden."""
        family, kind, protocol, _, place = info
        address, port = str(place[0]), int(place[1])
        if (address, port) not in self._vouched and (why := self._guard.refuses(address, port)):
            raise Forbidden(why)
        return socket.socket(family, kind, protocol)


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return {
        "hostname": host,
        "host": address,
        "port": port,
        "family": family,
        "proto": 0,
        "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    }


@asynccontextmanager
async def get(
    session: aiohttp.ClientSession, guard: Guard, url: str, *, headers: Mapping[str, str] | None = None, hops: int = 0
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The response to a GET, after at most ``hops`` redirects, each judged like the first address.

    session: made with ``connector(guard)``. headers: go no further than to the host that was asked first.
    Raises: Forbidden, also inside aiohttp's own errors (see ``forbidden``); what aiohttp raises.
    """
    first = origin(url)
    for hop in range(hops + 1):
        guard.check(url)
        sent = headers if origin(url) == first else None
        async with session.get(url, headers=sent, allow_redirects=False) as response:
            where = response.headers.get("Location")
            if response.status not in _REDIRECTS or not where or hop == hops:
                yield response
                return
            url = urljoin(url, where)
