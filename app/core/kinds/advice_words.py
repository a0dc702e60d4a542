"""The figures of a plan in plain words: a sentence for the verdict, and one paragraph for each thing that there is to say."""

from __future__ import annotations

from app.core.stats.noise import Noise
from app.ports.llm import Json

Sizes = tuple[int, int, int]
"""Examples of train, validation and test."""


def sentence(found: Json, sizes: Sizes) -> str:
    """The verdict in a sentence. found: the figures (see app.core.kinds.advice)."""
    test, worth = sizes[2], _points(found["worth"])
    can = f"{test} test examples can show improvements from {_ends(found['detectable']['test'])} on" if test else ""
    if found["verdict"] == "enough":
        return f"Go ahead: {can}, and {worth} are worth it to you."
    have = can or "there is no test split"
    if found["verdict"] == "resplit":
        ratios = "/".join(map(str, found["split"]))
        return f"Split the rows {ratios}: {have}; to show {worth}, about {found['needed']['value']:,} are needed."
    return (
        f"Too little data for the question: {have}; to show {worth}, about {found['needed']['value']:,} are needed, "
        f"and there are {sum(sizes):,} rows in all."
    )


def advice(found: Json, noise: Noise, sizes: Sizes) -> list[str]:
    """What there is to say, the most general first."""
    said = [_flat(noise), _chance(found), _randomness(found, noise), _shown(found), _size(found, sizes), _again(found)]
    return [text for text in said if text]


def _flat(noise: Noise) -> str:
    if not noise.flat:
        return ""
    return (
        f"Every answer of the pilot scored {noise.mean.mean or 0.0:.2f}, so no spread was measured on these {noise.n} "
        "examples. The figures below suppose the largest spread that so few equal scores leave open."
    )


def _chance(found: Json) -> str:
    parts = [
        f"{_ends(noise['error'])} for the {noise['n']:,} {name} examples"
        for name, noise in found["noise"].items()
        if noise
    ]
    return f"By the luck of which examples were drawn, a mean is off by (standard error) {' and '.join(parts)}."


def _randomness(found: Json, noise: Noise) -> str:
    flips = noise.flips
    if flips.rate is None:
        return "No example was scored twice, so the model's own randomness is not known."
    ends = f"95 % interval {_percent(flips.low)} to {_percent(flips.high)}"
    rate = f"on {_percent(flips.rate)} of {flips.n} examples ({ends})"
    parts = [
        f"{_ends(noise['randomness'])} for the {noise['n']:,} {name} examples"
        for name, noise in found["noise"].items()
        if noise
    ]
    return (
        f"Asked twice, the model changed between right and wrong {rate}. Of the above, its own randomness alone makes "
        f"{' and '.join(parts)}."
    )


def _shown(found: Json) -> str:
    parts = [
        f"{_ends(ends)} on {found['noise'][name]['n']:,} {name} examples"
        for name, ends in found["detectable"].items()
        if ends
    ]
    return (
        f"The smallest improvement that a comparison finds in {_percent(found['power'])} of cases, at the level "
        f"{found['alpha']:g}{_stricter(found)}, is {' and '.join(parts)}. This supposes that what is hard for one prompt is "
        f"often hard for the other (their scores correlate by {found['alike']:g}); prompts that are more alike show smaller "
        "improvements."
    )


def _stricter(found: Json) -> str:
    number = found["comparison"]
    if number == 1:
        return ""
    return f" (on the test {found['test_alpha']:.2g}, since it would be comparison {number} on these test examples)"


def _size(found: Json, sizes: Sizes) -> str:
    needed, total = found["needed"], sum(sizes)
    asked = f"To show {_points(found['worth'])}, about {needed['value']:,} examples ({needed['low']:,} to {needed['high']:,})"
    if found["verdict"] == "enough":
        return f"{asked} are needed; the test split has {sizes[2]:,}."
    if found["verdict"] == "resplit":
        ratios = "/".join(map(str, found["split"]))
        return f"{asked} are needed; of {total:,} rows the split {ratios} gives the test that many."
    most = found["most"]
    return (
        f"{asked} are needed. The {total:,} rows are too few for that in any split: even a test of {most['n']:,} of them shows "
        f"improvements from {_ends(most['detectable'])} on only. Bring about {found['rows']:,} rows, or look for larger ones."
    )


def _again(found: Json) -> str:
    repeats = found["repeats"]
    once, often = _points(repeats["once"]), _points(repeats["detectable"])
    if repeats["now"] > 1 and repeats["help"]:
        return (
            f"Asking each of the {repeats['n']:,} examples {repeats['times']} times, as set, helps: asked once, they could "
            f"show improvements from {once} on only."
        )
    if repeats["now"] > 1:
        return (
            f"Asking each example {repeats['times']} times, as set, hardly helps: asked once, the {repeats['n']:,} examples "
            f"show improvements from {once} on instead of {often}, for a part of the price."
        )
    if repeats["help"]:
        return (
            f"Asking each of the {repeats['n']:,} examples {repeats['times']} times would help (the setting repeats): "
            f"improvements from {often} on could be shown. Where there are more examples to be had, they help more at the same "
            "price."
        )
    return "Asking each example several times would not help noticeably; more examples would."


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0.0):.0f} %"


def _ends(ends: Json) -> str:
    """A figure in points with the ends of its interval."""
    return f"{_points(ends['value'])} ({_number(ends['low'])} to {_number(ends['high'])})"


def _points(value: float) -> str:
    said = _number(value)
    return f"{said} point" if said == "1" else f"{said} points"


def _number(value: float) -> str:
    """Points with a decimal below ten; without a needless zero."""
    points = 100 * value
    return f"{points:.1f}".removesuffix(".0") if points < 9.95 else f"{points:.0f}"
