"""Review prompts: those that ship, one's own with versions, what stands against one, use, duplicates, deletion."""

from __future__ import annotations

import json

import pytest
from sqlalchemy.orm import Session

from app.services import prompts, reviews
from app.services.errors import Conflict, Invalid, NotFound
from tests.services.benchmark_world import finished, parsed

NEEDED = "{{original_prompt}} {{num_configs}} {{all_responses}}"


def test_the_shipped_ones_are_usable_and_listed(session: Session) -> None:
    found = {one.name: one for one in reviews.list_all(session)}
    assert set(found) == {"review/overall", "review/instructions"}
    assert all(one.checked.errors == one.checked.warnings == () for one in found.values())
    assert [one.name for one in reviews.list_all(session, "exactly asked")] == ["review/instructions"]
    rubric = found["review/overall"].checked.rubric
    assert rubric
    assert rubric.names == ("relevance", "accuracy", "clarity", "completeness", "coherence")


def test_ones_own_takes_the_place_of_the_shipped_one_and_has_versions(session: Session) -> None:
    first = reviews.save(session, "review/overall", NEEDED, '{"scale": [0, 5], "model": "simulated/judge"}')
    second = reviews.save(session, "review/overall", f"{NEEDED} {{{{criteria}}}}", "")
    assert (first.version, second.version) == (1, 2)
    assert reviews.get(session, "review/overall@1").checked.model == "simulated/judge"
    assert len(reviews.list_all(session)) == 2
    own = prompts.get(session, "review/overall")
    prompts.set_label(session, own, "production", prompts.version(session, own, 1))
    spec = parsed(session, reviewer_model="")
    assert (spec["review"]["version"], spec["review"]["scale"], spec["judge"]["name"]) == (1, [0, 5], "simulated/judge")


@pytest.mark.parametrize(
    ("template", "settings", "field", "told"),
    [
        ("", "", "template", "write"),
        ("{{original_prompt}}", "", "template", "{{num_configs}}, {{all_responses}} must occur"),
        (NEEDED + "{{secret}}", "", "template", "{{secret}} is filled in by nothing"),
        (NEEDED, "{", "settings", "not JSON"),
        (NEEDED, "[]", "settings", "object"),
        (NEEDED, '{"colour": 1}', "settings", "colour"),
        (NEEDED, '{"criteria": {}}', "criteria", "1 to 12"),
        (NEEDED, '{"criteria": {"<b>": ""}}', "criteria", "not a possible name"),
        (NEEDED, '{"scale": [5, 1]}', "scale", "lower one first"),
        (NEEDED, '{"scale": [true, 5]}', "scale", "whole numbers"),
        (NEEDED, '{"details": 1}', "details", "true or false"),
        (NEEDED, '{"model": 1}', "model", "name of a model"),
    ],
)
def test_errors_keep_it_from_being_saved(session: Session, template: str, settings: str, field: str, told: str) -> None:
    assert any(one.field == field and told in one.message for one in reviews.check(template, settings).errors)
    with pytest.raises(Invalid):
        reviews.save(session, "review/mine", template, settings)


def test_warnings_do_not() -> None:
    found = reviews.check(NEEDED + " {criteria}", '{"scale": [0, 1]}')
    assert found.rubric is not None
    told = " ".join(one.message for one in found.warnings)
    assert "{{criteria}}" in told
    assert "two steps" in told
    assert "two braces" in told


def test_one_that_is_used_stays_and_another_one_goes(session: Session) -> None:
    reviews.save(session, "review/mine", NEEDED, json.dumps({"criteria": {"sense": ""}}))
    finished(session, review_prompt="review/mine")
    assert reviews.usage(session, "review/mine").runs == 1
    with pytest.raises(Conflict, match="1 benchmark uses"):
        reviews.delete(session, "review/mine")
    copy = reviews.duplicate(session, "review/mine")
    assert reviews.duplicate(session, "review/mine").name == "review/mine copy 2"
    assert copy.settings == reviews.get(session, "review/mine").settings
    reviews.delete(session, copy.name)
    with pytest.raises(NotFound):
        reviews.get(session, copy.name)
    with pytest.raises(Conflict, match="ships with the product"):
        reviews.delete(session, "review/overall")
    with pytest.raises(Invalid):
        reviews.duplicate(session, "review/mine", "review/overall")
