"""Reading rows that a user gave, counting them, dividing them into splits."""

from app.core.datasets.columns import NO_IMAGE, Mapping, map_columns
from app.core.datasets.errors import BadFile, BadSplit
from app.core.datasets.limits import Limits
from app.core.datasets.report import Report
from app.core.datasets.split import Split, split
from app.core.datasets.statistics import Statistics, statistics
from app.core.datasets.table import Item, Row, Table, read_table

__all__ = [
    "NO_IMAGE",
    "BadFile",
    "BadSplit",
    "Item",
    "Limits",
    "Mapping",
    "Report",
    "Row",
    "Split",
    "Statistics",
    "Table",
    "map_columns",
    "read_table",
    "split",
    "statistics",
]
