"""Only a well-formed hint reaches Celery; every other message is parked, so that none can end the worker or come back for ever.

Celery trusts its queue: a message that is no JSON, or JSON of another shape, ends the worker, and the next one takes it
again. Here each message is looked at as it leaves Redis. What is not ours (damaged, of another release, of another program)
goes to a capped list for people to look at. Nothing is lost by that: the database knows which runs need work.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
import time
from typing import Any

import redis
from kombu.transport import redis as kombu_redis

from app.services.hints import TASK

logger = logging.getLogger(__name__)

PARKED = "whetstone:parked"
PARKED_AT_MOST = 1000
KEPT_CHARS = 4000

_RUN_ID = re.compile(r"[0-9A-Za-z_-]{1,16}")


class Malformed(ValueError):
    """The message is no hint of ours; the text says why."""


def run_of(message: bytes) -> str:
    """The run that a queued message is about. Raises: Malformed."""
    try:
        envelope = json.loads(message)
        headers, properties = envelope["headers"], envelope["properties"]
        if headers["task"] != TASK:
            raise Malformed(f"no task {headers['task']!r} here")
        if headers.get("eta") is not None or headers.get("expires") is not None:
            raise Malformed("hints are never delayed")
        texts = (headers["id"], properties["delivery_tag"], properties["delivery_info"]["routing_key"])
        if (envelope["content-type"], envelope["content-encoding"]) != ("application/json", "utf-8"):
            raise Malformed(f"content is {envelope['content-type']!r}, not JSON")
        if properties["body_encoding"] != "base64" or not all(isinstance(text, str) for text in texts):
            raise Malformed("the envelope is damaged")
        args, kwargs, embed = json.loads(base64.b64decode(envelope["body"], validate=True))
        (run_id,) = args
        if kwargs != {} or not isinstance(embed, dict) or not _RUN_ID.fullmatch(run_id):
            raise Malformed("the arguments are not one run id")
    except Malformed:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, binascii.Error) as error:
        raise Malformed(f"not a task message ({type(error).__name__})") from None
    return str(run_id)


class Client(redis.Redis):
    """Redis as the worker reads it: a message that is no hint is parked, as if the queue had been empty."""

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:
        """The server's answer."""
        answer = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name == "BRPOP" and answer:
            try:
                run_of(answer[1])
            except Malformed as error:
                self._park(answer[1], str(error))
                return None
        return answer

    def _park(self, message: bytes, reason: str) -> None:
        text = message[:KEPT_CHARS].decode("utf-8", "backslashreplace")
        logger.warning("parked a message that is no hint: %s: %.200s", reason, text)
        record = json.dumps({"at": time.time(), "reason": reason, "message": text})
        try:
            self.lpush(PARKED, record)
            self.ltrim(PARKED, 0, PARKED_AT_MOST - 1)
        except redis.RedisError as error:
            logger.warning("the parked message could not be kept: %s", error)


class Channel(kombu_redis.Channel):
    """kombu's channel over our client."""

    def _get_client(self) -> type[Client]:
        super()._get_client()  # type: ignore[no-untyped-call]  # refuses versions of redis-py that it does not know
        return Client


class Transport(kombu_redis.Transport):
    """kombu's Redis transport over our channel; named in broker_transport."""

    Channel = Channel
