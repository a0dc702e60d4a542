"""What access is checked of: a model at an address, in a region, on a service tier."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from urllib.parse import urlsplit

from app.core.params import resolve
from app.ports.llm import Json, ModelRef

SMALLEST_ANSWER = 16
"""Most tokens of the answer; some providers take no less."""


@dataclass(frozen=True, slots=True)
class Target:
    """One row of the check. tier: of service, "" for the provider's default."""

    model: str
    api_base: str = ""
    region: str = ""
    tier: str = ""

    @classmethod
    def of(cls, model: ModelRef) -> Target:
        """What a model's calls depend on."""
        return cls(model.name, model.api_base or "", model.region, str(model.params.get("service_tier") or ""))

    @property
    def digest(self) -> str:
        """Marks the target."""
        return hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()[:32]

    @property
    def ref(self) -> ModelRef:
        """The model as it is asked for a few tokens."""
        asked: dict[str, Json] = {"max_output_tokens": SMALLEST_ANSWER}
        if self.tier:
            asked["service_tier"] = self.tier
        return ModelRef(self.model, resolve(self.model, asked).params, self.api_base or None, self.region)

    @property
    def where(self) -> str:
        """Address, region and tier in words, "" for the provider's default."""
        place = urlsplit(self.api_base).netloc.rpartition("@")[2] if self.api_base else ""
        return ", ".join(part for part in (place, self.region, self.tier) if part)

    @property
    def simulated(self) -> bool:
        """Whether nobody needs to be asked."""
        return self.model.startswith("simulated/")
