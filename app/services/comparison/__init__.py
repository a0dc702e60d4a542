"""Two to eight versions of prompts side by side: their texts, scores, answers, costs and settings."""

from app.services.comparison.examples import CHANGES, Answer, Row, examples
from app.services.comparison.form import FIELDS, VERSION, defaults, of_run
from app.services.comparison.order import Estimate, estimate, parse, start
from app.services.comparison.scores import SPLITS, Column, Pace, compare, differences, pace_of, same_data, sentence
from app.services.comparison.sides import FEWEST, FIELD, MOST, Side, Version, side, sides, versions
from app.services.comparison.told import document, row

__all__ = [
    "CHANGES",
    "FEWEST",
    "FIELD",
    "FIELDS",
    "MOST",
    "SPLITS",
    "VERSION",
    "Answer",
    "Column",
    "Estimate",
    "Pace",
    "Row",
    "Side",
    "Version",
    "compare",
    "defaults",
    "differences",
    "document",
    "estimate",
    "examples",
    "of_run",
    "pace_of",
    "parse",
    "row",
    "same_data",
    "sentence",
    "side",
    "sides",
    "start",
    "versions",
]
