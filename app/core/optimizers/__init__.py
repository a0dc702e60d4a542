"""How the next candidate is made. STRATEGIES is the whole menu."""

from app.core.optimizers.auto import Auto
from app.core.optimizers.base import Evidence, Member, Outlook, Past, Proposal, Seen, Strategy, Trial
from app.core.optimizers.evolutionary import Evolutionary
from app.core.optimizers.example_addition import ExampleAddition
from app.core.optimizers.full_rewrite import FullRewrite
from app.core.optimizers.merge import merged
from app.core.optimizers.reflective_pareto import ReflectivePareto
from app.core.optimizers.targeted_edit import TargetedEdit

STRATEGIES: dict[str, Strategy] = {
    "auto": Auto(),
    "full_rewrite": FullRewrite(),
    "targeted_edit": TargetedEdit(),
    "example_addition": ExampleAddition(),
    "evolutionary": Evolutionary(),
    "reflective_pareto": ReflectivePareto(),
}

MERGE = "merge"
"""Under this name the merger of an epoch's good proposals is noted."""

SHORTENING = "shortening"
"""Under this name a shorter version of the best prompt is noted."""

__all__ = [
    "MERGE",
    "SHORTENING",
    "STRATEGIES",
    "Evidence",
    "Member",
    "Outlook",
    "Past",
    "Proposal",
    "Seen",
    "Strategy",
    "Trial",
    "merged",
]
