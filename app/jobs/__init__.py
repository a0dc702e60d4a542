"""The Celery door: one task per run. A message is only a hint that a run wants work; the database is the truth.

Acknowledged early and never retried by Celery: a run whose worker died is found by the sweep, not by redelivery.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import redis
from celery import Celery
from celery.signals import worker_process_init, worker_ready, worker_shutting_down
from celery.worker import state

from app import wiring
from app.config import Settings
from app.jobs.sweep import Sweep
from app.services import workers
from app.services.hints import QUEUE, TASK
from app.services.processes import die_with_parent
from app.store import claims, removal
from app.store.database import Database

logger = logging.getLogger(__name__)


def make_celery(settings: Settings) -> Celery:
    """The Celery application that ``celery -A worker worker`` runs."""
    celery = Celery("whetstone", broker=settings.redis_address)
    celery.conf.update(
        accept_content=["json"],
        broker_connection_max_retries=None,
        broker_connection_retry_on_startup=True,
        broker_transport="app.jobs.intake:Transport",
        broker_transport_options={"socket_timeout": None, "socket_keepalive": True, "health_check_interval": 10},
        task_acks_late=False,
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_serializer="json",
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_concurrency=settings.worker_processes,
        worker_enable_remote_control=False,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
    )
    celery.task(name=TASK)(drive)
    _stay_alive_together(settings)
    return celery


def drive(run_id: str) -> None:
    """Work on one run in this process, until it ends, pauses, or the process is told to end; help if it has a worker."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        if not wiring.drive(run_id):
            wiring.help_out(run_id)
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM in a process of the pool: the driver records what it has and gives the run back on its way out."""
    raise SystemExit(0)


def _stay_alive_together(settings: Settings) -> None:
    """Sweep while the worker lives; its processes end with it."""
    stop = threading.Event()
    main_process = os.getpid()

    def child_started(**_: object) -> None:
        die_with_parent(main_process)

    def ready(**_: object) -> None:
        sweep = make_sweep(settings, f"{socket.gethostname()}:{main_process}")
        threading.Thread(target=sweep.forever, args=(settings.sweep_s, stop), name="sweep", daemon=True).start()

    def ending(**_: object) -> None:
        stop.set()

    worker_process_init.connect(child_started, weak=False)
    worker_ready.connect(ready, weak=False)
    worker_shutting_down.connect(ending, weak=False)


def make_sweep(settings: Settings, name: str) -> Sweep:
    """The sweep of the worker with that name."""
    database = Database(settings.database_url)
    client = redis.Redis.from_url(settings.redis_address, socket_timeout=2.0, socket_connect_timeout=2.0)

    def abandoned() -> list[str]:
        try:
            return list(claims.abandoned(database))
        finally:
            database.close()  # a process that is forked later must not inherit an open connection

    def beat() -> None:
        with suppress(redis.RedisError):
            workers.beat(client, name, 3 * settings.sweep_s + 5)

    def clear_up() -> None:
        try:
            removal.clear_up(database.engine, settings.sweep_s / 2)
        finally:
            database.close()

    def free() -> int:
        return settings.worker_processes - len(state.reserved_requests)

    return Sweep(abandoned, free, wiring.enqueue, beat, clear_up)
