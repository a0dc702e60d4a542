"""Whether models answer: checked side by side with a call of a few tokens each, kept by model, address, region and tier."""

from app.services.access.before import Silent, refuse, silent
from app.services.access.known import Capability, State, answer_asked, ask_for, check, states
from app.services.access.listing import document, named, of_configs
from app.services.access.sight import WithCard
from app.services.access.target import Target

__all__ = [
    "Capability",
    "Silent",
    "State",
    "Target",
    "WithCard",
    "answer_asked",
    "ask_for",
    "check",
    "document",
    "named",
    "of_configs",
    "refuse",
    "silent",
    "states",
]
