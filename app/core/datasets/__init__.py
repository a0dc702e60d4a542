"""Reading rows that a user gave, counting them, dividing them into splits."""

from app.core.datasets.errors import BadFile, BadSplit
from app.core.datasets.split import Split, split
from app.core.datasets.statistics import Statistics, statistics

__all__ = ["BadFile", "BadSplit", "Split", "Statistics", "split", "statistics"]
