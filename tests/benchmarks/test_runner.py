"""The runner reports what fails and goes on, leaves nothing running, and makes the page from results alone."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from app.config import ROOT
from benchmarks import report
from benchmarks.__main__ import PAGE, PUBLISHED, apart, publish, taken
from benchmarks.catalog import MEASUREMENTS, Measurement
from benchmarks.comparison import PEERS

MACHINE = {"processors": "2", "processor": "A chip", "system": "Linux", "load before": "0.1", "commit": "abc"}


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Writes a measurement of its own that the runner's processes can import as benchmarks.NAME."""
    package = tmp_path / "invented"
    package.mkdir()
    start = f"import benchmarks; benchmarks.__path__.append({str(package)!r})"
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{start}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(name: str, body: str, most_s: float = 60.0) -> Measurement:
        head = "from benchmarks.report import Table\ndef measure(quick):\n"
        (package / f"{name}.py").write_text(head + textwrap.indent(textwrap.dedent(body), "    "))
        return Measurement(name, most_s, most_s)

    return write


def result(**changes: Any) -> dict[str, Any]:
    table = report.Table("Speed", ("", "ratio"), [["ours|fast", 0.5], ["theirs", None]], ["A note."]).as_json()
    common = {"at": "2026-01-01 00:00 UTC", "seconds": 3.0, "machine": MACHINE, "quick": False, "problem": ""}
    return {**common, "tables": [table], **changes}


def test_tables_come_back_from_the_process_of_a_measurement(invented: Any) -> None:
    measurement = invented("fine", "return [Table('T', ('quick',), [[str(quick)]])]")
    found = taken(measurement, quick=True)
    assert (found["problem"], found["quick"]) == ("", True)
    assert found["tables"][0]["rows"] == [["True"]]
    assert found["machine"]["python"]


def test_a_measurement_that_fails_is_a_result_that_says_so(invented: Any) -> None:
    problem, tables = apart(invented("broken", "raise RuntimeError('no water in the pool')"), quick=True)
    assert "no water in the pool" in problem
    assert tables == []
    assert "no water in the pool" in report.part(result(problem=problem, tables=[]))


def test_what_takes_too_long_is_ended_with_all_that_it_started(invented: Any, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    child = (
        f"import time, pathlib\nwhile True: pathlib.Path({str(mark)!r}).write_text(str(time.time())); time.sleep(0.05)"
    )
    body = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {child!r}])\ntime.sleep(60)"
    problem, _ = apart(invented("endless", body, most_s=8.0), quick=True)
    assert problem == "it did not end within 8 s"
    before = mark.read_text()
    time.sleep(0.5)
    assert mark.read_text() == before


def test_the_page_shows_results_between_its_marks_and_keeps_the_rest(tmp_path: Path) -> None:
    kept, page = tmp_path / "performance.json", tmp_path / "performance.md"
    page.write_text(
        "# Top\n<!-- a: begin -->\nold\n<!-- a: end -->\nmiddle\n<!-- b: begin -->\n<!-- b: end -->\nbottom\n"
    )
    publish({"a": result()}, kept, page)
    publish({"b": result(problem="it rained", tables=[])}, kept, page)
    text = page.read_text()
    assert set(json.loads(kept.read_text())) == {"a", "b"}
    assert "| ours\\|fast | 0.5 |\n| theirs | – |" in text
    assert "old" not in text
    assert "Not measured: it rained" in text
    assert text.startswith("# Top\n")
    assert text.endswith("bottom\n")
    publish({}, kept, page)
    assert page.read_text() == text
    with pytest.raises(ValueError, match="no place for 'c'"):
        report.page(text, {"c": result()})


def test_the_published_page_is_what_its_results_say() -> None:
    published = json.loads(PUBLISHED.read_text())
    text = PAGE.read_text()
    assert report.page(text, published) == text
    assert all(f"<!-- {name}: begin -->" in text for name in MEASUREMENTS)
    assert not any(one["quick"] for one in published.values())


@pytest.mark.parametrize(
    ("words", "said"),
    [(["nonsense"], "no measurement called nonsense"), (["memory", "--quick", "--publish"], "not to be published")],
)
def test_wrong_words_are_refused_before_anything_is_measured(words: list[str], said: str) -> None:
    command = [sys.executable, "-m", "benchmarks", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_numbers_are_cut_to_what_can_be_read() -> None:
    assert [report.cell(value) for value in (None, 3, 0.98765, 12345.6, 1280, "a|b")] == [
        *("–", "3", "0.988", "12,346", "1,280"),
        "a\\|b",
    ]


def test_every_measurement_and_peer_is_there() -> None:
    for measurement in MEASUREMENTS.values():
        assert (ROOT / "benchmarks" / f"{measurement.module}.py").is_file()
    for peer in PEERS:
        assert not peer.script or (ROOT / "benchmarks" / "peers" / peer.script).is_file()
        assert all("==" in package or "@" in package for package in peer.packages)
