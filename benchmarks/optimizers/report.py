"""The figures as tables for docs/optimisers.md."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any


def render(result: Mapping[str, Any]) -> str:
    """All tables, as Markdown."""
    first, last = result["seeds"]
    parts = [f"Seeds {first} to {last - 1}; at most {result['most']:,} rollouts a run.\n"]
    for world, figures in result["worlds"].items():
        parts.append(f"### {world.capitalize()}\n\n{_world(figures, result['most'])}")
    parts.append(f"### Rollouts to 90 % of the attainable gain, against gepa\n\n{_ratios(result['ratios'])}")
    parts.append(f"### Shipping\n\n{_gates(result['ship'], result['errors'])}")
    return "\n".join(parts)


def _world(figures: Mapping[str, Any], most: int) -> str:
    budgets = list(next(iter(figures.values()))["accuracy"])
    head = ["optimiser", *[f"{int(b):,}" for b in budgets], "median to 90 %", "reached", "reflections"]
    rows = [
        [
            f"`{name}`",
            *[f"{f['accuracy'][b]:.3f}" for b in budgets],
            _median(list(f["reached"].values()), most),
            f"{sum(hit < most for hit in f['reached'].values())} of {len(f['reached'])}",
            f"{f['reflections']:.0f}",
        ]
        for name, f in figures.items()
    ]
    told = "True accuracy of the best prompt found, by rollouts spent on the search:\n\n"
    kept = [[f"`{name}`", *[f"{f['shipped'][b]:.3f}" for b in budgets]] for name, f in figures.items() if f["shipped"]]
    sealed = "True accuracy of what is shipped when the sealed test (200 rollouts) is paid out of the same budget:\n\n"
    return told + _table(head, rows) + "\n" + sealed + _table(head[: len(budgets) + 1], kept)


def _median(hits: Sequence[int], most: int) -> str:
    middle = statistics.median(hits)
    return f"{middle:,.0f}" if middle < most else f"over {most:,}"


def _ratios(ratios: Mapping[str, Sequence[float]]) -> str:
    if not ratios:
        return "gepa was not run.\n"
    rows = [[f"`{name}`", f"{mean:.2f}", f"{low:.2f} to {high:.2f}"] for name, (mean, low, high) in ratios.items()]
    return _table(["strategy", "ours / gepa", "95 % interval"], rows)


def _gates(ship: Mapping[str, float], errors: Mapping[str, float]) -> str:
    rows = [
        ["a truly worse prompt is shipped", f"{ship['ship_worse']:.2%} of {ship['runs']:,} runs"],
        ["the search's best prompt is truly worse", f"{ship['search_worse']:.2%} of {ship['runs']:,} runs"],
        ["shipped at all", f"{ship['shipped']} of {ship['runs']:,} runs"],
        ["reported minus true, every sealed test", f"{ship['bias_measured_points']:+.2f} points"],
        ["the same over all runs, kept prompts counting as 0", f"{ship['bias_all_runs_points']:+.2f} points"],
        ["the same given that it ships", f"{ship['bias_given_ship_points']:+.2f} points"],
        ["a truly better prompt is accepted, without errors", f"{errors['accepted']:.1%} of {errors['runs']:,} runs"],
        *[
            [
                f"the same with {errors['share']:.0%} provider errors, {how}",
                f"{errors[key]:.1%} of {errors['runs']:,} runs",
            ]
            for how, key in (
                ("asked again by the engine", "accepted_with_errors"),
                ("every one of them final", "accepted_with_final_errors"),
            )
        ],
    ]
    return _table(["what", "measured"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
