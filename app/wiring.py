"""Which adapter stands behind each port; the only module that knows them all."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache

from sqlalchemy import Engine

from app.config import ROOT, Settings, load, read_env_file
from app.llm.gateway import Gateway
from app.llm.keyring import Keyring
from app.llm.minilm import local_embedder
from app.llm.pace import RedisPace
from app.llm.routes import route
from app.ports.live import Ear
from app.ports.scoring import Tools
from app.sandbox import Limits, ProcessSandbox
from app.services import access, experiments, helping, hints
from app.services import drive as driving
from app.services.access import Target, WithCard
from app.services.machine import Machine
from app.services.pictures import Loader, Nowhere, Place
from app.services.providers import keyring
from app.services.saying import RedisEar
from app.store.claims import Claim
from app.store.crew import SqlCrew
from app.store.database import Database
from app.store.images import ImageFiles
from app.store.outage import insist

CHECKER = (sys.executable, "-m", "app.cli", "models", "check", "--asked")
LOADING_S = 15.0
"""How long a new process may take until it asks."""
LONGEST_CHECK_S = 600.0


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
    return Gateway(settings(), environ(), keys=keys(), images=WithCard(image_files(settings())))


def keys() -> Keyring:
    """The keys that were entered. Raises: JournalUnavailable when the database stays away."""
    return insist(lambda: keyring(database().engine, settings()), settings().database_wait_s)


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


def check_access(engine: Engine, llm: Gateway, settings: Settings, targets: Sequence[Target]) -> None:
    """Ask whether these models answer, and wait for it. Large libraries are loaded in a process of their own, not here."""
    if all(route(target.ref).adapter in ("openai", "simulated") for target in targets):
        access.check(engine, llm, settings.access, [(target, False) for target in targets])
        return
    most_s = settings.access.deadline_s + LOADING_S
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(CHECKER, cwd=ROOT, timeout=most_s, check=False, capture_output=True)  # noqa: S603 - our own words


def start_checks() -> None:
    """See to it that what was asked for is checked, in a process of its own; returns at once."""

    def work() -> None:
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(CHECKER, cwd=ROOT, timeout=LONGEST_CHECK_S, check=False, capture_output=True)  # noqa: S603

    threading.Thread(target=work, name="access check", daemon=True).start()


def drive(run_id: str, open_ear: Callable[[str], Ear | None] | None = None) -> str:
    """Work on a run in this process (see app.services.drive). open_ear: who hears answers while they come; None: the pages."""
    status = driving.drive(
        run_id,
        database=database(),
        open_llm=open_llm,
        open_tools=lambda: open_tools(settings()),
        owner=_owner(),
        lease_s=settings().lease_s,
        machine=Machine.of(settings(), database().engine),
        colleagues=driving.Colleagues(open_pace, _crew),
        open_ear=open_ear or (lambda run_id: RedisEar(settings().redis_address, run_id)),
    )
    if status == "done":
        experiments.log(database(), run_id, settings(), environ())
    return status


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
