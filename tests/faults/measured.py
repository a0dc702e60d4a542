"""Figures that the fault tests measured, in one JSON file; docs/reliability.md is checked against it."""

from __future__ import annotations

import fcntl
import json
from typing import Any

from app.config import ROOT

FILE = ROOT / "docs" / "reliability.json"


def read() -> dict[str, dict[str, Any]]:
    """Everything on record, by name."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found


def write(name: str, **figures: Any) -> None:
    """Record figures under a name; earlier ones of that name are replaced, figure by figure."""
    with FILE.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        everything = read()
        everything[name] = everything.get(name, {}) | figures
        FILE.write_text(json.dumps(everything, indent=2, sort_keys=True) + "\n")
