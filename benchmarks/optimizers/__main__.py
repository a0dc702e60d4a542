"""The optimiser benchmark: python -m benchmarks.optimizers [--quick] [--seeds 30 60] [--budget 4800] [--only auto gepa-8 ...].

Traces are kept under ~/.cache/whetstone-bench/traces by a digest of the code that made them, so that a run that was cut
short goes on where it was. The figures go to docs/optimisers.json and, as tables, into docs/optimisers.md.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from app.core.optimizers import STRATEGIES
from benchmarks.optimizers import gates, greedy, ours
from benchmarks.optimizers.figures import BUDGETS, Runs, accuracy, ratio, reached, shipped
from benchmarks.optimizers.report import render
from benchmarks.optimizers.trace import Trace
from benchmarks.optimizers.worlds import WORLDS

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path.home() / ".cache/whetstone-bench"
GEPA = CACHE / "gepa/bin/python"
GEPA_VERSION = "0.1.4"
FILE = ROOT / "docs/optimisers.json"
PEERS = ("gepa-3", "gepa-8", "greedy")


def main() -> None:
    """Make the traces that are missing, then the figures."""
    wanted = _arguments()
    names = wanted.only or [*PEERS, *STRATEGIES]
    if any(name.startswith("gepa") for name in names) and not _install_gepa():
        print(f"gepa {GEPA_VERSION} could not be installed; its rows are left out.", file=sys.stderr)
        names = [name for name in names if not name.startswith("gepa")]
    seeds = range(wanted.seeds[0], wanted.seeds[1])
    found: dict[str, dict[str, Runs]] = {name: {} for name in names}
    for name in names:
        for world in WORLDS:
            found[name][world] = _traces(name, world, seeds, wanted.budget)
            print(f"{name}, {world}: {len(seeds)} runs", file=sys.stderr)
    result = {
        "seeds": list(wanted.seeds),
        "most": wanted.budget,
        "worlds": {
            world: _figures(world, {n: runs[world] for n, runs in found.items()}, wanted.budget) for world in WORLDS
        },
        "ratios": _ratios(found, wanted.budget),
        "ship": gates.ship(wanted.gates),
        "errors": gates.errors(wanted.gates),
    }
    print(render(result))
    if not wanted.quick:
        FILE.write_text(json.dumps(result, indent=1) + "\n")
        page = ROOT / "docs/optimisers.md"
        head, _, rest = page.read_text().partition("<!-- figures -->\n")
        page.write_text(
            f"{head}<!-- figures -->\n{render(result)}<!-- end of figures -->{rest.partition('<!-- end of figures -->')[2]}"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.optimizers", description="How good the optimiser is.")
    parser.add_argument(
        "--seeds", nargs=2, type=int, default=[30, 60], help="first and one past the last; 0 to 30 are for tuning"
    )
    parser.add_argument("--budget", type=int, default=BUDGETS[-1], help="rollouts of each run")
    parser.add_argument("--gates", type=int, default=1000, help="runs of the gate simulator")
    parser.add_argument("--only", nargs="*", help="strategies and peers instead of all")
    parser.add_argument("--quick", action="store_true", help="two seeds, 600 rollouts, 20 gates; writes no file")
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.seeds, wanted.budget, wanted.gates = [0, 2], 600, 20
    return wanted


def _figures(world: str, runs: dict[str, Runs], most: int) -> dict[str, Any]:
    return {
        name: {
            "accuracy": {str(b): accuracy(world, traces, b) for b in BUDGETS if b <= most},
            "shipped": {str(b): shipped(world, traces, b) for b in BUDGETS if b <= most}
            if name in STRATEGIES
            else None,
            "reached": reached(world, traces, most),
            "reflections": sum(t.reflections for t in traces.values()) / len(traces),
        }
        for name, traces in runs.items()
    }


def _ratios(found: dict[str, dict[str, Runs]], most: int) -> dict[str, tuple[float, float, float]]:
    """Of each strategy to the better one of gepa's minibatches, world by world."""
    if not {"gepa-3", "gepa-8"} <= found.keys():
        return {}
    theirs = []
    for world in WORLDS:
        both = [reached(world, found[name][world], most) for name in ("gepa-3", "gepa-8")]
        theirs.append(min(both, key=lambda hits: sum(hits.values())))
    return {
        name: ratio([reached(world, runs[world], most) for world in WORLDS], theirs)
        for name, runs in found.items()
        if name in STRATEGIES
    }


def _traces(name: str, world: str, seeds: Iterable[int], budget: int) -> Runs:
    folder = CACHE / "traces" / _digest(name) / f"{name}-{world.replace(' ', '-')}-{budget}"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [seed for seed in seeds if not (folder / f"{seed}.json").exists()]
    maker: Callable[[str, str, list[int], int], Iterable[tuple[int, Trace]]] = (
        _gepa if name.startswith("gepa") else _own
    )
    for seed, trace in maker(name, world, missing, budget):
        (folder / f"{seed}.json").write_text(json.dumps([trace.steps, trace.reflections]))
    return {seed: _read(folder / f"{seed}.json") for seed in seeds}


def _own(name: str, world: str, seeds: list[int], budget: int) -> Iterable[tuple[int, Trace]]:
    for seed in seeds:
        if name == "greedy":
            yield seed, greedy.run(world, seed, budget)
        else:
            yield seed, asyncio.run(ours.run(world, seed, budget, name))


def _gepa(name: str, world: str, seeds: list[int], budget: int) -> Iterable[tuple[int, Trace]]:
    for seed in seeds:
        command = [
            str(GEPA),
            "-m",
            "benchmarks.optimizers.gepa_driver",
            world,
            str(seed),
            str(seed + 1),
            str(budget),
            name[-1],
        ]
        line = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        told = json.loads(line)
        yield seed, Trace([(spent, prompt) for spent, prompt in told["steps"]], reflections=told["reflections"])


def _read(path: Path) -> Trace:
    steps, reflections = json.loads(path.read_text())
    return Trace([(spent, prompt) for spent, prompt in steps], reflections=reflections)


def _digest(name: str) -> str:
    """Of the code that a trace depends on: the worlds for all, the engine's search for ours."""
    files = [Path(__file__).parent / f"{part}.py" for part in ("worlds", "reflector", "trace", "gepa_driver", "greedy")]
    if name in STRATEGIES:
        files += [Path(__file__).parent / "ours.py"]
        files += sorted(
            p for part in ("optimizers", "kinds", "stats") for p in (ROOT / "app/core" / part).rglob("*.py")
        )
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _install_gepa() -> bool:
    """Whether gepa's own environment is there, or could be made."""
    if not GEPA.exists():
        subprocess.run([sys.executable, "-m", "venv", str(GEPA.parents[1])], check=False)
    check = [str(GEPA), "-c", "import gepa"]
    if GEPA.exists() and subprocess.run(check, check=False, capture_output=True).returncode:
        subprocess.run([str(GEPA), "-m", "pip", "install", "-q", "--no-deps", f"gepa=={GEPA_VERSION}"], check=False)
    return GEPA.exists() and subprocess.run(check, check=False, capture_output=True).returncode == 0


if __name__ == "__main__":
    main()
