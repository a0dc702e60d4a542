"""The one menu of measurements."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """module: in benchmarks/, with ``measure(quick) -> list[Table]``. most_s, quick_s: it is cut off after so many seconds."""

    module: str
    most_s: float
    quick_s: float = 120.0


MEASUREMENTS: dict[str, Measurement] = {
    "evaluation": Measurement("efficiency", 300),
    "training": Measurement("training", 180),
    "lanes": Measurement("lanes", 300),
    "memory": Measurement("memory", 600),
    "resume": Measurement("resume", 240),
    "peers": Measurement("comparison", 900),
    "pages": Measurement("firstpage", 300),
    "streams": Measurement("streams", 300),
    "import": Measurement("importing", 240),
    "records": Measurement("queries", 900),
}
