"""``whetstone datasets doctor, rule, version, changes``."""

from __future__ import annotations

import pytest

from app import wiring
from tests.cli.conftest import Shell
from tests.services.label_world import ALSO, GOOD, answered, colours, trained


@pytest.fixture(scope="module")
def doubted(shell: Shell) -> Shell:
    with wiring.database().session() as session:
        run = trained(session, colours(session))
        for candidate in (GOOD, ALSO):
            answered(session, run, candidate, {3: "azure", 5: "ebony"})
    return shell


def test_doubtful_answers_are_ruled_and_corrected(doubted: Shell) -> None:
    found = doubted.json("datasets", "doctor", "colours", "--limit", "1")
    assert [one["row"] for one in found["items"]] == [3]
    assert found["next"]
    assert "more: --after" in doubted("datasets", "doctor", "colours", "--limit", "1").stdout
    after = doubted.json("datasets", "doctor", "colours", "--after", found["next"])
    assert [one["row"] for one in after["items"]] == [5]
    assert doubted.json("datasets", "rule", "colours", "3", "correct", "--reference", "azure")["ruling"] == "correct"
    assert "1 exclude" in doubted("datasets", "rule", "colours", "5", "exclude", "--note", "unclear").stdout
    assert "No row that fits" in doubted("datasets", "doctor", "colours").stdout
    assert len(doubted.json("datasets", "doctor", "colours", "--state", "all", "--sign", "failing")["items"]) == 2
    assert doubted.json("datasets", "version", "colours")["name"] == "colours v2"
    changes = doubted("datasets", "changes", "colours v2").stdout
    assert "azure" in changes
    assert "(excluded)" in changes
    assert doubted("datasets", "changes", "colours", "--against", "colours v2").stdout.count("\n") == 3
    assert doubted.json("datasets", "rule", "colours", "3", "undo")["ruling"] is None


def test_what_cannot_be_done_is_refused(doubted: Shell) -> None:
    assert "no row 77" in doubted.refused("datasets", "rule", "colours", "77", "keep")[""]
    assert "reference" in doubted.refused("datasets", "rule", "colours", "4", "correct")
    assert "nothing of support_intents" in doubted.refused("datasets", "version", "support_intents")[""]
    assert "no dataset" in doubted.refused("datasets", "doctor", "missing")[""]
