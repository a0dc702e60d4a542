"""What scores mean: means with intervals, paired comparisons, acceptance, the verdict. Pure functions, all deterministic."""

from app.core.stats.acceptance import MIN_COVERAGE, RULES, accepts, cannot_win, thin
from app.core.stats.flips import Flips, flip_rate
from app.core.stats.interval import Mean, mean_of, score_of
from app.core.stats.noninferiority import NonInferiority, needed, non_inferiority
from app.core.stats.pairing import RIGHT, Cell, Paired, by_case, cell, paired, pairs
from app.core.stats.plateau import plateau
from app.core.stats.power import minimum_detectable
from app.core.stats.racing import UNLIKELY, chance_to_win
from app.core.stats.verdict import Verdict, strictness, verdict

__all__ = [
    "MIN_COVERAGE",
    "RIGHT",
    "RULES",
    "UNLIKELY",
    "Cell",
    "Flips",
    "Mean",
    "NonInferiority",
    "Paired",
    "Verdict",
    "accepts",
    "by_case",
    "cannot_win",
    "cell",
    "chance_to_win",
    "flip_rate",
    "mean_of",
    "minimum_detectable",
    "needed",
    "non_inferiority",
    "paired",
    "pairs",
    "plateau",
    "score_of",
    "strictness",
    "thin",
    "verdict",
]
