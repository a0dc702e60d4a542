"""How the operator writes down which machines on private addresses may be reached: names, addresses, networks."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_RULE = "must be a host name, an address or a network, with :port if only that port is meant"


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry: a network (an address is the smallest one) or a name. port: the only one that is meant, None for all."""

    network: Network | None = None
    name: str = ""
    port: int | None = None

    def covers(self, host: str, address: Address, port: int) -> bool:
        """Whether it names the host (as somebody wrote it, in lower case) or the address that was found for it."""
        if self.port is not None and self.port != port:
            return False
        if self.network is None:
            return host == self.name
        return address.version == self.network.version and address in self.network


def listed(text: str) -> Listed:
    """An entry such as ``gpu.internal``, ``gpu.internal:8000``, ``10.0.0.5``, ``10.1.0.0/16`` or ``[fd00::5]:8000``.

    Raises: ValueError saying what is wrong with it.
    """
    text = text.strip().lower()
    whole = _network(text.removeprefix("[").removesuffix("]"))
    if whole is not None:
        return Listed(whole)
    host, colon, port = text.rpartition(":")
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{text!r} {_RULE}")
    number = int(port) if colon else None
    host = host if colon else text
    if (network := _network(host.removeprefix("[").removesuffix("]"))) is not None:
        return Listed(network, port=number)
    name = host.rstrip(".")
    if not name or any(not part or not part.replace("-", "").replace("_", "").isalnum() for part in name.split(".")):
        raise ValueError(f"{text!r} {_RULE}")
    return Listed(name=name, port=number)


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
