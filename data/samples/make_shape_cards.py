"""Draws the sample of shape cards: python data/samples/make_shape_cards.py. The same pictures every time."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from PIL import Image, ImageDraw

HERE = Path(__file__).resolve().parent
SIDE = 96
COLOURS = {"red": (204, 46, 46), "green": (38, 145, 72), "blue": (38, 82, 196), "yellow": (232, 196, 36)}
GROUNDS = ((250, 250, 248), (236, 239, 244), (244, 240, 230), (240, 246, 240))
SHAPES = ("circle", "square", "triangle")


def main() -> None:
    """Four cards of each colour and shape, at different places and sizes."""
    dice, rows = random.Random(7), []  # noqa: S311 - no secret
    for take, ground in enumerate(GROUNDS, 1):
        for colour, paint in COLOURS.items():
            for shape in SHAPES:
                name = f"{colour}-{shape}-{take}.png"
                draw(shape, paint, ground, dice).save(HERE / "shape_cards" / name, optimize=True)
                rows.append((f"shape_cards/{name}", "Which shape is on the card?", shape))
    dice.shuffle(rows)
    with (HERE / "shape_cards.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("image", "input", "answer"), *rows])


def draw(shape: str, paint: tuple[int, int, int], ground: tuple[int, int, int], dice: random.Random) -> Image.Image:
    """One card."""
    card = Image.new("RGB", (SIDE, SIDE), ground)
    size = dice.randint(36, 64)
    left, top = dice.randint(8, SIDE - 8 - size), dice.randint(8, SIDE - 8 - size)
    box, pen = (left, top, left + size, top + size), ImageDraw.Draw(card)
    if shape == "circle":
        pen.ellipse(box, fill=paint)
    elif shape == "square":
        pen.rectangle(box, fill=paint)
    else:
        pen.polygon([(left + size // 2, top), (left, top + size), (left + size, top + size)], fill=paint)
    return card.quantize(8)


if __name__ == "__main__":
    main()
