"""The compare page: two versions of a run, or two runs, with what differs."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.web.seed import Seeded


def page(client: FlaskClient, query: str, status: int = 200) -> str:
    """The page's text."""
    answer = client.get(f"/compare{query}")
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def test_without_a_choice_it_asks_for_one(client: FlaskClient, seeded: Seeded) -> None:
    assert "Choose two" in page(client, "")
    assert "Choose two" in page(client, "?a=r0finished")


def test_two_versions_of_one_run(client: FlaskClient, seeded: Seeded) -> None:
    shown = page(client, "?a=r0finished:0&b=r0finished")
    delta = seeded.finished.outcome["test"]["paired"]["delta"]
    assert f"After is better by {delta:.3f} on 23 shared examples" in shown
    assert "<ins>" in shown
    assert "only the prompts differ" in shown
    assert shown.count("</tr>") - 1 == 24


def test_validation_says_that_it_flatters(client: FlaskClient, seeded: Seeded) -> None:
    assert "Validation chose between proposals" in page(client, "?a=r0finished:0&b=r0finished&split=validation")


def test_two_runs_show_prompts_and_scores_but_no_shared_examples_where_there_are_none(
    client: FlaskClient, seeded: Seeded
) -> None:
    shown = page(client, "?a=r0finished&b=r1running")
    assert "bank messages, running" in shown
    assert shown.count("badge simulated") == 2


def test_a_wrong_side_is_named_beside_its_field(client: FlaskClient, seeded: Seeded) -> None:
    for side in ("nope", "r0finished:77", "r3failed", "r0finished:x"):
        shown = page(client, f"?a={side}&b=r0finished", 422)
        assert 'id="a-error"' in shown, side
