"""Which adapter stands behind each port; the only module that knows them all."""

from __future__ import annotations

import os
import socket
from functools import cache

from app.config import Settings, load, read_env_file
from app.llm.gateway import Gateway
from app.llm.minilm import local_embedder
from app.llm.pace import RedisPace
from app.ports.scoring import Tools
from app.sandbox import Limits, ProcessSandbox
from app.services import drive as driving
from app.services import helping, hints
from app.services.machine import Machine
from app.services.pictures import Loader, Nowhere, Place
from app.store.claims import Claim
from app.store.crew import SqlCrew
from app.store.database import Database
from app.store.images import ImageFiles


def environ() -> dict[str, str]:
    """The environment over the project's .env file."""
    return read_env_file() | dict(os.environ)


@cache
def settings() -> Settings:
    """The settings of this process, read once. Raises: app.config.ConfigError."""
    return load(environ=environ())


@cache
def database() -> Database:
    """The database of this process."""
    return Database(settings().database_url)


def open_llm() -> Gateway:
    """A new way to reach models; close it after use."""
    return Gateway(settings(), environ(), images=image_files(settings()))


def image_files(settings: Settings) -> ImageFiles:
    """Where images are kept."""
    return ImageFiles(settings.data_dir / "images")


def image_loader(settings: Settings, place: Place = Nowhere()) -> Loader:  # noqa: B008 - it holds nothing
    """How a dataset's images are loaded. place: where the file names of its table lead."""
    return Loader(image_files(settings), settings.images, place)


def open_tools(settings: Settings) -> Tools:
    """What scorers may use here; close it after use."""
    limits = Limits(**settings.code.model_dump())
    return Tools(local_embedder(), ProcessSandbox(limits) if settings.allow_code else None)


def open_pace() -> RedisPace:
    """A new way to take turns under rate limits, for one event loop; close it after use."""
    return RedisPace(settings().redis_address)


def drive(run_id: str) -> str:
    """Work on a run in this process (see app.services.drive)."""
    return driving.drive(
        run_id,
        database=database(),
        open_llm=open_llm,
        open_tools=lambda: open_tools(settings()),
        owner=_owner(),
        lease_s=settings().lease_s,
        machine=Machine.of(settings(), database().engine),
        colleagues=driving.Colleagues(open_pace, _crew),
    )


def _crew(claim: Claim) -> SqlCrew | None:
    """The other workers, as the driver of a run calls them."""
    if not settings().share_above:
        return None

    def call() -> None:
        for _ in range(settings().share_with):
            enqueue(claim.run_id)

    return SqlCrew(
        database(),
        claim,
        _owner(),
        threshold=settings().share_above,
        call=call,
        patience_s=settings().database_wait_s,
    )


def help_out(run_id: str) -> int:
    """Help the driver of a run (see app.services.helping). Returns how many shards were bought here."""
    machine = Machine.of(settings(), database().engine)
    tools = helping.Tools(database(), machine, open_llm, open_pace, lambda: open_tools(settings()))
    return helping.help_out(run_id, tools, _owner())


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def enqueue(run_id: str) -> bool:
    """Hint to the workers that a run wants work. False when the broker is away; the sweep finds the run anyway."""
    return hints.send(settings().redis_address, run_id)
