"""The same training gives the same result from the page and from the command line, on real data and real processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from app.config import ROOT
from tests.cli.test_up import environment, wait_for_line, whetstone
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.rule_world import RuleWorld

pytestmark = pytest.mark.slow

DATASETS = ("banking77_12way_300", "bbh_snarks")
FORM = {"system_prompt": "Answer the question.", "epochs": "2", "batch_size": "8", "seed": "11"}
SIMULATED = {"primary_model": "simulated/primary", "optimizer_model": "simulated/optimizer"}
SERVED = {"primary_model": "openai/rule", "optimizer_model": "openai/rule"}
RESULT = (
    "verdict",
    "sentence",
    "simulated",
    "validation",
    "test",
    "epochs",
    "proposals",
    "accepted",
    "final",
    "stopped_by",
)


class Fields(HTMLParser):
    """The values that a browser would send with the form of a page that has the given action or none."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: list[tuple[str, str]] = []
        self._select, self._area = "", ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select and "selected" in given:
            self.values.append((self._select, given.get("value", "")))
        elif tag == "textarea":
            self._area = given.get("name", "")
            self.values.append((self._area, ""))
        elif tag == "input" and given.get("name"):
            chosen = given.get("type") not in ("checkbox", "radio", "file", "submit") or "checked" in given
            if chosen:
                self.values.append((given["name"], given.get("value", "on")))

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[-1] = (self._area, (self.values[-1][1] + data).lstrip("\n"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a `whetstone up` that is running."""
    environ = environment(tmp_path_factory.mktemp("served"), OPENAI_API_KEY="sk-test")
    with whetstone(environ, "up") as process:
        wait_for_line(process, "Whetstone serves")
        yield environ
        process.terminate()
        process.wait(20)


def cli(environ: dict[str, str], *words: str) -> Any:
    command = [sys.executable, "-m", "app.cli", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def from_the_page(environ: dict[str, str], changes: dict[str, str]) -> str:
    """Fill in the form of a new training as it comes, press Start; returns the run's id."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    url = f"http://127.0.0.1:{environ['WHETSTONE_PORT']}/trainings/new"
    with opener.open(url) as page:
        fields = dict(Fields(page.read().decode()).values)
    body = urllib.parse.urlencode(fields | changes | {"do": "start"}).encode()
    with opener.open(urllib.request.Request(url, body, {"Referer": url})) as page:
        return str(page.url).rpartition("/")[2]


def outcome(environ: dict[str, str], run_id: str) -> Any:
    base = f"http://127.0.0.1:{environ['WHETSTONE_PORT']}/api/v1/runs/{run_id}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with urllib.request.urlopen(base) as answer:
            run = json.load(answer)
        if run["status"] not in ("queued", "running"):
            assert run["status"] == "done", run
            return {key: run["outcome"][key] for key in RESULT}
        time.sleep(0.1)
    raise AssertionError("the run did not end")


def by_both_doors(environ: dict[str, str], file: Path, models: dict[str, str], name: str) -> tuple[Any, Any]:
    cli(environ, "datasets", "import", str(file), "--name", name)
    form = FORM | models
    options = [word for key, value in form.items() for word in (f"--{key.replace('_', '-')}", value)]
    run_id = from_the_page(environ, form | {"dataset": name, "name": ""})
    told = cli(environ, "train", "--dataset", name, *options)
    return outcome(environ, run_id), outcome(environ, told["run"])


@pytest.mark.parametrize("name", DATASETS)
def test_simulated_models_on_real_data(served: dict[str, str], shared_data: Path, name: str) -> None:
    page, terminal = by_both_doors(served, shared_data / "datasets" / f"{name}.csv", SIMULATED, f"{name}_simulated")
    assert page == terminal
    assert page["simulated"] is True
    assert page["test"]["paired"]["n"] > 30


@pytest.mark.parametrize("name", DATASETS)
def test_an_openai_compatible_server_on_real_data(served: dict[str, str], shared_data: Path, name: str) -> None:
    file = shared_data / "datasets" / f"{name}.csv"
    with OpenAIServer(RuleWorld.from_csv([file])) as server:
        models = SERVED | {"api_base": server.url + "/v1"}
        page, terminal = by_both_doors(served, file, models, f"{name}_served")
        assert server.ledger.paid > 80
    assert page == terminal
    assert page["simulated"] is False
