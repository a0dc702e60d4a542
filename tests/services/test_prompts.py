"""Prompts by name, immutable versions, movable labels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from app.services import prompts
from app.services.errors import Invalid, NotFound
from app.store.database import Database
from app.store.models import Prompt, PromptVersion

CHAT = [{"role": "system", "content": "You know {{topic}}."}, {"role": "user", "content": "{{question}}"}]


@pytest.fixture
def prompt(session: Session) -> Prompt:
    """A pair with two versions."""
    prompt = prompts.create(
        session, "support", system_prompt="Answer.", tags=["mail", "mail", " "], description="Mails"
    )
    prompts.save_version(session, prompt, system_prompt="Answer.", output_prompt="One word.")
    return prompt


def problems(error: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {p.field: p.message for p in error.value.problems}


def test_a_new_prompt_has_version_1(session: Session) -> None:
    made = prompts.create(session, "  support  ", system_prompt="Answer.\r\nShortly.", output_prompt="")
    assert made.name == "support"
    assert [(v.number, v.system_prompt, v.author, v.parent) for v in made.versions] == [
        (1, "Answer.\nShortly.", "person", None)
    ]
    assert prompts.get(session, "support") is made
    assert prompts.by_id(session, made.id) is made


def test_a_chat_keeps_its_messages_in_order(session: Session) -> None:
    made = prompts.create(session, "chat", kind="chat", messages=CHAT)
    assert made.versions[0].messages == CHAT
    assert prompts.variables("chat", "", "", CHAT) == ["topic", "question"]


@pytest.mark.parametrize("name", ["support", "optimizer/full_rewrite", "Größe 2", "日本語", "a", "v1.2-final_x"])
def test_possible_names(session: Session, name: str) -> None:
    assert prompts.create(session, name, system_prompt="x").name == name


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "give it a name"),
        ("   ", "give it a name"),
        ("x" * 201, "at most 200"),
        ("a@b", "letters, digits"),
        ("a\nb", "letters, digits"),
        ("../etc", "letters, digits"),
        ("a/../b", "letters, digits"),
        ("a//b", "letters, digits"),
        ("a/", "letters, digits"),
        ("_x", "letters, digits"),
        ("<b>", "letters, digits"),
        ("a #deleted-1", "letters, digits"),
    ],
)
def test_impossible_names_are_refused_with_the_rule(session: Session, name: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        prompts.create(session, name, system_prompt="x")
    assert says in problems(refused)["name"]
    assert prompts.list_prompts(session) == []


def test_every_problem_is_named_at_once(session: Session) -> None:
    with pytest.raises(Invalid) as refused:
        prompts.create(
            session,
            "",
            system_prompt=" ",
            description="d" * 2001,
            category="c" * 101,
            tags=["a,b", *map(str, range(31))],
        )
    assert set(problems(refused)) == {"name", "system_prompt", "description", "category", "tags"}


def test_a_name_is_given_once(session: Session, prompt: Prompt) -> None:
    with pytest.raises(Invalid) as refused:
        prompts.create(session, "support", system_prompt="x")
    assert "already" in problems(refused)["name"]


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([], "at least one"),
        ("text", "list of messages"),
        ([1], "message 1 must look like"),
        ([{"role": "robot", "content": "x"}], "message 1 needs a role"),
        ([{"role": "user", "content": "  "}], "message 1 has no content"),
        ([{"role": "user", "content": 5}], "message 1 has no content"),
        ([{"role": "user", "content": "x"}, {"role": "system", "content": "x"}], "message 2 has the role system"),
        ([{"role": "user", "content": "x", "name": "y"}], "unknown key 'name'"),
        ([{"role": "user", "content": "x"}] * 201, "at most 200 messages"),
    ],
)
def test_wrong_messages_are_named_by_number(session: Session, messages: object, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        prompts.create(session, "chat", kind="chat", messages=messages)  # type: ignore[arg-type]
    assert says in problems(refused)["messages"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("[{]", "line 1, column 3"), ("[" * 100_000, "nested"), ("{}", "list of messages"), ("[]", "at least one")],
)
def test_the_chat_editor_says_where_its_json_is_wrong(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        prompts.parse_messages(text)


def test_kinds_do_not_mix(session: Session) -> None:
    for kind, words in (("pair", {"messages": CHAT}), ("chat", {"system_prompt": "x", "messages": CHAT}), ("poem", {})):
        with pytest.raises(Invalid):
            prompts.create(session, "mixed", kind=kind, **words)  # type: ignore[arg-type]


def test_braces_that_are_no_variable_are_pointed_out() -> None:
    notes = prompts.notes_on("pair", "{{ input }} {{2nd}} {{}} and {{topic}}", "end {{open", [])
    assert [note.split(" ")[0] for note in notes] == ["'{{2nd}}'", "'{{}}'", "'{{open'", "{{topic}}"]
    assert prompts.notes_on("chat", "", "", [{"role": "user", "content": "{{anything}} {single} }} "}]) == []


def test_the_same_text_is_no_new_version(session: Session, prompt: Prompt) -> None:
    again = prompts.save_version(session, prompt, system_prompt="Answer.", output_prompt="One word.")
    assert again.number == 2
    assert len(prompt.versions) == 2


def test_a_version_has_the_head_as_its_parent_unless_another_is_given(session: Session, prompt: Prompt) -> None:
    first, second = prompt.versions
    third = prompts.save_version(session, prompt, system_prompt="Third", reasoning="why")
    branch = prompts.save_version(session, prompt, parent=first, system_prompt="Branch")
    assert (third.parent, branch.parent) == (second, first)
    assert third.reasoning == "why"
    assert [v.number for v in prompts.versions(session, prompt)] == [4, 3, 2, 1]


def test_restoring_makes_a_new_version_whose_parent_is_the_old_one(session: Session, prompt: Prompt) -> None:
    restored = prompts.restore(session, prompt, prompt.versions[0])
    assert (restored.number, restored.system_prompt, restored.output_prompt) == (3, "Answer.", "")
    assert restored.parent is prompt.versions[0]
    assert prompts.restore(session, prompt, restored) is restored


def test_a_chat_is_restored_too(session: Session) -> None:
    made = prompts.create(session, "chat", kind="chat", messages=CHAT)
    prompts.save_version(session, made, messages=CHAT[1:])
    assert prompts.restore(session, made, made.versions[0]).messages == CHAT


def test_versions_are_found_by_number_label_and_place(session: Session, prompt: Prompt) -> None:
    prompts.set_label(session, prompt, "production", prompt.versions[0])
    found = [prompts.version(session, prompt, which).number for which in (1, "1", "v2", "production", "", "newest")]
    assert found == [1, 1, 2, 1, 2, 2]
    for missing in (9, "staging", "²", "9" * 40, "-1"):
        with pytest.raises(NotFound):
            prompts.version(session, prompt, missing)


def test_the_head_is_the_newest_version_that_was_not_refused(session: Session, prompt: Prompt) -> None:
    prompt.versions.append(
        PromptVersion(number=3, system_prompt="Worse", digest="x", author="run", fate="rejected", scores={})
    )
    session.commit()
    assert prompts.head(prompt).number == 2
    assert prompts.version(session, prompt).number == 2
    assert prompts.version(session, prompt, "newest").number == 3
    assert prompts.save_version(session, prompt, system_prompt="Mine").number == 4


def test_a_label_moves_and_can_be_removed(session: Session, prompt: Prompt) -> None:
    first, second = prompt.versions
    prompts.set_label(session, prompt, "production", first)
    prompts.set_label(session, prompt, "production", second)
    assert [(one.label, one.version.number) for one in prompt.labels] == [("production", 2)]
    prompts.remove_label(session, prompt, "production")
    assert prompt.labels == []
    with pytest.raises(NotFound):
        prompts.remove_label(session, prompt, "production")


@pytest.mark.parametrize("label", ["", "Production", "9lives", "v3", "newest", "latest", "a b", "x" * 61, "ä"])
def test_impossible_labels(session: Session, prompt: Prompt, label: str) -> None:
    with pytest.raises(Invalid) as refused:
        prompts.set_label(session, prompt, label, prompt.versions[0])
    assert "label" in problems(refused)


def test_search_and_tags(session: Session, prompt: Prompt) -> None:
    prompts.create(session, "translate", system_prompt="x", category="100% language", tags=["French", "mail"])

    def found(search: str = "", tag: str = "") -> list[str]:
        return [p.name for p in prompts.list_prompts(session, search, tag=tag)]

    assert found() == ["support", "translate"]
    assert found("MAILS") == ["support"]
    assert found("french trans") == ["translate"]
    assert found("100%") == ["translate"]
    assert found("%") == ["translate"]
    assert found("nothing") == []
    assert found(tag="mail") == ["support", "translate"]
    assert found(tag="mai") == []
    assert prompts.tags_in_use(session) == ["French", "mail"]
    assert [p.name for p in prompts.list_prompts(session, after="support", limit=1)] == ["translate"]


def test_summaries_count_versions(session: Session, prompt: Prompt) -> None:
    (summary,) = prompts.summaries(session, [prompt])
    assert (summary.versions, summary.changed_at) == (2, prompt.versions[1].created_at)


def test_recent_numbers_leave_refused_proposals_out(session: Session, prompt: Prompt) -> None:
    prompt.versions.append(PromptVersion(number=3, digest="x", author="run", fate="rejected", scores={}))
    session.commit()
    assert prompts.recent_numbers(session, [prompt], 5) == {prompt.id: [2, 1]}
    assert prompts.recent_numbers(session, [prompt], 1) == {prompt.id: [2]}


def test_what_is_said_about_a_prompt_can_change(session: Session, prompt: Prompt) -> None:
    prompts.create(session, "other", system_prompt="x")
    prompts.describe(session, prompt, name="support mails", description="New", category="c", tags=["t"])
    assert (prompt.name, prompt.description, prompt.category, prompt.tags) == ("support mails", "New", "c", ["t"])
    for name in ("other", "", "a@b"):
        with pytest.raises(Invalid) as refused:
            prompts.describe(session, prompt, name=name, description="Lost", category="", tags=[])
        assert "name" in problems(refused)
    assert (prompt.name, prompt.description) == ("support mails", "New")


def test_a_deleted_prompt_frees_its_name_and_keeps_its_versions(session: Session, prompt: Prompt) -> None:
    prompts.delete(session, prompt)
    assert prompts.list_prompts(session) == []
    for find in (lambda: prompts.get(session, "support"), lambda: prompts.by_id(session, prompt.id)):
        with pytest.raises(NotFound):
            find()
    again = prompts.create(session, "support", system_prompt="x")
    assert again.id != prompt.id
    assert len(prompts.versions(session, prompt)) == 2


def test_a_free_name_is_possible_and_free(session: Session, prompt: Prompt) -> None:
    assert prompts.free_name(session, "support") == "support 2"
    prompts.create(session, "support 2", system_prompt="x")
    assert prompts.free_name(session, "support") == "support 3"
    assert prompts.free_name(session, "new") == "new"
    for base in ("a/b@c.csv", "___", "", "x" * 300, "<script>"):
        prompts.create(session, prompts.free_name(session, base), system_prompt="x")


def test_many_savers_at_once_get_a_number_each(database: Database, session: Session, prompt: Prompt) -> None:
    def save(number: int) -> int:
        with database.session() as other:
            mine = prompts.get(other, "support")
            saved = prompts.save_version(other, mine, system_prompt=f"text {number}")
            prompts.set_label(other, mine, "production", saved)
            return saved.number

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(save, range(16)))
    assert sorted(numbers) == list(range(3, 19))


def test_texts_that_no_database_holds_are_cleaned(session: Session) -> None:
    made = prompts.create(session, "odd", system_prompt="a\0b\ud800c")
    assert made.versions[0].system_prompt == "a\ufffdb\ufffdc"
    assert prompts.save_version(session, made, system_prompt="a\0b\ud800c").number == 1
