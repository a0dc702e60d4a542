"""Images at web addresses are fetched once, when a dataset is imported, past the guard that lets nothing private through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress

import aiohttp

from app.config.settings import Images as Limits
from app.llm.outbound import Forbidden, Guard, forbidden
from app.llm.outbound_aiohttp import connector, get
from app.services.pictures.decoding import BadImage

AT_ONCE = 8
HOPS = 5
"""Redirects that are followed, each judged anew."""


def fetch_all(
    urls: Collection[str], guard: Guard, limits: Limits, done: Callable[[str, bytes | BadImage], None]
) -> None:
    """Hand the content at each address to ``done``, or why there is none. Not to be called from an event loop."""
    if urls:
        asyncio.run(_fetch_all(urls, guard, limits, done))


async def _fetch_all(
    urls: Collection[str], guard: Guard, limits: Limits, done: Callable[[str, bytes | BadImage], None]
) -> None:
    queue, waiting = iter(urls), dict.fromkeys(urls)
    async with aiohttp.ClientSession(connector=connector(guard), cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def work() -> None:
            for url in queue:
                content = await _content(session, guard, url, limits)
                del waiting[url]
                done(url, content)

        with suppress(TimeoutError):
            async with asyncio.timeout(limits.fetch_total_s):
                await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    late = f"not fetched: all images together took more than {limits.fetch_total_s:g} s (setting images.fetch_total_s)"
    for url in waiting:
        done(url, BadImage(late))


async def _content(session: aiohttp.ClientSession, guard: Guard, url: str, limits: Limits) -> bytes | BadImage:
    try:
        async with asyncio.timeout(limits.fetch_s), get(session, guard, url, hops=HOPS) as response:
            if response.status != 200:
                return BadImage(f"{_short(url)} answered with status {response.status}")
            return await _bounded(response, limits.max_mb * 2**20)
    except TimeoutError:
        return BadImage(f"{_short(url)} did not answer within {limits.fetch_s:g} s (setting images.fetch_s)")
    except Forbidden as refusal:
        return BadImage(f"{_short(url)} is not fetched: {_said(refusal)}")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        refused = forbidden(error)
        why = _said(refused) if refused else f"no answer ({type(error).__name__})"
        return BadImage(f"{_short(url)} is not fetched: {why}")


def _said(refusal: Forbidden) -> str:
    """Without the setting that opens private networks to model servers: for images nothing does."""
    return str(refusal).replace(", which is not listed in private_hosts", "; images come from public addresses only")


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, or a byte more than an image may have."""
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > most:
            break
    return b"".join(parts)[: most + 1]


def _short(url: str) -> str:
    return url if len(url) <= 200 else url[:200] + "..."
