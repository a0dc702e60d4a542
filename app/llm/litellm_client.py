"""The HTTP client for addresses that were given: guarded at each connection, and without the redirects that LiteLLM follows.

LiteLLM sends a provider's key along to wherever it is redirected; to a provider's own address that harms nobody.
"""

from __future__ import annotations

from typing import Any

import aiohttp

from app.llm.outbound import Guard
from app.llm.outbound_aiohttp import connector

GUARDED = frozenset({"anthropic", "gemini"})
"""Providers for whose calls LiteLLM takes a client like this one."""


class GuardedClient:
    """One for each event loop; close it in that loop. handler: what LiteLLM takes as ``client``."""

    def __init__(self, guard: Guard) -> None:
        from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

        self._session = aiohttp.ClientSession(
            connector=connector(guard, limit=0, ttl_dns_cache=300), cookie_jar=aiohttp.DummyCookieJar(), trust_env=True
        )
        transport = LiteLLMAiohttpTransport(client=self._session, owns_session=False)
        self.handler: Any = AsyncHTTPHandler(transport=transport, follow_redirects=False)

    async def close(self) -> None:
        """Close its connections."""
        await self.handler.close()
        await self._session.close()
