"""Taking a run away and in, comparing, and prompts of other tools, on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.conftest import Shell


def test_a_run_goes_out_and_comes_in(shell: Shell, trained: dict[str, Any], tmp_path: Path) -> None:
    run = trained["run"]
    folder = Path(shell.json("runs", "export", run, "--output", str(tmp_path))["path"])
    packed = tmp_path / "run.zip"
    shell("runs", "export", run, "--format", "zip", "--output", str(packed))
    known = shell.json("runs", "import", str(packed))
    assert (known["id"], known["already"]) == (run, True)
    made = shell.json("runs", "import", str(folder), "--again")
    assert (made["origin"], made["already"]) == (run, False)
    assert "is here already" in shell("runs", "import", str(packed)).stdout
    assert "no folder" not in shell.refused("runs", "import", str(tmp_path))["file"]
    assert "cannot be read" in shell.refused("runs", "import", str(tmp_path / "gone"))["path"]
    found = shell.json("compare", f"{run}:0", run, made["id"])
    assert [one["run"] for one in found["versions"]] == [run, run, made["id"]]
    assert "shared examples" in shell("compare", f"{run}:0", run).stdout
    assert "choose at least 2" in shell.refused("compare", run)["of"]


def test_versions_are_measured(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "prompts.yaml"
    file.write_text("prompts:\n  - 'Classify: {{input}}'\n  - 'Sort {input} please'\n")
    found = shell.json("prompts", "import", str(file), "--name", "yaml")
    assert [one["prompt"] for one in found] == ["yaml 1", "yaml 2"]
    assert found[1]["adjusted"] == ["input"]
    asked = ["prompts", "compare", "yaml 1", "yaml 2@1", "--dataset", "support_intents", "--part", "validation"]
    asked += ["--primary-model", "simulated/primary"]
    assert shell.json(*asked, "--estimate")["calls"] > 20
    result = shell.json(*asked, "--here")
    assert result["status"] == "done"
    assert len(result["candidates"]) == 2
    assert "comparison:" in shell(*asked, "--here").stdout
    assert set(shell.refused(*asked[:3], *asked[4:])) == {"version"}
