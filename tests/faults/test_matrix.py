"""No fault without a test, and no empty cell in the table that shows them."""

from __future__ import annotations

import ast

import pytest

from app.config import ROOT
from tests.faults.matrix import BEGIN, END, PAGE, ROWS, Row, figure, table

TESTS = ROOT / "tests"


def test_every_fault_has_its_row() -> None:
    assert [row.number for row in ROWS] == [f"F{number:02}" for number in range(1, 43)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_its_tests_are_there_and_no_cell_is_empty(row: Row) -> None:
    assert row.tests
    for test in row.tests:
        file, _, name = test.partition("::")
        assert not name or name in functions(file), test
        assert (TESTS / file).is_file(), test
    assert all(cell.strip() for cell in (row.fault, row.promise, figure(row)))


@pytest.mark.parametrize("row", [row for row in ROWS if row.ordinary], ids=lambda row: row.number)
def test_what_is_said_to_be_ordinary_is(row: Row) -> None:
    assert any(not is_marked(*test.partition("::")[::2]) for test in row.tests)


def test_enough_of_them_are_ordinary() -> None:
    assert sum(row.ordinary for row in ROWS) >= 12


def test_the_page_shows_the_table() -> None:
    shown = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert shown == table(), "run python -m tests.faults.matrix"


def functions(file: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a file, by name."""
    found = ast.parse((TESTS / file).read_text()).body
    return {node.name: node for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def is_marked(file: str, name: str) -> bool:
    """Whether a test runs in `make faults` only."""
    text = (TESTS / file).read_text()
    if "pytestmark = pytest.mark.faults" in text or not file.rpartition("/")[2].startswith("test_"):
        return True
    return bool(name) and any("mark.faults" in ast.unparse(mark) for mark in functions(file)[name].decorator_list)
