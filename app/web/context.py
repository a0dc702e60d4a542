"""What every page may reach: the settings, and the way to hand a run to a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app
from sqlalchemy import Engine

from app import wiring
from app.config import Settings
from app.llm.gateway import Gateway
from app.llm.keyring import Keyring
from app.ports.scoring import Tools
from app.services.access import Target
from app.services.pictures import Loader, Nowhere, Place
from app.services.providers import keyring

_KEY = "whetstone"


@dataclass(frozen=True)
class Backend:
    """What the pages stand on.

    engine: the configured database engine, shared with services. enqueue: tells the workers that a run wants work and returns
    False when no broker could be reached (the run then waits in the database). environ: where providers' keys are looked for.
    start_checks: has the models that were asked for checked, and does not wait.
    """

    settings: Settings
    engine: Engine
    enqueue: Callable[[str], bool]
    environ: Mapping[str, str] = field(default_factory=wiring.environ)
    start_checks: Callable[[], None] = wiring.start_checks

    @property
    def gateway(self) -> Gateway:
        """What knows which models can be called, and their prices."""
        return Gateway(self.settings, self.environ, keys=self.keys, images=wiring.image_files(self.settings))

    def check_access(self, targets: Sequence[Target]) -> None:
        """Ask whether models answer, and wait."""
        wiring.check_access(self.engine, self.gateway, self.settings, targets)

    @property
    def keys(self) -> Keyring:
        """The keys that were entered here."""
        return keyring(self.engine, self.settings)

    def image_loader(self, place: Place = Nowhere()) -> Loader:  # noqa: B008 - it holds nothing
        """How a dataset's images are loaded; place: where the file names of its table lead."""
        return wiring.image_loader(self.settings, place)

    def open_tools(self) -> Tools:
        """What scorers may use here; close it after use."""
        return wiring.open_tools(self.settings)


def attach(app: Flask, backend: Backend) -> None:
    """Make the backend the one that this application's pages see."""
    app.extensions[_KEY] = backend


def backend() -> Backend:
    """The backend of the application that answers the current request."""
    return cast(Backend, current_app.extensions[_KEY])


def settings() -> Settings:
    """The settings in force."""
    return backend().settings
