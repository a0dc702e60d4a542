"""The simulated provider: three models that need no network and no key, for demos and tests. Not a language model.

``simulated/primary`` answers as well as its prompt lets it; ``simulated/optimizer`` improves prompts, and fails at it now and
then as real optimisers do; ``simulated/judge`` compares words. All are pure functions of the request, so the same run comes
out the same anywhere. All that they know is declared in world.py and french.py. Their prices are made up too: simulated USD, so
that budgets have something to show.
"""

from app.llm.simulated.provider import MODELS, SimulatedLLM

__all__ = ["MODELS", "SimulatedLLM"]
