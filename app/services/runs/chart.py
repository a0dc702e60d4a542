"""The learning curves as a drawing (SVG) that needs no script, prints, and is told apart without colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 12, 34
GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
MOST_TICKS = 12


@dataclass(frozen=True, slots=True)
class Curves:
    """Scores in [0, 1] by epoch, the baseline being epoch 0; None where there is none. low, high: interval of best."""

    epochs: Sequence[int]
    train: Sequence[float | None]
    validation: Sequence[float | None]
    best: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]


def draw(curves: Curves) -> Markup:
    """The drawing; "" when there is nothing to draw yet."""
    if not curves.epochs:
        return Markup("")
    plot = _Plot(max(curves.epochs) or 1)
    parts = [
        *plot.grid(curves.epochs),
        plot.band(curves.epochs, curves.low, curves.high),
        plot.line("train", curves.epochs, curves.train),
        plot.line("best", curves.epochs, curves.best),
        *plot.dots("train", curves.epochs, curves.train),
        *plot.dots("validation", curves.epochs, curves.validation),
    ]
    head = f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="chart-title">'
    title = '<title id="chart-title">Scores by epoch; the same figures stand in the table below.</title>'
    # Everything in it is a number or a word of ours.
    return Markup(head + title + "".join(parts) + "</svg>")  # noqa: S704


class _Plot:
    """Turns epochs and scores into places."""

    def __init__(self, last_epoch: int) -> None:
        self._last = last_epoch

    def x(self, epoch: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * epoch / self._last, 1)

    def y(self, score: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - score), 1)

    def grid(self, epochs: Sequence[int]) -> Iterator[str]:
        for score in GRID:
            y = self.y(score)
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
            yield f'<text class="tick" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{score:g}</text>'
        for epoch in epochs[:: -(-len(epochs) // MOST_TICKS)]:
            yield f'<text class="tick" x="{self.x(epoch)}" y="{HEIGHT - 14}" text-anchor="middle">{epoch}</text>'
        yield f'<text class="tick" x="{WIDTH - RIGHT}" y="{HEIGHT - 1}" text-anchor="end">epoch</text>'

    def band(self, epochs: Sequence[int], low: Sequence[float | None], high: Sequence[float | None]) -> str:
        both = [(e, a, b) for e, a, b in zip(epochs, low, high, strict=True) if a is not None and b is not None]
        if len(both) < 2:
            return ""
        there = [(self.x(e), self.y(b)) for e, _, b in both]
        back = [(self.x(e), self.y(a)) for e, a, _ in reversed(both)]
        return f'<polygon class="band" points="{" ".join(f"{x},{y}" for x, y in there + back)}"/>'

    def line(self, name: str, epochs: Sequence[int], scores: Sequence[float | None]) -> str:
        places = [f"{self.x(e)},{self.y(s)}" for e, s in zip(epochs, scores, strict=True) if s is not None]
        return f'<polyline class="line {name}" points="{" ".join(places)}"/>' if len(places) > 1 else ""

    def dots(self, name: str, epochs: Sequence[int], scores: Sequence[float | None]) -> Iterator[str]:
        for epoch, score in zip(epochs, scores, strict=True):
            if score is not None:
                x, y = self.x(epoch), self.y(score)
                about = f"<title>epoch {epoch}, {name} {score:.3f}</title>"
                shape = f'<rect class="dot {name}" x="{x - 4}" y="{y - 4}" width="8" height="8"'
                turned = f' transform="rotate(45 {x} {y})"' if name == "validation" else ""
                yield f"{shape}{turned}>{about}</rect>"
