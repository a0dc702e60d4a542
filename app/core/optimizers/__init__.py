"""How the next candidate is made. STRATEGIES is the whole menu."""

from app.core.optimizers.auto import Auto
from app.core.optimizers.base import Evidence, Past, Proposal, Seen, Strategy
from app.core.optimizers.example_addition import ExampleAddition
from app.core.optimizers.full_rewrite import FullRewrite
from app.core.optimizers.targeted_edit import TargetedEdit

STRATEGIES: dict[str, Strategy] = {
    "auto": Auto(),
    "full_rewrite": FullRewrite(),
    "targeted_edit": TargetedEdit(),
    "example_addition": ExampleAddition(),
}

__all__ = ["STRATEGIES", "Evidence", "Past", "Proposal", "Seen", "Strategy"]
