"""Datasets, prompts and a new training in a real browser, with its scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.services import datasets, models, prompts
from tests.web import seed
from tests.web.conftest import Site, Visit, build, serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of our own: these tests import, save and start things."""
    world = build(tmp_path_factory.mktemp("library"))
    with world.database.session() as session:
        seeded = seed.fill(session)
        datasets.import_sample(session, "support_intents.csv")
        prompt = prompts.create(session, "replies", system_prompt="Be brief.", output_prompt="Reply:")
        prompts.save_version(session, prompt, system_prompt="Be very brief.\n" + "word " * 400, output_prompt="Reply:")
        said = {"model": "openai/gpt-5-mini", "params": {"temperature": 0.2}, "price": {"prompt": 1, "completion": 2}}
        config = models.create(session, "a long name of a config for a narrow page", said)
        models.save(session, config, {**said, "region": "", "params": {"some_new_setting": {"deep": ["x" * 60] * 3}}})
    with serving(world, seeded) as site:
        yield site


def test_a_sample_fills_the_form_and_the_estimate_follows(visit: Callable[..., Visit], site: Site) -> None:
    seen = visit("/trainings/new")
    page = seen.page
    page.get_by_label("Dataset", exact=True).select_option(label="Order extraction")
    expect(page.get_by_label("System prompt")).to_have_value("Extract the order as JSON.")
    expect(page.get_by_label("Scorer 1")).to_have_value("json_match")
    estimate = page.locator("#estimate")
    expect(estimate).to_contain_text("54 train, 18 validation, 18 test")
    calls = estimate.locator("dd").first.inner_text()
    page.get_by_label("Epochs at most").fill("2")
    expect(estimate.locator("dd").first).not_to_have_text(calls)
    page.get_by_label("Epochs at most").fill("0")
    expect(estimate).to_contain_text("It cannot start yet")
    assert seen.complaints == []


def test_a_scorer_shows_its_settings_and_what_was_typed_stays(visit: Callable[..., Visit]) -> None:
    page = visit("/trainings/new?dataset=support_intents").page
    page.get_by_label("System prompt").fill("Mine, typed by hand.")
    page.get_by_label("Name of the run").fill("my name")
    page.get_by_label("Scorer 1").select_option("numeric")
    expect(page.get_by_label("Tolerance")).to_have_value("0")
    page.get_by_role("button", name="Combine with another scorer").click()
    expect(page.get_by_label("Weight of scorer 2")).to_have_value("1")
    page.get_by_role("button", name="Remove scorer 2").click()
    expect(page.get_by_label("Weight of scorer 2")).to_have_count(0)
    expect(page.get_by_label("System prompt")).to_have_value("Mine, typed by hand.")
    expect(page.get_by_label("Name of the run")).to_have_value("my name")


def test_a_library_prompt_is_loaded_where_it_can_be_changed(visit: Callable[..., Visit]) -> None:
    page = visit("/trainings/new?dataset=support_intents").page
    page.get_by_label("From the library").select_option("replies@1")
    expect(page.get_by_label("System prompt")).to_have_value("Be brief.")
    expect(page.get_by_label("Output prompt")).to_have_value("Reply:")


def test_a_double_click_starts_one_run(visit: Callable[..., Visit], site: Site) -> None:
    page = visit("/trainings/new?dataset=support_intents").page
    expect(page.locator("#estimate")).to_contain_text("Calls")
    page.get_by_label("Name of the run").fill("started once")
    before = len(site.world.queued)
    page.get_by_role("button", name="Start training").dblclick()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_role("heading", name="started once")).to_be_visible()
    assert len(site.world.queued) == before + 1


def test_wrong_settings_stand_beside_their_fields(visit: Callable[..., Visit]) -> None:
    page = visit("/trainings/new?dataset=support_intents").page
    page.get_by_label("Patience").fill("none")
    page.get_by_label("System prompt").fill("Hello {{stranger}}")
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("#patience-error")).to_be_visible()
    expect(page.get_by_label("Patience")).to_have_value("none")
    page.get_by_label("Patience").fill("2")
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("#system_prompt-error")).to_contain_text("{{stranger}}")


def test_the_editor_looks_along_while_one_types(visit: Callable[..., Visit]) -> None:
    seen = visit("/prompts/2/edit?from=1")
    page = seen.page
    page.get_by_label("System prompt").fill("Be brief and {{tone}}. {{ 2nd }}")
    look = page.locator("#look")
    expect(look.locator("code.chip")).to_have_text("{{tone}}")
    expect(look).to_contain_text("is no variable name")
    expect(look.locator("ins").first).to_contain_text("and {{tone}}")
    expect(page.get_by_label("System prompt")).to_be_focused()
    assert seen.complaints == []


def test_a_chat_is_written_with_rows_and_json(visit: Callable[..., Visit]) -> None:
    seen = visit("/prompts/new?kind=chat")
    page = seen.page
    page.get_by_label("Name", exact=True).fill("talk")
    page.get_by_label("Content of message 1").fill("Be kind.")
    page.get_by_label("Content of message 2").fill("{{question}}")
    page.get_by_role("button", name="Add a message").click()
    page.get_by_label("Content of message 3").fill("Certainly.")
    expect(page.get_by_label("Role of message 3")).to_have_value("assistant")
    page.get_by_role("button", name="Move message 3 up").click()
    expect(page.get_by_label("Content of message 2")).to_have_value("Certainly.")
    page.get_by_role("button", name="Edit as JSON").click()
    area = page.get_by_label("Messages as JSON")
    assert '"content": "Be kind."' in area.input_value()
    area.fill('[{"role": "user"}]')
    page.get_by_role("button", name="Edit as a form").click()
    expect(page.locator("#messages-error")).to_contain_text("message 1 has no content")
    area.fill('[{"role": "user", "content": "{{question}}"}]')
    page.get_by_role("button", name="Edit as a form").click()
    expect(page.get_by_label("Content of message 1")).to_have_value("{{question}}")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="talk")).to_be_visible()


def test_a_file_is_uploaded_and_its_columns_chosen(visit: Callable[..., Visit], tmp_path: Path) -> None:
    file = tmp_path / "words.csv"
    file.write_text("number;wort;mot\n" + "\n".join(f"{n};Wort {n};mot {n}" for n in range(12)), encoding="utf-8")
    page = visit("/datasets/new").page
    page.get_by_label("CSV or JSON Lines file").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#input_column-error")).to_be_visible()
    page.get_by_label("Name").fill("French words")
    page.get_by_label("Column of the input").select_option("wort")
    page.get_by_label("Column of the answer").select_option("mot")
    page.get_by_role("button", name="Import 12 rows").click()
    expect(page.get_by_role("heading", name="French words")).to_be_visible()
    expect(page.locator("#found tbody tr")).to_have_count(12)


def test_another_split_and_a_search_replace_their_parts_only(visit: Callable[..., Visit]) -> None:
    page = visit("/datasets/2").page
    page.get_by_label("Train / validation / test").fill("50/50/0")
    page.get_by_role("button", name="Divide").click()
    expect(page.locator("#split-sheet")).to_contain_text("There is no test split")
    page.get_by_label("Search").fill("parcel")
    expect(page.locator("#found tbody tr").first).to_contain_text("parcel")
    assert "search=parcel" in page.url


def test_deleting_asks_first(visit: Callable[..., Visit], site: Site) -> None:
    with site.world.database.session() as session:
        made = prompts.create(session, "short lived", system_prompt="x")
    page = visit(f"/prompts/{made.id}").page
    page.get_by_role("button", name="Delete this prompt").click()
    dialog = page.get_by_role("dialog", name="Delete short lived?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Delete this prompt").click()
    dialog.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("short lived is deleted.")).to_be_visible()


def test_versions_are_compared_by_two_choices(visit: Callable[..., Visit]) -> None:
    page: Page = visit("/prompts/2").page
    page.get_by_label("Compare from version 1").check()
    page.get_by_role("button", name="Show what changed").click()
    page.wait_for_url("**/diff?*")
    expect(page.locator("ins").first).to_contain_text("very")


def test_a_config_says_what_is_sent_while_it_is_typed(visit: Callable[..., Visit]) -> None:
    page = visit("/models/new").page
    page.fill("#model", "openai/gpt-5-mini")
    page.fill("#temperature", "0.3")
    expect(page.locator("#look")).to_contain_text("temperature 0.3 is not sent")
    page.fill("#model", "openai/gpt-4.1-mini")
    expect(page.locator("#look")).to_contain_text("temperature 0.3")
    expect(page.locator("#look")).not_to_contain_text("is not sent")
    expect(page.locator("#temperature")).to_have_value("0.3")
