"""The pages of benchmarks without scripts: form, results, answers, ranking, marks, review prompts."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services import runs
from app.services.benchmarks.results import Place, Results, results
from app.store.database import Database
from app.store.judged import RankingRow
from tests.services.benchmark_world import FORM, MODELS, finished, lines

Post = Callable[..., TestResponse]
SENT = {"text": "Say one.", "more_models": "\n".join(MODELS), "reviewer_model": "simulated/judge", "runs": "2"}


@pytest.fixture
def found(database: Database) -> Results:
    with database.session() as session:
        return finished(session)


def page(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.text[-400:]
    return answer.get_data(as_text=True)


def keys(text: str) -> list[str]:
    return re.findall(r'name="order" value="(\w+)"', text)


def ballot(order: list[str], places: list[int] | None = None, **more: str) -> dict[str, Any]:
    shown = [str(place) for place in (places or range(1, len(order) + 1))]
    known = {"ranker": "ada", "repeat": "0", "revision": "0", "blind": "1", "seconds": "4.5"}
    return {"order": order, "order_place": shown, **known, **more}


def test_an_empty_list_says_what_to_do(client: FlaskClient) -> None:
    assert "Start the first benchmark" in page(client, "/benchmarks")
    assert "No config was in a benchmark yet" in page(client, "/benchmarks/configs")
    assert client.get("/benchmarks/nothing").status_code == 404


def test_the_form_estimates_and_starts_once(client: FlaskClient, post: Post, queued: list[str]) -> None:
    assert "review/overall" in page(client, "/benchmarks/new")
    assert "1 prompt" in post("/benchmarks/estimate", SENT).text
    once = {**SENT, "once": "ab" * 5}
    first, second = post("/benchmarks/new", once), post("/benchmarks/new", once)
    assert first.status_code == 303
    assert first.location == second.location == "/runs/" + "ab" * 5
    assert queued == ["ab" * 5, "ab" * 5]
    assert 'value="2"' in page(client, "/benchmarks/new?from=" + "ab" * 5)


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(post: Post) -> None:
    file = (io.BytesIO(lines("Hello <b>you</b>").encode() + b"\n{nonsense"), "prompts.jsonl")
    answer = post(
        "/benchmarks/new",
        {**SENT, "text": "Greet {{city}}", "file": file, "runs": "11"},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 422
    for piece in ("nothing fills in {{city}}", "line 2", "Hello &lt;b&gt;you&lt;/b&gt;", 'value="11"', "{nonsense"):
        assert piece in answer.text, piece


def test_the_results_show_every_config_and_the_weights_of_the_address(client: FlaskClient, found: Results) -> None:
    run = found.run.id
    text = page(client, f"/benchmarks/{run}")
    assert all(name in text for name in MODELS)
    assert "Recommended" in text
    assert "Worth a minute" in text
    assert 'value="100"' in page(client, f"/benchmarks/{run}?quality=0&speed=100&cost=0&sort=time")
    assert client.get(f"/benchmarks/{run}?quality=0&speed=0&cost=0").status_code == 422
    assert client.get(f"/benchmarks/{run}?quality=101").status_code == 422
    listed = client.get(f"/benchmarks/{run}/results.csv")
    assert listed.mimetype == "text/csv"
    assert len(listed.text.splitlines()) == 19
    assert client.get(f"/runs/{run}/examples").status_code == 302
    for path in (f"/runs/{run}", f"/runs/{run}/settings", f"/runs/{run}/log", "/benchmarks/configs", "/benchmarks"):
        page(client, path)


def test_answers_are_sorted_and_filtered_by_the_address_and_marked(
    client: FlaskClient, post: Post, found: Results
) -> None:
    run, key = found.run.id, found.rivals(Place("p1", 0))[MODELS[0]].key
    at = f"/benchmarks/{run}/prompts/p1"
    assert page(client, at).count("data-answer") == 6
    assert page(client, f"{at}?repeat=1&view=table&sort=price").count("data-answer") == 3
    assert post(f"/benchmarks/{run}/marks/{key}", {"verdict": "unacceptable"}).status_code == 303
    assert page(client, f"{at}?show=unacceptable").count("data-answer") == 1
    fragment = post(f"/benchmarks/{run}/marks/{key}", {"verdict": ""}, headers={"HX-Request": "true"})
    assert 'aria-pressed="true"' not in fragment.text
    assert "No answer fits" in page(client, f"{at}?show=unacceptable")
    assert post(f"/benchmarks/{run}/marks/nothing", {"verdict": "acceptable"}).status_code == 404
    assert client.get(f"{at}?sort=colour").status_code == 422
    assert client.get(f"/benchmarks/{run}/prompts/p99").status_code == 404


def test_ranking_is_blind_until_it_is_saved(client: FlaskClient, post: Post, found: Results) -> None:
    at = f"/benchmarks/{found.run.id}/rank/p1"
    blind = page(client, at)
    form = blind[blind.index('id="ranking"') : blind.index("</form>", blind.index('id="ranking"'))]
    labels = re.findall(r'data-label="([^"]+)"', form)
    assert labels == ["Answer A", "Answer B", "Answer C"]
    assert f'data-label="{MODELS[0]}"' in page(client, f"{at}?open=1")
    assert post(at, ballot(keys(blind), [1, 1, 3])).status_code == 303
    saved = page(client, at)
    assert "ranked blind" in saved
    assert "Kendall tau-b" in saved
    assert f'data-label="{MODELS[0]}"' in saved
    assert 'name="revision" value="1"' in saved
    changed = ballot(keys(saved), revision="1", seconds="2")
    assert post(at, changed).status_code == 303
    assert "Kendall tau-a" in page(client, at)


def test_two_tabs_and_two_people_lose_nothing(
    client: FlaskClient, post: Post, found: Results, database: Database
) -> None:
    at = f"/benchmarks/{found.run.id}/rank/p1"
    order = keys(page(client, at))
    assert post(at, ballot(order)).status_code == 303
    late = post(at, ballot(order[::-1], notes="from the other tab"))
    assert late.status_code == 409
    assert "Saved meanwhile by ada" in late.text
    assert "from the other tab" in late.text
    assert keys(late.text) == order[::-1]
    assert 'name="revision" value="1"' in late.text
    assert post(at, ballot(order[::-1], ranker="ben")).status_code == 303
    with database.session() as session:
        assert {row.ranker: row.revision for row in session.query(RankingRow)} == {"ada": 1, "ben": 1}
    results_page = page(client, f"/benchmarks/{found.run.id}")
    assert "2 people" in results_page
    assert post(f"{at}/withdraw", {"repeat": "0"}).status_code == 303


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ranker": ""}, "give your name"),
        ({"order_place": ["1", "x", "3"]}, "every place must be a whole number"),
        ({"order": ["a", "b", "c"]}, "the list has changed meanwhile"),
        ({"repeat": "99"}, "Nothing to rank here"),
    ],
)
def test_a_ranking_that_cannot_be_kept_is_shown_again(
    client: FlaskClient, post: Post, found: Results, changes: dict[str, Any], told: str
) -> None:
    at = f"/benchmarks/{found.run.id}/rank/p1"
    answer = post(at, ballot(keys(page(client, at)), notes="mine") | changes)
    assert answer.status_code == 422
    assert told in answer.text


def test_a_ranking_of_a_benchmark_that_was_deleted_is_not_found(
    client: FlaskClient, post: Post, found: Results, database: Database
) -> None:
    at = f"/benchmarks/{found.run.id}/rank/p1"
    order = keys(page(client, at))
    with database.session() as session:
        runs.delete(session, found.run.id)
    assert post(at, ballot(order)).status_code == 404


def test_the_same_answers_are_reviewed_again(post: Post, found: Results, queued: list[str], database: Database) -> None:
    asked = {"review_prompt": "review/instructions", "reviewer_model": "simulated/judge"}
    assert post(f"/benchmarks/{found.run.id}/review", asked).status_code == 303
    with database.session() as session:
        again = results(session, runs.get(session, queued[-1]))
        assert again.run.cloned_from == found.run.id
        assert again.run.spec["review"]["prompt"] == "review/instructions"
    refused = post(f"/benchmarks/{found.run.id}/review", {"review_prompt": "nothing"}, follow_redirects=True)
    assert "no review prompt" in refused.text


def test_review_prompts_are_checked_saved_duplicated_and_deleted(client: FlaskClient, post: Post) -> None:
    assert "review/overall" in page(client, "/benchmarks/reviews")
    words = {"name": "review/mine", "scale": "1-5", "criteria": "sense: it makes sense", "details": "1"}
    wrong = post("/benchmarks/reviews/edit", {**words, "template": "{{original_prompt}}", "scale": "many"})
    assert wrong.status_code == 422
    for piece in ("{{num_configs}}, {{all_responses}} must occur", "lowest and the highest score", "sense: it makes"):
        assert piece in wrong.text
    template = "{{original_prompt}} {{num_configs}} {{all_responses}}"
    checked = post("/benchmarks/reviews/edit", {**words, "template": template, "do": "check"})
    assert checked.status_code == 200
    assert "added at the end" in checked.text
    saved = post("/benchmarks/reviews/edit", {**words, "template": template}, follow_redirects=True)
    assert "saved as version 1" in saved.text
    assert post("/benchmarks/reviews/duplicate", {"name": "review/mine"}).status_code == 303
    assert "review/mine copy" in page(client, "/benchmarks/reviews?search=copy")
    gone = post("/benchmarks/reviews/delete", {"name": "review/mine copy"}, follow_redirects=True)
    assert "is deleted" in gone.text
    kept = post("/benchmarks/reviews/delete", {"name": "review/overall"}, follow_redirects=True)
    assert "ships with the product" in kept.text


def test_an_empty_answer_is_explained(client: FlaskClient, found: Results, database: Database) -> None:
    from app.store.models import CallRow, SampleRow

    key = found.rivals(Place("p1", 0))[MODELS[0]].key
    with database.session() as session:
        session.query(SampleRow).filter_by(key=key).update({"outcome": "truncated", "response": "", "score": None})
        call = session.query(CallRow).filter(CallRow.key.startswith(f"{key}/")).one()
        call.reasoning_tokens, call.finish_reason = 2048, "length"
        session.commit()
    text = page(client, f"/benchmarks/{found.run.id}/prompts/p1?show=missing")
    assert "used its whole output limit for reasoning (2,048 of them)" in text
    assert FORM["models"] == MODELS
