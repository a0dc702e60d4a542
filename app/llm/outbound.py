"""Where a request may go: judged by the address that a name leads to, when it is saved, at each connection, at each redirect.

    never           link-local addresses and those where clouds hand out credentials, multicast, reserved and unspecified ones
    only if listed  private addresses and this machine, by name, address or network, with a port if wanted
    otherwise       every public address

A name is judged by all that it resolves to, and what was judged is what is connected to, so that a name which changes its
mind between two looks gains nothing. ``Guard()`` lets nothing private through: it is the one for addresses that are found in
data, such as those of images. ``Guard.of(settings.private_hosts)`` is the one for model servers. An address of version 6 that
holds one of version 4 is judged as that.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from app.config.hosts import Address, Listed, listed

Resolve: TypeAlias = Callable[[str, int], list[str]]
"""The addresses of a host name. Raises: OSError when there are none."""

_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")))
"""Where Amazon (by IPv6), Alibaba and Oracle hand out a machine's credentials; the others use link-local addresses."""
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Forbidden(OSError):
    """The request must not go there; the message says why and is fit for a page."""


def resolved(host: str, port: int) -> list[str]:
    """What this machine's resolver says of a name. Raises: OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


@dataclass(frozen=True, slots=True)
class Guard:
    """The rule of one purpose. listed: what the operator allows besides public addresses. resolve: how names are looked up."""

    listed: tuple[Listed, ...] = ()
    resolve: Resolve = resolved

    @classmethod
    def of(cls, hosts: Iterable[str], resolve: Resolve = resolved) -> Guard:
        """A guard for hosts as an operator writes them (see app.config.hosts). Raises: ValueError."""
        return cls(tuple(listed(host) for host in hosts), resolve)

    def check(self, url: str) -> None:
        """Judge a URL without looking its name up: its form, and its address if it is one. Raises: Forbidden."""
        host, port = _place(url)
        if (address := _address(host)) is not None and (why := self._why_not(host, address, port)):
            raise Forbidden(why)

    def look_up(self, url: str) -> list[str]:
        """The addresses that a URL leads to and that may be connected to. Raises: Forbidden; OSError when it has none."""
        return self.allowed(*_place(url))

    def allowed(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to, never an empty list. Raises: Forbidden; OSError."""
        whys: list[str] = []
        good: list[str] = []
        for text in self.resolve(host, port):
            address = _address(text)
            why = self._why_not(host, address, port) if address else f"{text[:100]!r} is no address"
            (whys if why else good).append(why or text)
        if not good:
            raise Forbidden(whys[0] if whys else f"{host} has no address")
        return good

    def refuses(self, address: str, port: int) -> str:
        """Why an address must not be connected to; "" when it may."""
        found = _address(address)
        return self._why_not(address, found, port) if found else f"{address[:100]!r} is no address"

    def _why_not(self, host: str, address: Address, port: int) -> str:
        inside = _inner(address)
        host = _plain_name(host)
        leads = str(inside) if host in (str(address), str(inside)) else f"{host} leads to {inside}, which"
        if _never(inside):
            return f"{leads} is an address that no request may go to"
        if inside.is_global or any(one.covers(host, inside, port) for one in self.listed):
            return ""
        kind = "this machine" if inside.is_loopback else "a private network"
        return f"{leads} belongs to {kind}, which is not listed in private_hosts"


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
    first = _origin(url)
    for hop in range(hops + 1):
        guard.check(url)
        sent = headers if _origin(url) == first else None
        async with session.get(url, headers=sent, allow_redirects=False) as response:
            where = response.headers.get("Location")
            if response.status not in _REDIRECTS or not where or hop == hops:
                yield response
                return
            url = urljoin(url, where)


def forbidden(error: BaseException) -> Forbidden | None:
    """The guard's refusal inside an error of aiohttp, None when it has another cause."""
    inner = error if isinstance(error, Forbidden) else getattr(error, "os_error", None)
    return inner if isinstance(inner, Forbidden) else None


def connected(guard: Guard, url: str, timeout_s: float) -> None:
    """Make one TCP connection to where a URL leads, and close it. Raises: Forbidden; OSError when nothing answers."""
    _, port = _place(url)
    trouble = OSError("it has no address")
    for address in guard.look_up(url):
        try:
            socket.create_connection((address, port), timeout_s).close()
        except OSError as error:
            trouble = error
        else:
            return
    raise trouble


def _place(url: str) -> tuple[str, int]:
    parts = _parts(url)
    return _plain_name(parts.hostname or ""), parts.port or (443 if parts.scheme == "https" else 80)


def _origin(url: str) -> tuple[str, str, int]:
    return (_parts(url).scheme, *_place(url))


def _parts(url: str) -> SplitResult:
    """Raises: Forbidden for what is no plain web address."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise Forbidden(f"this is no web address: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Forbidden("a web address begins with http:// or https:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("a web address must hold no user name and no password")
    if _address(host) is None and host.replace(".", "").isdigit():
        raise Forbidden(f"{host[:100]} is a number; write the address as four numbers, as 192.0.2.7")
    return parts


def _plain_name(host: str) -> str:
    """A host name in the one form that is compared: lower case, ASCII, no dot at its end."""
    host = host.lower().rstrip(".")
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _inner(address: Address) -> Address:
    """The address of version 4 inside one of version 6, where there is one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address


def _never(address: Address) -> bool:
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.version == 6 and address.is_site_local)
        or (address.is_reserved and not address.is_loopback)
        or address in _METADATA
        or (address.version == 4 and address in _THIS_NETWORK)
    )
