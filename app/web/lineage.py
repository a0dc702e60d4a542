"""A drawing of where versions come from: a row each, newest on top, the line that leads to the head straight on the left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.services.prompts import Node

ROW = 34
LANE = 18
MARGIN = 12


@dataclass(frozen=True)
class Dot:
    """A version in the drawing. x, y: its middle in pixels; words: what a reader without the picture is told."""

    node: Node
    x: int
    y: int
    words: str


@dataclass(frozen=True)
class Drawing:
    """dots: newest first. paths: SVG paths from parents to children. width and height in pixels; row: height of one version."""

    dots: tuple[Dot, ...]
    paths: tuple[str, ...]
    width: int
    height: int
    row: int = ROW


@dataclass
class _Lanes:
    """Which rows of each side lane are taken, so that no line runs over another one."""

    taken: list[list[tuple[int, int]]] = field(default_factory=list)

    def find(self, top: int, bottom: int) -> int:
        """The leftmost side lane, from 1, that is free in these rows; it is taken from now on."""
        for lane, taken in enumerate(self.taken, start=1):
            if all(bottom < first or top > last for first, last in taken):
                taken.append((top, bottom))
                return lane
        self.taken.append([(top, bottom)])
        return len(self.taken)


def draw(nodes: Sequence[Node]) -> Drawing:
    """Lay out the versions; nodes are by number, and a parent that is not among them is left out."""
    rows = {node.number: row for row, node in enumerate(sorted(nodes, key=lambda node: -node.number))}
    trunk = _trunk(nodes)
    lanes, lane_of = _Lanes(), dict.fromkeys(trunk, 0)
    for node in nodes:
        if node.number not in trunk:
            bottom = rows[node.number] if _hangs(node, trunk) or node.parent not in rows else rows[node.parent] - 1
            lane_of[node.number] = lanes.find(rows[node.number], max(bottom, rows[node.number]))
    points = {number: (MARGIN + lane_of[number] * LANE, row * ROW + ROW // 2) for number, row in rows.items()}
    paths = tuple(
        _path(points[node.parent], points[node.number], _hangs(node, trunk)) for node in nodes if node.parent in points
    )
    dots = tuple(Dot(node, *points[node.number], _words(node)) for node in reversed(nodes))
    return Drawing(dots, paths, 2 * MARGIN + max(lane_of.values(), default=0) * LANE, len(nodes) * ROW)


def _trunk(nodes: Sequence[Node]) -> dict[int, int | None]:
    """The head and everything that it was made from: number -> number of the one that was made from it."""
    by_number = {node.number: node for node in nodes}
    at, after = next((node for node in nodes if node.is_head), None), None
    found: dict[int, int | None] = {}
    while at is not None:
        found[at.number], after = after, at.number
        at = by_number.get(at.parent) if at.parent is not None else None
    return found


def _hangs(node: Node, trunk: dict[int, int | None]) -> bool:
    """Whether a side branch leaves the trunk at its own height: there the trunk still is a piece of its parent's."""
    if node.parent not in trunk or node.number in trunk:
        return False
    after = trunk[node.parent]
    return after is None or node.number < after


def _path(parent: tuple[int, int], child: tuple[int, int], hangs: bool) -> str:
    (px, py), (cx, cy) = parent, child
    if px == cx:
        return f"M{cx} {cy}V{py}"
    if hangs:
        return f"M{cx} {cy}H{px + 8}Q{px} {cy} {px} {cy + 8}V{py}"
    bend = 8 if cx > px else -8
    return f"M{cx} {cy}V{py - 8}Q{cx} {py} {cx - bend} {py}H{px}"


def _words(node: Node) -> str:
    parts = [f"version {node.number}"]
    if node.fate:
        parts.append(node.fate)
    parts.append(f"made from version {node.parent}" if node.parent else "a beginning")
    return ", ".join(parts)
