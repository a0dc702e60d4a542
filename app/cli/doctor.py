"""What a start would fail on, or a run would wait for, said before it happens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import click
import redis
from sqlalchemy.exc import SQLAlchemyError

from app import wiring
from app.cli.console import Exit, emit, json_option
from app.config import ConfigError, Settings
from app.llm.keyring import EMPTY, Keyring
from app.services import providers, workers
from app.services.machine import MB, Machine
from app.store.schema import Unusable

SIGNS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


@dataclass(frozen=True)
class Check:
    """One thing looked at. problem: something does not work; note: works, but good to know."""

    name: str
    status: Literal["ok", "note", "problem"]
    message: str


def checks() -> Iterator[Check]:
    """Everything that is looked at, in order; what depends on the configuration is left out when that is wrong."""
    try:
        settings = wiring.settings()
    except ConfigError as error:
        for problem in error.problems:
            yield Check("configuration", "problem", problem)
        return
    yield Check("configuration", "ok", "every setting is valid")
    yield from _storage(settings)
    yield from _queue(settings)
    yield from _keys()


def _storage(settings: Settings) -> Iterator[Check]:
    try:
        database = wiring.database()
    except Unusable as error:
        yield Check("database", "problem", str(error))
        return
    yield from _disk(settings, Machine.of(settings, database.engine))
    try:
        database.check(thorough=True)
    except Unusable as error:
        yield Check("database", "problem", str(error))
        return
    yield Check("database", "ok", database.title)


def _disk(settings: Settings, machine: Machine) -> Iterator[Check]:
    if trouble := machine.trouble():
        yield Check("disk", "problem", f"{trouble}, or choose another folder with WHETSTONE_DATA_DIR")
    else:
        free_mb = shutil.disk_usage(settings.data_dir).free // MB
        yield Check("disk", "ok", f"{free_mb:,} MB free at {settings.data_dir}")
    if found := machine.waiting():
        waits = ", ".join(f"{count} for run {run_id}" for run_id, count in sorted(found.items()))
        yield Check("spool", "note", f"paid answers wait until their run goes on: {waits}")


def _queue(settings: Settings) -> Iterator[Check]:
    embedded = "" if settings.redis_url else " (embedded: `whetstone up` starts it)"
    try:
        with redis.Redis.from_url(settings.redis_address, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
            living = workers.alive(client)
    except redis.RedisError as error:
        yield Check(
            "redis", "problem", f"does not answer{embedded}: {error}; runs can be started and wait until it does"
        )
        return
    yield Check("redis", "ok", "answers" + embedded)
    if living:
        yield Check("worker", "ok", f"{len(living)} alive: {', '.join(living)}")
    else:
        yield Check(
            "worker", "problem", "none is alive, so queued runs wait; start `whetstone worker` or `whetstone up`"
        )


def _keys() -> Iterator[Check]:
    listed = providers.found(wiring.settings(), wiring.environ(), _entered())
    for provider in listed:
        if provider.ready:
            yield Check("provider", "ok", f"{provider.title}: {provider.how_found}")
    if absent := [provider.title for provider in listed if not provider.ready]:
        yield Check("provider", "note", f"not set up: {', '.join(absent)}; docs/providers.md says what each one needs")


def _entered() -> Keyring:
    """The keys that were entered, as far as the database can be read; what is wrong with it is told elsewhere."""
    try:
        return providers.keyring(wiring.database().engine, wiring.settings())
    except (SQLAlchemyError, Unusable):
        return EMPTY


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """Check the configuration, the disk, the database, Redis, the workers and the keys of providers."""
    found = list(checks())
    healthy = all(check.status != "problem" for check in found)

    def show() -> None:
        for check in found:
            click.echo(f"{SIGNS[check.status]} {check.name}: {check.message}")

    emit({"healthy": healthy, "checks": [asdict(check) for check in found]}, as_json, show)
    return Exit.DONE if healthy else Exit.FAILED
