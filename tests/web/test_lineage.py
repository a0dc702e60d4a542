"""The drawing of a lineage: what is connected, and that no line runs over another version."""

from __future__ import annotations

import datetime as dt
import re

from hypothesis import given
from hypothesis import strategies as st

from app.services.prompts import Node
from app.web.lineage import LANE, MARGIN, ROW, Drawing, draw

FATES = {"+": "accepted", "-": "rejected", "!": "invalid", ".": ""}


def nodes(*versions: tuple[str, int | None], head: int | None = None) -> list[Node]:
    """(fate sign, parent) of versions 1, 2, ...; the head is the last that was not refused."""
    settled = [number for number, (sign, _) in enumerate(versions, 1) if sign in "+."]
    at = head or settled[-1]
    moment = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    return [
        Node(number, parent, "run", FATES[sign], None, (), None, number == at, moment)
        for number, (sign, parent) in enumerate(versions, 1)
    ]


def lanes(drawing: Drawing) -> dict[int, int]:
    return {dot.node.number: (dot.x - MARGIN) // LANE for dot in drawing.dots}


def test_one_version() -> None:
    drawing = draw(nodes((".", None)))
    assert (lanes(drawing), drawing.paths, drawing.height) == ({1: 0}, (), ROW)
    assert drawing.dots[0].words == "version 1, a beginning"


def test_the_way_to_the_head_is_straight_and_refused_proposals_hang_beside_it() -> None:
    drawing = draw(nodes((".", None), ("-", 1), ("+", 1), ("-", 3), ("!", 3), ("+", 3), ("-", 6), ("-", 6)))
    assert lanes(drawing) == {1: 0, 3: 0, 6: 0, 2: 1, 4: 1, 5: 1, 7: 1, 8: 1}
    assert [dot.node.number for dot in drawing.dots] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert drawing.dots[-2].words == "version 2, rejected, made from version 1"


def test_a_side_line_keeps_its_lane_and_its_own_proposals_hang_off_it() -> None:
    drawing = draw(nodes((".", None), ("+", 1), ("-", 2), ("+", 2), ("-", 4), ("-", 4), (".", 1), head=7))
    assert lanes(drawing) == {1: 0, 7: 0, 2: 1, 4: 1, 3: 2, 5: 2, 6: 2}


def test_a_parent_out_of_sight_is_left_out() -> None:
    drawing = draw(nodes((".", None), ("+", 1), ("-", 2))[1:])
    assert len(drawing.paths) == 1


@st.composite
def histories(draw_: st.DrawFn) -> list[Node]:
    signs = draw_(st.lists(st.sampled_from("+-!."), max_size=14))
    parents = [draw_(st.integers(1, number)) for number in range(1, len(signs) + 1)]
    return nodes((".", None), *zip(signs, parents, strict=True))


@given(histories())
def test_lines_meet_no_other_versions(history: list[Node]) -> None:
    drawing = draw(history)
    at = {dot.node.number: (dot.x, dot.y) for dot in drawing.dots}
    assert len(set(at.values())) == len(history)
    assert len(drawing.paths) == sum(node.parent is not None for node in history)
    for node, path in zip((n for n in history if n.parent), drawing.paths, strict=True):
        ends = {at[node.number], at[node.parent or 0]}
        x, top, bottom = upright(path)
        assert not {p for p in at.values() if p[0] == x and top < p[1] < bottom} - ends


def upright(path: str) -> tuple[int, int, int]:
    """(x, top, bottom) of the vertical piece of a path."""
    numbers = [int(n) for n in re.findall(r"\d+", path)]
    hangs = "Q" in path and path.index("H") < path.index("Q")
    x, top, bottom = numbers[-3:] if hangs else numbers[:3]
    return x, top, bottom
