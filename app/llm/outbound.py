"""Where a request may go: judged by the address that a name leads to, when it is saved, at each connection, at each redirect.

    never           link-local addresses and those where clouds hand out credentials, multicast, reserved and unspecified ones
    only if listed  private addresses and this machine, by name, address or network, with a port if wanted
    otherwise       every public address

A name is judged by all that it resolves to, and what was judged is what is connected to, so that a name which changes its
mind between two looks gains nothing. ``Guard()`` lets nothing private through: it is the one for addresses that are found in
data, such as those of images. ``Guard.of(settings.private_hosts)`` is the one for model servers. An address of version 6 that
holds one of version 4 is judged as that. How clients obey it: outbound_aiohttp, outbound_requests.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from app.config.hosts import Address, Listed, listed

Resolve: TypeAlias = Callable[[str, int], list[str]]
"""The addresses of a host name. Raises: OSError when there are none."""

THIS_MACHINE = ("127.0.0.0/8", "::1")
"""What a list of private hosts holds at least, so that a server on this machine needs no setting."""

_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")))
"""Where Amazon (by IPv6), Alibaba and Oracle hand out a machine's credentials; the others use link-local addresses."""
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


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

    def refuses(self, address: str, port: int, host: str = "") -> str:
        """Why an address must not be connected to; "" when it may. host: the name that led to it."""
        found = _address(address)
        return self._why_not(host or address, found, port) if found else f"{address[:100]!r} is no address"

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


def guard_of(hosts: Iterable[str], bases: Iterable[str] = (), resolve: Resolve = resolved) -> Guard:
    """The guard for model servers. hosts: of the operator's list. bases: URLs that the operator named otherwise (as a
    provider's base in the environment, or a proxy); their hosts may be private too, at their port.
    """
    named = []
    for base in bases:
        with suppress(Forbidden, ValueError):
            host, port = _place(base)
            named.append(listed(f"[{host}]:{port}" if ":" in host else f"{host}:{port}"))
    return Guard((*map(listed, hosts), *named), resolve)


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
