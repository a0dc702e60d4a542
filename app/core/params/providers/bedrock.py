"""Amazon Bedrock, by its Converse API: no seed and no penalties."""

from __future__ import annotations

from app.core.params.rules import claude_sampling, not_claude
from app.core.params.spec import Provider
from app.core.params.universal import MAX_OUTPUT, TIER, effort, stop, temperature, thinking_budget, top_k, top_p

BEDROCK = Provider(
    "bedrock",
    "Amazon Bedrock",
    (
        temperature(1, None),
        top_p(),
        MAX_OUTPUT,
        stop(None),
        top_k(),
        effort("low", "medium", "high"),
        thinking_budget(1024),
        TIER,
    ),
    (not_claude, claude_sampling),
)
