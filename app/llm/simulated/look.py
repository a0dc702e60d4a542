"""How the simulated primary model sees: the one thing on a plain ground, by its colour and its outline. Nothing else.

It stands in for a model with eyes where there is none, and is a pure function of the pixels.
"""

from __future__ import annotations

import io
import math
from collections import Counter
from functools import lru_cache

from PIL import Image as Pillow

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "red": (200, 40, 40),
    "green": (40, 150, 70),
    "blue": (40, 80, 190),
    "yellow": (235, 200, 40),
    "orange": (235, 130, 30),
    "purple": (130, 60, 160),
    "black": (20, 20, 20),
    "grey": (128, 128, 128),
    "white": (245, 245, 245),
}
_GRID = 64
"""Pixels of the longer side that are looked at."""
_APART = 70.0
"""Distance in RGB from the ground at which a pixel belongs to the thing."""


@lru_cache(maxsize=4096)
def seen(content: bytes) -> str:
    """What a picture shows, in a sentence."""
    with Pillow.open(io.BytesIO(content)) as image:
        small = image.convert("RGB")
    small.thumbnail((_GRID, _GRID), Pillow.Resampling.NEAREST)
    width, height = small.size
    pixels = [small.getpixel((x, y)) for y in range(height) for x in range(width)]
    points: list[Colour] = [(p[0], p[1], p[2]) for p in pixels if isinstance(p, tuple)]
    ground = points[0]
    thing = [number for number, point in enumerate(points) if math.dist(point, ground) > _APART]
    if len(thing) < 0.01 * len(points):
        return f"The picture is all {_name(ground)}."
    colour = _name(Counter(points[number] for number in thing).most_common(1)[0][0])
    return f"The picture shows a {colour} {_outline(thing, width)}."


def _name(colour: Colour) -> str:
    return min(COLOURS, key=lambda name: math.dist(COLOURS[name], colour))


def _outline(thing: list[int], width: int) -> str:
    """By the share of its frame that it fills: a square all of it, a circle pi / 4, a triangle a half."""
    across, down = [number % width for number in thing], [number // width for number in thing]
    frame = (max(across) - min(across) + 1) * (max(down) - min(down) + 1)
    fills = len(thing) / frame
    return "square" if fills > 0.9 else "circle" if fills > 0.65 else "triangle"
