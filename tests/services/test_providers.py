"""The list of providers says what was found and what is missing, and never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import Settings
from app.services.providers import Provider, found
from tests.fakes.openai_server import OpenAIServer

CANARY = "sk-canary-2718281828459045"


def providers(home: Path, project: str = "", **environ: str) -> dict[str, Provider]:
    listed = found(Settings(project_id=project), {"HOME": str(home), **environ})
    return {provider.name: provider for provider in listed}


def test_nothing_is_needed_for_the_simulated_models(tmp_path: Path) -> None:
    simulated = providers(tmp_path)["simulated"]

    assert simulated.ready
    assert simulated.models == ("simulated/primary", "simulated/writer", "simulated/optimizer", "simulated/judge")
    assert "simulated" in simulated.how_found


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    listed = providers(tmp_path)

    assert listed["openai"].missing == "set OPENAI_API_KEY"
    assert "project_id" in listed["vertex_ai"].missing
    assert "HOSTED_VLLM_API_BASE" in listed["hosted_vllm"].missing
    assert all(provider.ready != bool(provider.missing) for provider in listed.values())


def test_a_key_is_found_and_not_shown(tmp_path: Path) -> None:
    listed = providers(
        tmp_path,
        OPENAI_API_KEY=CANARY,
        ANTHROPIC_API_KEY=CANARY,
        AZURE_API_KEY=CANARY,
        OPENAI_BASE_URL="http://proxy:1/v1",
    )

    assert listed["openai"].how_found == "OPENAI_API_KEY is set, OPENAI_BASE_URL leads to http://proxy:1"
    assert listed["anthropic"].ready
    assert not listed["azure"].ready
    assert "AZURE_API_BASE" in listed["azure"].missing
    assert CANARY not in repr(listed)


def test_a_password_in_an_address_is_not_shown(tmp_path: Path) -> None:
    listed = providers(tmp_path, OPENAI_API_KEY=CANARY, OPENAI_BASE_URL=f"http://me:{CANARY}@proxy/v1")

    assert not listed["openai"].ready
    assert CANARY not in repr(listed)


def test_google_s_credentials_are_found(tmp_path: Path) -> None:
    key_file = tmp_path / "key.json"
    key_file.write_text("{}")

    vertex = providers(tmp_path, "my-project", GOOGLE_APPLICATION_CREDENTIALS=str(key_file))["vertex_ai"]

    assert vertex.ready
    assert "my-project" in vertex.how_found


def test_the_login_of_gcloud_is_found(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "gcloud"
    folder.mkdir(parents=True)
    (folder / "application_default_credentials.json").write_text("{}")

    assert providers(tmp_path, GOOGLE_CLOUD_PROJECT="p")["vertex_ai"].ready


@pytest.mark.parametrize("name", ["ollama", "lm_studio", "hosted_vllm"])
def test_a_local_server_counts_when_it_answers(tmp_path: Path, name: str) -> None:
    variable = {"ollama": "OLLAMA_API_BASE", "lm_studio": "LM_STUDIO_API_BASE", "hosted_vllm": "HOSTED_VLLM_API_BASE"}[
        name
    ]
    with OpenAIServer() as server:
        assert providers(tmp_path, **{variable: server.url})[name].ready
        silent = server.url
    gone = providers(tmp_path, **{variable: silent})[name]

    assert not gone.ready
    assert variable in gone.missing


def test_what_is_ready_comes_first(tmp_path: Path) -> None:
    ready = [provider.ready for provider in providers(tmp_path, XAI_API_KEY="k").values()]

    assert ready == sorted(ready, reverse=True)
