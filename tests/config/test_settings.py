from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from app.config import ROOT, ConfigError, Settings, catalogue, load, read_env_file, signing_key
from app.config.reading import ALIASES


def write(folder: Path, text: str) -> Path:
    file = folder / "config.yaml"
    file.write_text(text)
    return file


def problems(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), environ or {})
    return "\n".join(caught.value.problems)


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    settings = load(write(tmp_path, ""), {})
    assert settings == Settings(data_dir=tmp_path / "data", experiments_dir=tmp_path / "experiments")
    assert settings.database_url == f"sqlite:///{tmp_path}/data/app.db"
    assert settings.redis_address == "redis://127.0.0.1:6390/0"


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = write(tmp_path, "training: {epochs: 4, patience: 2}\nproject_id: mine\nredis_url: redis://file/0")
    environ = {"WHETSTONE_TRAINING_EPOCHS": "7", "REDIS_URL": "redis://env/1", "GOOGLE_CLOUD_PROJECT": "theirs"}
    settings = load(file, environ)
    assert (settings.training.epochs, settings.training.patience, settings.training.batch_size) == (7, 2, 16)
    assert settings.redis_address == "redis://env/1"
    assert settings.project_id == "theirs"


def test_our_own_variable_wins_over_the_name_that_other_tools_use(tmp_path: Path) -> None:
    environ = {name: f"redis://{name}/0".lower() for name in ALIASES if name == "REDIS_URL"}
    environ |= {"GOOGLE_CLOUD_PROJECT": "a", "VERTEXAI_PROJECT": "b", "WHETSTONE_REDIS_URL": "redis://ours/0"}
    settings = load(write(tmp_path, ""), environ)
    assert settings.redis_url == "redis://ours/0"
    assert settings.project_id == "b"


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    assert load(write(tmp_path, "port: 9000"), {"WHETSTONE_PORT": "", "DATABASE_URL": ""}).port == 9000


def test_lists_come_from_the_environment_with_commas(tmp_path: Path) -> None:
    settings = load(write(tmp_path, ""), {"WHETSTONE_ALLOWED_HOSTS": "a.example, b.example"})
    assert settings.allowed_hosts == ("a.example", "b.example")


BAD_FILES = [
    ("trainings: {epochs: 3}", ["line 1", "trainings is not a setting", "did you mean training"]),
    ("training:\n  epoch: 3", ["line 2", "training.epoch is not a setting", "did you mean training.epochs?"]),
    ("training:\n  epochs: 0", ["line 2", "training.epochs", "greater than or equal to 1", "not 0", "default: 10"]),
    ("training:\n  epochs: ten", ["training.epochs", "valid integer"]),
    ("training:\n  epochs: 2.5", ["training.epochs", "integer"]),
    ("training:\n  epochs: yes", ["training.epochs", "not true or false"]),
    ("training:\n  epochs:", ["training.epochs", "not None"]),
    ("training: 5", ["line 1", "training"]),
    ("training:\n  alpha: 1", ["training.alpha", "less than or equal to 0.5"]),
    ("training:\n  alpha: .nan", ["training.alpha", "finite"]),
    ("training:\n  min_improvement: -0.1", ["training.min_improvement"]),
    ("training:\n  split: 60-20-20", ["training.split"]),
    ("training:\n  acceptance: maybe", ["training.acceptance", "'improvement' or 'confidence'"]),
    ("optimizer: {temperature: 3}", ["optimizer.temperature"]),
    ("budget: {usd: 0}", ["budget.usd"]),
    ("budget: {usd: .inf}", ["budget.usd"]),
    ("calls: {deadline_s: -1}", ["calls.deadline_s"]),
    ("port: 70000", ["port", "65535"]),
    ("port: 8000\nport: 8001", ["line 2", "port is given twice"]),
    ("host: ''", ["host"]),
    ("primary_model: ''", ["primary_model"]),
    ("database_url: mysql://x/y", ["database_url", "sqlite:/// or postgresql://"]),
    ("redis_url: localhost:6379", ["redis_url", "redis://"]),
    ("lease_s: 300", ["lease_s", "30"]),
    ("log_level: LOUD", ["log_level"]),
    ("allowed_hosts: 5", ["allowed_hosts"]),
    ("data_dir: 5", ["data_dir"]),
    ("- a\n- b", ["key: value"]),
    ("just words", ["key: value"]),
    ("training: {epochs: [", ["not readable as YAML"]),
    ("project_id: !!python/object/apply:os.system ['true']", ["not readable as YAML"]),
    ("project_id: {a: 1}", ["project_id"]),
    ("<<: 5", ["<< is not a setting"]),
    ("1: 2", ["1 is not a setting"]),
]


@pytest.mark.parametrize(("text", "wanted"), BAD_FILES, ids=[text for text, _ in BAD_FILES])
def test_a_wrong_file_stops_the_start_and_names_the_key(tmp_path: Path, text: str, wanted: list[str]) -> None:
    said = problems(tmp_path, text)
    assert str(tmp_path / "config.yaml") in said
    for part in wanted:
        assert part in said


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    said = problems(tmp_path, "prot: 1\nport: -1", {"WHETSTONE_LEASE_S": "x", "WHETSTONE_HSOT": "y"})
    assert len(said.splitlines()) == 4
    assert "environment variable WHETSTONE_LEASE_S" in said
    assert "WHETSTONE_HSOT is not a setting (did you mean WHETSTONE_HOST?)" in said


def test_a_secret_is_not_repeated_in_a_problem_or_in_the_printed_settings(tmp_path: Path) -> None:
    said = problems(tmp_path, "", {"DATABASE_URL": "mysql://user:hunter2@host/db"})
    assert "hunter2" not in said
    assert "DATABASE_URL" in said
    assert "hunter2" not in repr(load(write(tmp_path, ""), {"DATABASE_URL": "postgresql://u:hunter2@h/d"}))


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load(environ={"WHETSTONE_CONFIG": str(tmp_path / "nowhere.yaml")})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]


def test_config_yaml_lists_every_setting_with_its_default_and_description() -> None:
    text = (ROOT / "config.yaml").read_text()
    listed = yaml.safe_load(text)
    for setting in catalogue():
        value = listed
        for key in setting.path.split("."):
            value = value[key]
        assert (tuple(value) if isinstance(value, list) else value) == (
            str(setting.default) if isinstance(setting.default, Path) else setting.default
        ), setting.path
        assert setting.help, f"{setting.path} has no description"
        assert f"# {setting.help}\n" in text, setting.path


def test_each_setting_has_its_own_variable() -> None:
    names = [setting.env for setting in catalogue()]
    assert len(names) == len(set(names))


def test_the_env_file_is_read_and_may_be_absent(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / ".env") == {}
    (tmp_path / ".env").write_text("A=1\n# no\nB='two words'\nC\n")
    assert read_env_file(tmp_path / ".env") == {"A": "1", "B": "two words"}


def test_the_signing_key_is_made_once_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    key = signing_key(settings)
    assert len(key) >= 48
    assert signing_key(settings) == key
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["secret.key"]
    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600
    assert signing_key(Settings(secret_key="given")) == "given"
