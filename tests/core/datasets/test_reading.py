"""Files that must be read, and come out as they were written."""

from __future__ import annotations

import codecs
import csv
import io
import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.datasets import BadFile, Item, Limits, Table, map_columns, read_table
from tests.core.datasets.tables import triples

PROPERTY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=80)
SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"

FRENCH = "user_input,ground_truth_output\nOù est ma commande ?,suivi\nJ’ai été débité,paiement à vérifier\n"


def table(content: bytes | str, name: str = "a.csv", limits: Limits | None = None) -> Table:
    data = content.encode() if isinstance(content, str) else content
    return read_table(io.BytesIO(data), name, limits=limits)


def items(read: Table) -> list[Item]:
    return list(read.items(map_columns(read.columns)))


def pairs(read: Table) -> list[tuple[str, str]]:
    return [(item.input, item.reference) for item in items(read)]


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (FRENCH.encode(), "UTF-8"),
        (codecs.BOM_UTF8 + FRENCH.encode(), "UTF-8 with BOM"),
        (FRENCH.encode("utf-16"), "UTF-16 LE"),
        (codecs.BOM_UTF16_BE + FRENCH.encode("utf-16-be"), "UTF-16 BE"),
        (FRENCH.encode("utf-16-le"), "UTF-16 LE"),
        (FRENCH.encode("utf-16-be"), "UTF-16 BE"),
        (FRENCH.encode("cp1252"), "Windows-1252"),
    ],
)
def test_encodings(data: bytes, title: str) -> None:
    read = table(data)
    assert read.encoding == title
    assert pairs(read) == [("Où est ma commande ?", "suivi"), ("J’ai été débité", "paiement à vérifier")]
    assert bool(read.report.notes) is (title == "Windows-1252")


@pytest.mark.parametrize(
    ("codec", "title", "text"),
    [
        ("cp1251", "Windows-1251", "Где моя посылка? Я жду её с понедельника"),
        ("koi8_r", "KOI8-R", "Где моя посылка? Я жду её с понедельника, а на сайте написано, что она уже доставлена"),
        ("cp1253", "Windows-1253", "Πού είναι η παραγγελία μου; Περιμένω από τη Δευτέρα"),
        ("euc_kr", "EUC-KR", "제 소포는 어디에 있나요? 월요일부터 기다리고 있어요"),
        ("cp1250", "Windows-1250", "Gdzie jest moja paczka? Zażółć gęślą jaźń"),
        ("cp932", "Shift JIS", "荷物はどこですか。月曜日から待っています"),
        ("gb18030", "GB 18030", "我的包裹在哪里？我从星期一就在等"),
        ("cp1252", "Windows-1252", "Wo ist mein Päckchen, größer"),
        ("cp1252", "Windows-1252", "¿Dónde está mi pedido? El niño"),
        ("cp1252", "Windows-1252", "It costs 5 €"),
    ],
)
def test_older_encodings_are_guessed_and_it_is_said(codec: str, title: str, text: str) -> None:
    read = table(f"input\tanswer\n{text}\tx\nplain\ty\n".encode(codec))
    assert (read.encoding, items(read)[0].input) == (title, text)
    assert "not UTF-8" in read.report.as_json()["notes"][0]


def test_an_older_encoding_is_found_even_when_its_first_letter_comes_late() -> None:
    data = b"input,answer\n" + b"plain,text\n" * 200_000 + "déjà vu,été\n".encode("cp1252")
    assert pairs(table(data))[-1] == ("déjà vu", "été")


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_separators(mark: str) -> None:
    rows = [["user_input", "note, or; so|on", "ground_truth_output"], ["a, b; c", "x\ty", "1|2"], ["d", "", "e"]]
    text = io.StringIO()
    csv.writer(text, delimiter=mark).writerows(rows)
    read = table(text.getvalue())
    assert read.delimiter == mark
    assert pairs(read) == [("a, b; c", "1|2"), ("d", "e")]
    assert items(read)[0].extra == {"note, or; so|on": "x\ty"}


def test_a_separator_that_excel_declares() -> None:
    read = table("sep=;\r\ninput;answer\r\na,b;c,d\r\n")
    assert (read.columns, pairs(read)) == (("input", "answer"), [("a,b", "c,d")])


def test_unknown_names_still_give_the_separator_by_the_shape_of_the_table() -> None:
    read = table("texte;réponse, courte\nun, deux;trois\nquatre;cinq\n")
    assert read.columns == ("texte", "réponse, courte")


def test_values_are_never_interpreted() -> None:
    odd = [
        "NA",
        "null",
        "None",
        "007",
        "1.50",
        " spaces ",
        "=1+1",
        "true",
        "NaN",
        "1e5",
        '"quoted"',
        "a\r\nb\nc",
        "\N{NO-BREAK SPACE}x",
    ]
    text = io.StringIO()
    csv.writer(text).writerows([["input", "answer"], *[[value, value] for value in odd]])
    assert pairs(table(text.getvalue())) == [(value, value) for value in odd]


def test_rows_and_lines_are_counted_through_quoted_newlines_and_empty_lines() -> None:
    read = table('\ninput,answer\n"a\nb",1\n\n\nc,\nd,4\n')
    assert [(item.row, item.line, item.input) for item in items(read)] == [(1, 3, "a\nb"), (3, 8, "d")]
    dropped = read.report.as_json()["dropped"]
    assert dropped == [{"row": 2, "line": 7, "reason": "empty answer"}]


def test_every_dropped_row_is_reported_with_its_reason() -> None:
    read = table("input,answer,note\na,1,x\nb,2\nc,3,x,y\n ,4,x\nd,\t,x\ne,5,,,\nf,6,x\n")
    assert [item.input for item in items(read)] == ["a", "e", "f"]
    report = read.report.as_json()
    assert (report["rows"], report["kept"], report["dropped_total"]) == (7, 3, 4)
    assert report["reasons"] == {"wrong number of cells": 2, "empty input": 1, "empty answer": 1}
    assert [(one["row"], one["reason"]) for one in report["dropped"]] == [
        (2, "wrong number of cells: 2 where the header has 3"),
        (3, "wrong number of cells: 4 where the header has 3"),
        (4, "empty input"),
        (5, "empty answer"),
    ]
    assert read.report.summary == "4 of 7 rows dropped: 2 wrong number of cells, 1 empty input, 1 empty answer"


def test_cells_beyond_the_limit_of_the_csv_module() -> None:
    long = "x" * 500_000
    assert pairs(table(f"input,answer\n{long},1\n")) == [(long, "1")]
    read = table(f"input,answer\n{long},1\nb,2\n", limits=Limits(max_cell_chars=200_000))
    assert pairs(read) == [("b", "2")]
    assert "500,000 characters in column 'input', more than 200,000" in read.report.dropped[0].reason


def test_columns_without_a_name_get_one() -> None:
    assert table(",input,answer\n0,a,b\n").columns == ("column 1", "input", "answer")


def test_jsonl_keeps_what_was_written() -> None:
    lines = [
        '{"input": "007", "answer": 7, "extra": [1.50, {"a": "é"}]}',
        "",
        '{"answer": 1.50, "input": true}',
        '{"input": {"a": 1}, "answer": "null"}',
        '{"input": "a", "answer": null, "other": "new"}',
        '{"input": "b"}',
        '{"input": "big", "answer": 12345678901234567890123}',
    ]
    read = table("\n".join(lines), "a.jsonl")
    assert read.columns == ("input", "answer", "extra", "other")
    assert pairs(read) == [
        ("007", "7"),
        ("true", "1.50"),
        ('{"a": 1}', "null"),
        ("big", "12345678901234567890123"),
    ]
    assert items(read)[0].extra == {"extra": '[1.5, {"a": "é"}]'}
    assert [(one.row, one.line, one.reason) for one in read.report.dropped] == [
        (4, 5, "empty answer"),
        (5, 6, "empty answer"),
    ]


def test_what_no_database_can_store_is_replaced_and_it_is_said() -> None:
    read = table('{"input": "a\\u0000b\\ud800", "answer": "x"}', "a.jsonl")
    assert pairs(read) == [("a\ufffdb\ufffd", "x")]
    assert "1 cell(s)" in read.report.as_json()["notes"][0]


def test_a_column_that_no_database_can_store_is_renamed() -> None:
    read = table('{"input": "a", "answer": "x", "b\\ud800": "y"}', "a.jsonl")
    assert read.columns == ("input", "answer", "b\ufffd")
    with pytest.raises(BadFile, match="twice"):
        table('{"input": "a", "answer": "x", "\\ud800": 1, "\\ud801": 2}', "a.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.jsonl", '{"input": "a", "answer": "b"}', "jsonl"),
        ("a.ndjson", '{"input": "a", "answer": "b"}', "jsonl"),
        ("a.json", '{"input": "a", "answer": "b"}', "jsonl"),
        ("upload", '\ufeff {"input": "a", "answer": "b"}', "jsonl"),
        ("a.txt", "input\tanswer\na\tb", "csv"),
        ("a.CSV", "input,answer\na,b", "csv"),
    ],
)
def test_the_format_is_told_by_ending_or_first_character(name: str, content: str, kind: str) -> None:
    read = table(content, name)
    assert (read.format, pairs(read)) == (kind, [("a", "b")])


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        (["id", "user_input", "ground_truth_output"], ("user_input", "ground_truth_output")),
        (["Question", "Golden Answer"], ("Question", "Golden Answer")),
        (["text", "label", "prompt"], ("prompt", "label")),
        (["INPUT", "expected-output"], ("INPUT", "expected-output")),
    ],
)
def test_known_names_are_found(columns: list[str], chosen: tuple[str, str]) -> None:
    mapping = map_columns(columns)
    assert (mapping.input, mapping.answer) == chosen


def test_named_columns_win() -> None:
    mapping = map_columns(["a", "B ", "input", "answer"], "b", "A")
    assert (mapping.input, mapping.answer) == ("B ", "a")


def test_an_open_table_can_be_read_again_and_leaves_the_stream_open() -> None:
    stream = io.BytesIO(b"input,answer\na,b\nc\n")
    read = read_table(stream, "a.csv")
    assert pairs(read) == pairs(read) == [("a", "b")]
    assert read.report.as_json()["dropped_total"] == 1
    assert next(read.rows()).number == 1
    assert not stream.closed
    assert pairs(read) == [("a", "b")]


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\r\t\v\f\x85"), max_size=12)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS).filter(lambda row: bool(row[0].strip() and row[1].strip())), min_size=1)


@PROPERTY
@given(
    ROWS,
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_is_written_as_csv_comes_back(rows: list[tuple[str, str, str]], mark: str, codec: str, end: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=mark, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("user_input", "ground_truth_output", "note"), *rows])
    read = table(text.getvalue().encode(codec))
    assert [(item.input, item.reference, item.extra["note"]) for item in items(read)] == rows
    assert read.report.kept == read.report.rows == len(rows)


@PROPERTY
@given(ROWS)
def test_what_is_written_as_jsonl_comes_back(rows: list[tuple[str, str, str]]) -> None:
    keys = ("input", "answer", "note")
    lines = [json.dumps(dict(zip(keys, row, strict=True)), ensure_ascii=len(row[0]) % 2 == 0) for row in rows]
    found = items(table("\n".join(lines), "a.jsonl"))
    assert [(item.input, item.reference, item.extra["note"]) for item in found] == rows


@pytest.mark.parametrize(
    "name", ["banking77_12way_300", "bbh_snarks", "bbh_date_understanding", "gsm8k_200", "tatoeba_en_fr_300"]
)
def test_real_files_are_read_as_the_standard_library_reads_them(shared_data: Path, name: str) -> None:
    path = shared_data / "datasets" / f"{name}.csv"
    with path.open("rb") as stream:
        read = read_table(stream, path.name)
        assert [(item.row, item.input, item.reference) for item in items(read)] == triples(path)
    assert read.report.as_json()["dropped_total"] == 0


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "big.csv"
    chance = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.write("input,answer\n")
        file.writelines(f"question {i} {chance.random()},{i % 7}\n" for i in range(100_000))
    with path.open("rb") as stream:
        tracemalloc.start()
        read = read_table(stream, path.name)
        count = sum(1 for _ in read.items(map_columns(read.columns)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert count == 100_000
    assert peak < 8 * 2**20
