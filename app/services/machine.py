"""What a worker needs of the machine it is on: free disk for the record, and a folder where paid answers can wait."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import Engine

from app.config import Settings
from app.store import spool

MB = 2**20


@dataclass(frozen=True, slots=True)
class Machine:
    """folders: must keep least_mb MB free each. spool: where paid answers wait while the database is away (None: nowhere).

    wait_s: how long a run waits for a database that is away before its worker gives it up.
    """

    folders: tuple[Path, ...] = ()
    least_mb: int = 0
    spool: Path | None = None
    wait_s: float = 0.0

    @classmethod
    def of(cls, settings: Settings, engine: Engine) -> Self:
        """The one that the settings describe."""
        file = Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None
        folders = [settings.data_dir, *([file.resolve().parent] if file else [])]
        return cls(
            folders=tuple(dict.fromkeys(folders)),
            least_mb=settings.disk_min_mb,
            spool=settings.data_dir / "spool",
            wait_s=settings.database_wait_s,
        )

    def trouble(self) -> str:
        """Why nothing should be bought here, in words with what to do; "" when all is well."""
        for folder in self.folders:
            if problem := self._trouble_in(folder):
                return problem
        return ""

    def waiting(self) -> Mapping[str, int]:
        """How many paid answers wait here, by run."""
        return spool.waiting(self.spool) if self.spool else {}

    def _trouble_in(self, folder: Path) -> str:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            free_mb = shutil.disk_usage(folder).free // MB
        except OSError as error:
            return f"{folder} cannot be used ({error.strerror}); answers could not be kept there"
        if not os.access(folder, os.W_OK):
            return f"{folder} is not writable; change its owner, so that answers can be kept there"
        if free_mb < self.least_mb:
            return f"only {free_mb} MB are free at {folder}, less than disk_min_mb ({self.least_mb}); free some space"
        return ""
