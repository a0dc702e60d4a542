"""A drawing of where versions come from: a row each, newest on top, the line that leads to the head straight on the left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

ROW = 34
LANE = 18
MARGIN = 12


class Node(Protocol):
    """A version as far as it is drawn. parent: number of the version that it was made from."""

    @property
    def number(self) -> int: ...
    @property
    def parent(self) -> int | None: ...
    @property
    def fate(self) -> str: ...
    @property
    def is_head(self) -> bool: ...
    @property
    def refused(self) -> bool: ...


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


def draw(nodes: Sequence[Node]) -> Drawing:
    """Lay out the versions; nodes are by number, and a parent that is not among them is left out.

    A chain of versions, each made from the one before, keeps one lane. What else was made from a version hangs off its chain at
    its own height, so that a dozen refused proposals of one version need one more lane and not a dozen.
    """
    rows = {node.number: len(nodes) - 1 - at for at, node in enumerate(nodes)}
    following = _following(nodes)
    lane_of: dict[int, int] = {}
    lanes = _Lanes()
    for chain in _chains(nodes, following):
        last = chain[-1].number
        top = min(rows[n.number] for n in nodes if n.number == last or (n.parent == last and _hangs(n, following)))
        bottom = rows[chain[0].number]
        if chain[0].parent in rows and not _hangs(chain[0], following):
            bottom = rows[chain[0].parent] - 1
        lane = lanes.find(top, bottom)
        lane_of |= {node.number: lane for node in chain}
    points = {number: (MARGIN + lane_of[number] * LANE, row * ROW + ROW // 2) for number, row in rows.items()}
    paths = tuple(_path(points[n.parent], points[n.number], _hangs(n, following)) for n in nodes if n.parent in points)
    dots = tuple(Dot(node, *points[node.number], _words(node)) for node in reversed(nodes))
    return Drawing(dots, paths, 2 * MARGIN + max(lane_of.values(), default=0) * LANE, len(nodes) * ROW)


@dataclass
class _Lanes:
    """Which rows of each lane are taken, so that no line runs over another one."""

    taken: list[list[tuple[int, int]]] = field(default_factory=list)

    def find(self, top: int, bottom: int) -> int:
        """The leftmost lane that is free in these rows; it is taken from now on."""
        for lane, taken in enumerate(self.taken):
            if all(bottom < first or top > last for first, last in taken):
                taken.append((top, bottom))
                return lane
        self.taken.append([(top, bottom)])
        return len(self.taken) - 1


def _following(nodes: Sequence[Node]) -> dict[int, int]:
    """Which version goes on in a version's lane: the one on the way to the head, else the first that was not refused."""
    by_number = {node.number: node for node in nodes}
    found: dict[int, int] = {}
    at = next((node for node in nodes if node.is_head), None)
    while at is not None and at.parent is not None and at.parent in by_number:
        found[at.parent], at = at.number, by_number[at.parent]
    for node in nodes:
        if node.parent is not None and node.parent in by_number and not node.refused:
            found.setdefault(node.parent, node.number)
    return found


def _chains(nodes: Sequence[Node], following: Mapping[int, int]) -> list[list[Node]]:
    """Every chain from its first version on; the one that ends at the head comes first and so gets the first lane."""
    by_number = {node.number: node for node in nodes}
    chains = []
    for node in nodes:
        if node.parent is None or following.get(node.parent) != node.number:
            chain = [node]
            while chain[-1].number in following:
                chain.append(by_number[following[chain[-1].number]])
            chains.append(chain)
    return sorted(chains, key=lambda chain: not any(node.is_head for node in chain))


def _hangs(node: Node, following: Mapping[int, int]) -> bool:
    """Whether the version leaves its parent's lane at its own height: up to there the lane is still its parent's."""
    if node.parent is None or following.get(node.parent) == node.number:
        return False
    return node.number < following.get(node.parent, node.number + 1)


def _path(parent: tuple[int, int], child: tuple[int, int], hangs: bool) -> str:
    (px, py), (cx, cy) = parent, child
    if px == cx:
        return f"M{cx} {cy}V{py}"
    bend = 8 if cx > px else -8
    if hangs:
        return f"M{cx} {cy}H{px + bend}Q{px} {cy} {px} {cy + 8}V{py}"
    return f"M{cx} {cy}V{py - 8}Q{cx} {py} {cx - bend} {py}H{px}"


def _words(node: Node) -> str:
    parts = [f"version {node.number}"]
    if node.fate:
        parts.append(node.fate)
    parts.append(f"made from version {node.parent}" if node.parent is not None else "a beginning")
    return ", ".join(parts)
