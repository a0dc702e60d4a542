"""What an adapter finds around it: the environment, the keys that were entered, where requests may go, the operator's cloud."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.request import getproxies

from app.config import Settings
from app.llm.keyring import EMPTY, Keyring
from app.llm.known import KNOWN
from app.llm.outbound import THIS_MACHINE, Guard, Resolve, guard_of, resolved


@dataclass(frozen=True, slots=True)
class Around:
    """environ: where keys and base URLs are looked for. project, location: of Google Cloud, by the settings."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    keys: Keyring = EMPTY
    guard: Guard = field(default_factory=lambda: Guard.of(THIS_MACHINE))
    project: str = ""
    location: str = "global"

    @classmethod
    def of(
        cls, settings: Settings, environ: Mapping[str, str], keys: Keyring = EMPTY, resolve: Resolve = resolved
    ) -> Around:
        """What the settings and the environment come to. Bases of the environment and proxies are the operator's own."""
        named = [environ[name] for known in KNOWN.values() for name in known.bases if environ.get(name)]
        guard = guard_of(settings.private_hosts, [*named, *getproxies().values()], resolve)
        return cls(environ, keys, guard, settings.project_id, settings.location)
