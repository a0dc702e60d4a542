"""Keys that were entered here, each bound to the one address (scheme, host and port) that it may be sent to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> str:
    """Scheme, host and port of a URL, in one form, as ``https://api.openai.com:443``; "" for what is no URL."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return ""
    host = (parts.hostname or "").rstrip(".")
    if not host or port is None:
        return ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


@dataclass(frozen=True, slots=True)
class Bound:
    """A provider's key and the origin that it was entered for."""

    origin: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """servers: keys of servers of one's own, by origin. providers: keys of providers that are known by name."""

    servers: Mapping[str, str] = field(default_factory=dict, repr=False)
    providers: Mapping[str, Bound] = field(default_factory=dict, repr=False)

    def of_server(self, base: str) -> str:
        """The key that was entered with the server at this address, "" without one."""
        return self.servers.get(origin(base), "")

    def of_provider(self, name: str, base: str) -> str:
        """The key that was entered for a provider, if it is the provider's address that the call goes to; else ""."""
        bound = self.providers.get(name)
        return bound.key if bound and bound.origin == origin(base) else ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """All keys, for whoever has to keep them out of a text."""
        return (*self.servers.values(), *(bound.key for bound in self.providers.values()))


EMPTY = Keyring()
