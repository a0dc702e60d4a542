"""What to say before a run when a scorer fits the dataset badly."""

from __future__ import annotations

from collections.abc import Mapping

from app.ports.llm import Json

SHORT = 30
"""Characters: answers of which 95 % are shorter are short labels."""
LONG = 40
"""Characters: different answers of which half are longer are free text."""


def advice(spec: Mapping[str, Json], facts: Mapping[str, Json]) -> str:
    """One sentence, or "" when nothing speaks against the scorer.

    facts: as app.core.datasets.statistics gives them (rows, answer_chars, answers_numeric, answers_json, few_labels).
    """
    name, rows = spec["name"], facts["rows"]
    if name == "contains" and facts["answer_chars"]["p95"] <= SHORT:
        return (
            "The answers are short labels: a prompt that lists every label contains the right one each time. "
            "Choose exact_match, or read the answers of the winning prompt."
        )
    if name == "exact_match" and not facts["few_labels"] and facts["answer_chars"]["median"] > LONG:
        return (
            "The answers are long and differ: exact_match will be 0 almost always. Consider similarity, chrf or bleu."
        )
    if name == "semantic" and facts["few_labels"]:
        return "The answers are a few labels, of which two can mean nearly the same. Consider exact_match."
    for scorer, count, noun in (("numeric", "answers_numeric", "number"), ("json_match", "answers_json", "JSON")):
        if name == scorer and facts[count] < rows:
            return f"{rows - facts[count]} of {rows} reference answers hold no {noun}; {scorer} gives 0 for these."
    return ""
