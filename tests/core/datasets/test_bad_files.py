"""Files that must be refused, with the place and the reason in the message."""

from __future__ import annotations

import codecs
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.datasets import BadFile, Limits, map_columns, read_table

HEAD = b"user_input,ground_truth_output\n"
SMALL = Limits(max_bytes=2000, max_rows=5, max_columns=4, max_cell_chars=100)

BAD: list[tuple[str, bytes, list[str]]] = [
    ("empty.csv", b"", ["the file is empty"]),
    ("mark only.csv", codecs.BOM_UTF8, ["the file is empty"]),
    ("blank.csv", b"\n \n\n", ["no input column"]),
    ("newlines.csv", b"\n\r\n", ["the file is empty"]),
    ("header.csv", HEAD, ["header but no rows"]),
    ("header16.csv", HEAD.decode().encode("utf-16"), ["header but no rows"]),
    ("twice.csv", b"user_input,a,user_input\n1,2,3\n", ["line 1", "'user_input'", "columns 1 and 3", "rename"]),
    ("twice.csv", b"\ninput, answer,answer \n1,2,3\n", ["line 2", "'answer'", "columns 2 and 3"]),
    ("open.csv", HEAD + b'a,b\n"c,d\ne,f\n', ["row 2 (line 3)", "'user_input'", "line 3 is never closed"]),
    ("open.csv", HEAD + b'a,b\nc,"d\n\ne,f\n', ["row 2 (line 3)", "'ground_truth_output'", "never closed"]),
    ("open header.csv", b'user_input,"ground_truth\na,b\n', ["line 1", "column '2'", "never closed"]),
    (
        "early.csv",
        HEAD + b'a,b\n"c" d,e\n',
        ["row 2 (line 3)", "'user_input'", "closing quote on line 3", 'twice ("")'],
    ),
    ("shifted.csv", HEAD + b'a,"b\nc,"d",e\n', ["row 1 (line 2)", "'ground_truth_output'", "closing quote on line 3"]),
    (
        "swallows.csv",
        HEAD + b'a,"b\n' + b"c,d\n" * 150,
        ["row 1 (line 2)", "400 characters", "opened on line 2", "never closed?"],
    ),
    ("nul.csv", HEAD + b"a,b\nc,d\0\n", ["line 3", "NUL"]),
    ("nul16.csv", (HEAD + b"a,b\nc\0,d\n").decode().encode("utf-16"), ["line 3", "NUL"]),
    ("book.csv", b"PK\x03\x04\x14\0\x06\0", ["Excel workbook", "save it as CSV"]),
    ("book.xls", b"\xd0\xcf\x11\xe0\xa1\xb1", ["old Excel workbook"]),
    ("doc.csv", b"%PDF-1.7 ...", ["PDF"]),
    ("photo.csv", b"\xff\xd8\xff\xe0", ["JPEG"]),
    ("image.csv", b"\x89PNG\r\n\x1a\n\0\0", ["PNG"]),
    ("noise.csv", bytes(range(1, 32)) * 20, ["binary file"]),
    ("noise0.csv", bytes(range(256)) * 4, ["binary file"]),
    ("wide.csv", "a,b".encode("utf-32"), ["UTF-32", "save it as UTF-8"]),
    ("damaged.csv", HEAD + "déjà vu,été ü ö ä\n".encode() + b"\xff,b\n", ["line 3", "0xFF", "not UTF-8"]),
    ("cut.csv", HEAD + "déjà vu à côté,été".encode()[:-1], ["line 2", "not UTF-8"]),
    ("half16.csv", "user_input,ground_truth_output\na,b\n".encode("utf-16") + b"x", ["line 3", "UTF-16"]),
    ("missing.csv", b"user_input,foo\na,b\n", ["no answer column", "user_input, foo"]),
    ("missing.csv", b"foo;bar\na;b\n", ["no input column", "foo, bar"]),
    ("one column.csv", b"user_input\na\n", ["no answer column", "user_input"]),
    ("ragged.csv", HEAD + b"a\nb\n", ["line 2", "no row is left", "2 of 2 rows dropped", "1 where the header has 2"]),
    ("blanks.csv", HEAD + b",x\n , y\n", ["no row is left", "2 empty input"]),
    ("many rows.csv", HEAD + b"a,b\n" * 6, ["more than 5 rows", "uploads.max_rows"]),
    ("many ragged rows.csv", HEAD + b"a\n" * 6, ["more than 5 rows", "uploads.max_rows"]),
    ("many columns.csv", b"user_input,answer,a,b,c\n1,2,3,4,5\n", ["5 columns", "more than 4", "uploads.max_columns"]),
    ("large.csv", HEAD + b"a,b\n" * 600, ["more than", "uploads.max_mb"]),
    ("long.csv", HEAD + b"a" * 500 + b",b\n", ["row 1 (line 2)", "more than 400 characters", "uploads.max_cell_chars"]),
    ("a.jsonl", b'{"input": "a", "answer": "b"}\n[1]\n', ["row 2 (line 2)", "an array", "one object per line"]),
    ("a.jsonl", b'{"input": "a", "answer": "b"}\n\n"x"\n', ["row 2 (line 3)", "no object"]),
    ("a.jsonl", b'{"input": "a", "answer": "b", "input": "c"}', ["row 1 (line 1)", "'input'", "twice"]),
    ("a.jsonl", b'{"input": "a", "answer": {"b": 1, "b": 2}}', ["'b'", "twice"]),
    ("a.jsonl", b'{"input": "a", "answer": "b"}\n{"input": ', ["row 2 (line 2)", "not JSON at character"]),
    ("a.jsonl", b'{\n  "input": "a"\n}', ["row 1 (line 1)", "one whole object on each line"]),
    ("a.jsonl", b'{"input": "a", "answer": NaN}', ["NaN is not a JSON value"]),
    ("a.jsonl", b'{"input": "a", "answer": 1e999}', ["too large"]),
    ("a.jsonl", b'{"input": "a"}', ["no answer column", "the file has the columns input"]),
    ("a.jsonl", b"{}", ["no rows with fields"]),
    ("a.jsonl", b"\n\n", ["no rows with fields"]),
    ("a.jsonl", b"", ["the file is empty"]),
    ("a.jsonl", b'{"input":1,"answer":1,"c":1,"d":1,"e":1}', ["5 columns"]),
    ("a.jsonl", b'{"input": "a\0 and more"}', ["NUL"]),
    ("a.json", b'[{"input": "a", "answer": "b"}]', ["JSON array", "one object per line"]),
]


def read_all(name: str, data: bytes, limits: Limits = SMALL) -> None:
    read = read_table(io.BytesIO(data), name, limits=limits)
    for _ in read.items(map_columns(read.columns)):
        pass


@pytest.mark.parametrize(("name", "data", "parts"), BAD)
def test_refused_in_words(name: str, data: bytes, parts: list[str]) -> None:
    with pytest.raises(BadFile) as error:
        read_all(name, data)
    for part in parts:
        assert part in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("digits", [5000, 100_000])
def test_a_number_of_very_many_digits_is_refused(digits: int) -> None:
    with pytest.raises(BadFile, match="too many digits"):
        read_all("a.jsonl", b'{"input": "a", "answer": ' + b"9" * digits + b"}", Limits())


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(BadFile, match="nested too deeply"):
        read_all("a.jsonl", b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", Limits())


def test_the_place_is_there_for_programs_too() -> None:
    with pytest.raises(BadFile) as error:
        read_all("a.csv", HEAD + b'a,b\nc,"d')
    found = error.value
    assert (found.row, found.line, found.column, found.field) == (2, 3, "ground_truth_output", "file")


@pytest.mark.parametrize(
    ("chosen", "field", "part"),
    [
        (("nope", None), "input_column", "there is no column 'nope'; the file has the columns a, b"),
        (("a", "nope"), "answer_column", "there is no column 'nope'"),
        (("a", None), "answer_column", "no answer column"),
        (("a", "a"), "answer_column", "choose two columns"),
    ],
)
def test_a_wrong_mapping_names_the_field(chosen: tuple[str | None, str | None], field: str, part: str) -> None:
    with pytest.raises(BadFile) as error:
        map_columns(["a", "b"], *chosen)
    assert error.value.field == field
    assert part in str(error.value)


BASES = (
    HEAD + b'"a, ""b""\nc",d\n',
    "input;answer\né;ü\n".encode(),
    "input\tanswer\nOù\tété\n".encode("cp1252"),
    "input,answer\na,b\n".encode("utf-16"),
    b'{"input": "a", "answer": [1, 2.50, {"b": null}]}\n{"input": "c", "answer": "d"}\n',
)
PIECES = (
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"{",
    b"]",
    b"sep=;\n",
    b"NaN",
    b"\\ud800",
    b"\xc3",
    b"9" * 5000,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = draw(st.sampled_from(BASES))
    for piece in draw(st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=4)):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + piece + data[at + draw(st.integers(0, 3)) :]
    return data


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(damaged(), st.sampled_from(["a", "a.csv", "a.jsonl"]))
def test_whatever_the_bytes_a_file_is_refused_in_words_or_every_row_is_accounted_for(data: bytes, name: str) -> None:
    try:
        read = read_table(io.BytesIO(data), name, limits=SMALL)
        rows = list(read.items(map_columns(read.columns)))
    except BadFile as error:
        assert 0 < len(str(error)) < 1500  # noqa: PT017 - a message, not a flag
    else:
        assert read.report.rows == len(rows) + read.report.dropped_total
        assert all((row.input + row.reference).encode() for row in rows)
