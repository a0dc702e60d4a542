"""The one way from a run to any model: the model's name chooses the adapter, and what cannot work is refused beforehand."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from app.config import Settings
from app.llm import checks, local, vision
from app.llm.around import Around
from app.llm.keyring import EMPTY, Keyring
from app.llm.known import Adapter
from app.llm.prices import Prices
from app.llm.routes import route
from app.ports.images import NO_IMAGES, Images
from app.ports.llm import LLM, ModelRef, Price, Reply, Request


class Gateway:
    """Implements app.ports.llm.LLM over every adapter. Making one is cheap; an adapter is imported when it is first called.

    environ: where keys and base URLs are looked for. prices: by model name, in USD per token, in place of the table's.
    keys: those that were entered here.
    images: where the content of images is read.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str] | None = None,
        prices: Mapping[str, Price] | None = None,
        keys: Keyring = EMPTY,
        images: Images = NO_IMAGES,
    ) -> None:
        self._images = images
        self._settings = settings
        known = local.with_address(os.environ if environ is None else environ, settings.local_model_port)
        self.around = Around.of(settings, known, keys)
        self._prices = Prices(prices)
        self._adapters: dict[Adapter, LLM] = {}
        self._routes: dict[tuple[str, str | None], Adapter] = {}

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:
        """See app.ports.llm.LLM."""
        return await self._adapter_of(request.model).complete(request, deadline_s=deadline_s)

    def price(self, model: ModelRef) -> Price | None:
        """See app.ports.llm.LLM."""
        return (
            self._adapter("simulated").price(model) if model.name.startswith("simulated/") else self._prices.of(model)
        )

    def sees(self, model: ModelRef) -> bool | None:
        """Whether the model sees images; None when nobody knows."""
        return vision.sees(model, self._settings.vision)

    def deprecated(self, model: ModelRef) -> dt.date | None:
        """When the provider switches the model off, None when that is not known."""
        return None if model.api_base else self._prices.deprecated(model.name)

    def lane(self, model: ModelRef) -> str:
        """What shares a rate limit with the model: its name and where it is served, model@region or model@host."""
        if model.api_base:
            where = urlsplit(model.api_base).netloc.rpartition("@")[2]
        else:
            where = model.region or (self._settings.location if model.name.startswith("vertex_ai/") else "")
        return f"{model.name}@{where}" if where else model.name

    def problem(self, model: ModelRef) -> str | None:
        """Why no call to this model can work, in one sentence; None when none is known. Connects nowhere.

        A sentence about the base URL begins with "api_base".
        """
        return checks.problem(model, self.around)

    def unreachable(self, model: ModelRef) -> str | None:
        """Why the model's base URL does not answer, in one sentence; None when it does, or is a public service's own."""
        return checks.unreachable(model, self.around)

    async def aclose(self) -> None:
        """See app.ports.llm.LLM."""
        await asyncio.gather(*(adapter.aclose() for adapter in self._adapters.values()))
        self._adapters.clear()

    def _adapter_of(self, model: ModelRef) -> LLM:
        place = (model.name, model.api_base)
        if place not in self._routes:
            self._routes[place] = route(model).adapter
        return self._adapter(self._routes[place])

    def _adapter(self, name: Adapter) -> LLM:
        if name not in self._adapters:
            self._adapters[name] = self._make(name)
        return self._adapters[name]

    def _make(self, name: Adapter) -> LLM:
        if name == "simulated":
            from app.llm.simulated import SimulatedLLM

            return SimulatedLLM(images=self._images)
        if name == "openai":
            from app.llm.openai_compatible import OpenAICompatible

            return OpenAICompatible(self._prices, self.around, self._images)
        if name == "vertex":
            from app.llm.vertex import Vertex

            return Vertex(self._prices, self.around, self._images)
        from app.llm.litellm import LiteLLM

        return LiteLLM(self._prices, self.around, self._images)
