"""The parameters that nearly every provider takes, in our names; a provider's table narrows them where it takes less."""

from __future__ import annotations

from app.core.params.spec import Param

LONGEST_ANSWER = 1_000_000
LARGEST_SEED = 2**31 - 1


def temperature(high: float = 2, default: float | None = 1) -> Param:
    """From 0 to what the provider allows."""
    return Param(
        "temperature", "float", 0, high, default=default, meaning="How freely it chooses its words; 0 is the steadiest."
    )


def top_p(low: float = 0, high: float = 1) -> Param:
    """The nucleus."""
    return Param(
        "top_p",
        "float",
        low,
        high,
        default=1,
        meaning="Only the likeliest words that make up this share are chosen from.",
    )


def stop(most: int | None) -> Param:
    """Texts that end an answer."""
    return Param("stop", "texts", high=most, meaning="Texts that end the answer where they would appear.")


def penalty(name: str, low: float = -2, high: float = 2) -> Param:
    """presence_penalty or frequency_penalty."""
    what = "that occurred at all" if name.startswith("presence") else "by how often they occurred"
    return Param(name, "float", low, high, default=0, meaning=f"Makes words less likely {what}.")


def effort(*choices: str) -> Param:
    """How long it thinks before it answers."""
    return Param("reasoning_effort", "choice", choices=choices, meaning="How long it thinks before it answers.")


def tier(*choices: str) -> Param:
    """How fast and at which price it is served."""
    return Param(
        "service_tier",
        "choice",
        choices=choices,
        default="default",
        meaning="How fast it is served; tiers have their own prices.",
    )


def top_k(high: int | None = None, low: int = 1) -> Param:
    """How many words it chooses from."""
    return Param("top_k", "int", low, high, meaning="Only so many of the likeliest words are chosen from.")


MAX_OUTPUT = Param(
    "max_output_tokens", "int", 1, LONGEST_ANSWER, meaning="Most tokens of one answer, thinking included."
)
SEED = Param(
    "seed", "int", 0, LARGEST_SEED, meaning="The same seed makes answers alike where the provider can do that."
)
PRESENCE, FREQUENCY = penalty("presence_penalty"), penalty("frequency_penalty")
EFFORT = effort("minimal", "low", "medium", "high")
VERBOSITY = Param(
    "verbosity", "choice", choices=("low", "medium", "high"), default="medium", meaning="How long answers are."
)
TIER = tier("default", "priority", "flex")
MIN_P = Param(
    "min_p", "float", 0, 1, default=0, meaning="Words less likely than this share of the likeliest are left out."
)


def thinking_budget(low: int, high: int | None = None) -> Param:
    """Tokens for thinking."""
    return Param("thinking_budget", "int", low, high, meaning="Most tokens that it may think before it answers.")


SAFETY = Param(
    "safety_threshold",
    "choice",
    choices=("off", "block_none", "block_only_high", "block_medium_and_above", "block_low_and_above"),
    meaning="From which probability of harm on an answer is blocked, in every category.",
)


UNIVERSAL = (temperature(), top_p(), MAX_OUTPUT, stop(4), SEED, PRESENCE, FREQUENCY)
