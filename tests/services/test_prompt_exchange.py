"""Exports say the whole text in every format, whatever it holds, and the JSON comes back in."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.core.model import Candidate, Case
from app.core.responders.single_turn import messages as sent
from app.ports.llm import ModelRef
from app.services import prompts
from app.services.errors import Invalid
from app.services.prompts.snippet import python_snippet
from app.store.models import Prompt, PromptVersion

NASTY = "Quote \"\"\" and ''' and \\ and {{input}} and \t tab \n\n---\n  - yaml: [1]\n'\u2028 \x07 é 日本 # end "
CHAT = [{"role": "system", "content": NASTY}, {"role": "user", "content": "{{question}}"}]


def pair(system_prompt: str, output_prompt: str) -> PromptVersion:
    version = PromptVersion(number=3, system_prompt=system_prompt, output_prompt=output_prompt, messages=[])
    version.prompt = Prompt(name="support", kind="pair", description="", category="", tags=[])
    return version


def run_snippet(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(text, "snippet", "exec"), names)
    return names


def imported(session: Session, text: str, name: str = "") -> PromptVersion:
    """The only version that came in."""
    (one,) = prompts.import_prompts(session, text, name=name)
    return one.version


@pytest.fixture
def nasty(session: Session) -> PromptVersion:
    prompt = prompts.create(
        session, "nasty", description="d", category="c", tags=["t"], system_prompt=NASTY, output_prompt="Out"
    )
    prompts.set_label(session, prompt, "production", prompt.versions[0])
    return prompt.versions[0]


@pytest.mark.parametrize("format", ["yaml", "json"])
def test_yaml_and_json_say_the_same(nasty: PromptVersion, format: str) -> None:
    read = yaml.safe_load if format == "yaml" else json.loads
    assert read(prompts.export(nasty, format)) == {
        "format": "whetstone-prompt/1",
        "name": "nasty",
        "kind": "pair",
        "description": "d",
        "category": "c",
        "tags": ["t"],
        "version": 1,
        "labels": ["production"],
        "variables": ["input"],
        "system_prompt": NASTY,
        "output_prompt": "Out",
    }


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50))
@example("\x85")
@example("a\x85b\u2028\u2029\n c\n")
@example(" \n\n a\r\n")
def test_yaml_brings_back_any_text(text: str) -> None:
    assert yaml.safe_load(prompts.export(pair(text, "a\nb "), "yaml"))["system_prompt"] == text


def test_text_is_for_reading(nasty: PromptVersion) -> None:
    assert prompts.export(nasty, "text") == f"--- system prompt ---\n{NASTY}\n\n--- output prompt ---\nOut\n"


def test_another_format_is_refused(nasty: PromptVersion) -> None:
    with pytest.raises(Invalid, match="text, yaml, json, python"):
        prompts.export(nasty, "xml")


@pytest.mark.parametrize(
    ("system_prompt", "output_prompt"),
    [
        (NASTY, "Out"),
        ("Answer.", ""),
        ("", "Answer:"),
        ("", ""),
        ("System", "Text: {{ input }}\nAnswer:"),
        ("About {{input}}", "Answer:"),
    ],
)
def test_the_python_snippet_sends_what_a_run_sends(system_prompt: str, output_prompt: str) -> None:
    case = Case("1", "Where is it? {{input}}", "there")
    made = run_snippet(python_snippet(pair(system_prompt, output_prompt)))["messages"](case.input)
    expected = sent(Candidate(system_prompt, output_prompt, ModelRef("simulated/primary")), case)
    assert made == [{"role": m.role, "content": m.content} for m in expected]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), st.text(max_size=10))
def test_the_python_snippet_is_python_for_any_text(system_prompt: str, content: str) -> None:
    assert run_snippet(python_snippet(pair(system_prompt, "")))["SYSTEM_PROMPT"] == system_prompt
    chat = pair("", "")
    chat.prompt.kind, chat.messages = "chat", [{"role": "user", "content": content}]
    assert run_snippet(python_snippet(chat))["MESSAGES"] == chat.messages


def test_the_python_snippet_of_a_chat_fills_in_its_variables(session: Session) -> None:
    prompt = prompts.create(session, "chat", kind="chat", messages=[*CHAT, {"role": "assistant", "content": "1\n2"}])
    made = run_snippet(prompts.export(prompt.versions[0], "python"))["messages"](input="IN", question="Q?")
    assert [m["content"] for m in made] == [NASTY.replace("{{input}}", "IN"), "Q?", "1\n2"]


@pytest.mark.parametrize("kind", ["pair", "chat"])
def test_an_exported_prompt_comes_back(session: Session, kind: str) -> None:
    words: dict[str, Any] = {"messages": CHAT} if kind == "chat" else {"system_prompt": NASTY, "output_prompt": "Out"}
    prompt = prompts.create(session, "mine", kind=kind, description="d", category="c", tags=["t"], **words)
    text = prompts.export(prompt.versions[0], "json")

    assert imported(session, text) is prompt.versions[0]
    copy = imported(session, text, name="copy")
    assert copy.author == "import"
    assert (copy.prompt.name, copy.prompt.kind, copy.prompt.description, copy.prompt.tags) == ("copy", kind, "d", ["t"])
    assert copy.digest == prompt.versions[0].digest

    prompts.save_version(session, prompt, **({"messages": CHAT[1:]} if kind == "chat" else {"system_prompt": "Newer"}))
    again = imported(session, "\ufeff" + text)
    assert (again.prompt, again.number, again.digest) == (prompt, 3, copy.digest)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "this is no prompt"),
        ("{", "line 1, column 2"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "this is no prompt"),
        ('{"format": "other"}', "not a prompt exported from here"),
        ('{"format": "whetstone-prompt/1"}', '"name" is missing'),
        ('{"format": "whetstone-prompt/1", "name": 1}', '"name" must be a text'),
        ('{"format": "whetstone-prompt/1", "name": "x", "system_prompt": 1}', '"system_prompt" must be a text'),
        ('{"format": "whetstone-prompt/1", "name": "x", "system_prompt": "x", "tags": [1]}', '"tags" must be'),
        ('{"format": "whetstone-prompt/1", "name": "x"}', "write a system prompt"),
        ('{"format": "whetstone-prompt/1", "name": "x", "kind": "poem"}', "must be pair or chat"),
        ('{"format": "whetstone-prompt/1", "name": "x@y", "system_prompt": "x"}', "not a possible name"),
        (
            '{"format": "whetstone-prompt/1", "name": "x/versions/y", "system_prompt": "x"}',
            "cannot stand inside a name",
        ),
        ('{"format": "whetstone-prompt/1", "name": "x", "messages": [{}]}', "message 1 needs a role"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(session: Session, text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says.replace("(", r"\(")):
        imported(session, text)
    assert prompts.list_prompts(session) == []


def test_a_chat_is_not_imported_over_a_pair(session: Session) -> None:
    chat = prompts.create(session, "chat", kind="chat", messages=CHAT)
    prompts.create(session, "pair", system_prompt="x")
    with pytest.raises(Invalid, match="is a pair prompt here and a chat prompt in the file"):
        imported(session, prompts.export(chat.versions[0], "json"), name="pair")


PROMPTFOO = """
description: Translations
prompts:
  - 'Translate to {{language}}: {{text}}'
  - id: careful
    label: Careful
    raw: '[{"role": "system", "content": "Be careful."}, {"role": "user", "content": "{{text}}"}]'
  - |
    - role: system
      content: Be quick.
    - role: user
      content: "{text} in {language}"
"""
LANGFUSE = {
    "name": "movie-critic",
    "type": "chat",
    "prompt": [
        {"role": "system", "content": "As a {{level}} critic"},
        {"type": "chatmessage", "role": "user", "content": "{{movie}}?"},
    ],
    "labels": ["production"],
    "tags": ["movies"],
    "config": {"model": "m"},
}  # fmt: skip


def test_prompts_of_other_tools_come_in(session: Session) -> None:
    one, two, three = prompts.import_prompts(session, PROMPTFOO)
    assert one.version.messages == [{"role": "user", "content": "Translate to {{language}}: {{text}}"}]
    assert (one.version.prompt.name, two.version.prompt.name) == ("Translations 1", "Careful")
    assert [m["role"] for m in two.version.messages] == ["system", "user"]
    assert three.version.messages[1]["content"] == "{{text}} in {{language}}"
    assert (one.adjusted, three.adjusted) == ((), ("text", "language"))
    critic = imported(session, json.dumps(LANGFUSE))
    assert (critic.prompt.name, critic.prompt.tags, critic.prompt.labels) == ("movie-critic", ["movies"], [])
    assert critic.messages[1] == {"role": "user", "content": "{{movie}}?"}
    assert imported(session, json.dumps(LANGFUSE | {"type": "text", "prompt": "Be {{kind}}"})).number == 2
    assert imported(session, json.dumps(LANGFUSE["prompt"][:1]), name="bare").prompt.name == "bare"


@pytest.mark.parametrize("format", ["promptfoo", "langfuse"])
def test_what_is_exported_for_another_tool_comes_back_as_a_chat(
    session: Session, nasty: PromptVersion, format: str
) -> None:
    back = imported(session, prompts.export(nasty, format), name="back")
    candidate = Candidate(nasty.system_prompt, nasty.output_prompt, ModelRef("m"))
    assert [m["role"] for m in back.messages] == [m.role for m in sent(candidate, Case("1", "x", ""))]
    assert back.messages[0]["content"] == NASTY
    chat = prompts.create(session, "talk", kind="chat", messages=CHAT).versions[0]
    assert imported(session, prompts.export(chat, format), name="back2").messages == CHAT


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prompts: [file://a.txt]", "stands in another file"),
        ("prompts: [1]", "neither a text nor a list"),
        ("prompts: []", "this is no prompt"),
        ("a: [", "neither JSON nor YAML (line 1"),
        ("[{", "not JSON"),
        ("just a text", "this is no prompt"),
        (json.dumps([{"role": "user", "content": "x"}]), "gives no name"),
        (json.dumps({"name": "n", "prompt": [{"type": "placeholder", "name": "history", "role": ""}]}), "stands for messages"),
        (json.dumps({"name": "n", "prompt": [{"role": "user", "content": [{"type": "image"}]}]}), "has no text"),
        (json.dumps({"name": "n", "prompt": [{"role": "tool", "content": "x"}]}), "needs a role"),
        (json.dumps({"name": "nasty", "prompt": "x"}), "is a pair prompt here"),
        (json.dumps({"format": "other/1", "name": "n"}), '"format" is not'),
    ],
)  # fmt: skip
def test_what_is_no_prompt_is_refused_and_nothing_comes_in(
    session: Session, nasty: PromptVersion, text: str, told: str
) -> None:
    with pytest.raises(Invalid) as refused:
        prompts.import_prompts(session, text)
    assert told in str(refused.value)
    assert [one.name for one in prompts.list_prompts(session)] == ["nasty"]


def test_labels_have_a_history(session: Session, nasty: PromptVersion) -> None:
    prompt = nasty.prompt
    second = prompts.save_version(session, prompt, system_prompt="Other.")
    for target in (second, second, nasty):
        prompts.set_label(session, prompt, "production", target)
    prompts.remove_label(session, prompt, "production")
    moves = [(one.label, one.version.number if one.version else None) for one in prompts.label_history(session, prompt)]
    assert moves == [("production", None), ("production", 1), ("production", 2), ("production", 1)]
