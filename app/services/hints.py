"""A hint tells the workers that a run wants work. It may be lost, doubled or late: the database is the truth."""

from __future__ import annotations

import logging

from app.services.patience import within

logger = logging.getLogger(__name__)

TASK = "whetstone.drive"
QUEUE = "whetstone"
SECONDS = 1.0
"""A page must not wait longer than this for a broker that is away, or that is slow at each of many steps."""


def send(redis_address: str, run_id: str) -> bool:
    """Hint at a run. False when the broker does not take it now; the next sweep of a worker finds the run anyway."""
    import redis
    from kombu.exceptions import OperationalError

    try:
        within(SECONDS, lambda: _send(redis_address, run_id))
    except (OperationalError, redis.RedisError, OSError) as error:
        why = str(error) or "it is slow"
        logger.warning("run %s waits for the next sweep, the broker does not answer: %s", run_id, why)
        return False
    return True


def _send(redis_address: str, run_id: str) -> None:
    from celery import Celery

    options = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, "max_retries": 0}
    broker = Celery(broker=redis_address, set_as_current=False, task_ignore_result=True)
    broker.conf.broker_transport_options = options
    with broker.connection_for_write(connect_timeout=SECONDS) as connection:
        broker.send_task(TASK, args=[run_id], queue=QUEUE, connection=connection, retry=False)
