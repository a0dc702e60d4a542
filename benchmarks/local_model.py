"""How much the local model gains on the bundled samples. python -m benchmarks.local_model [--seeds N] [SAMPLE ...]

Each training is the one of `make demo-real` with another seed (another split and other examples). Prints a line of
Markdown for each, on standard output, and needs the local model (`make local`).
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.cli.supervisor import healthy
from app.config import Settings
from app.core.scorers import NO_TOOLS
from app.llm.gateway import Gateway
from app.services import datasets, documents, runs, training
from app.services.drive import drive
from app.services.local_model import SAMPLES, TRAINING
from app.store.database import Database

HEADINGS = "| sample | seed | before | after | difference | interval | n | verdict | calls | seconds |"


@contextmanager
def served() -> Iterator[int]:
    """The port of a local model that runs as long as the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with subprocess.Popen(
        [sys.executable, "-m", "app.llm.local_server", str(port)], stdout=subprocess.DEVNULL
    ) as process:
        try:
            while not healthy("127.0.0.1", port, "/health"):
                if process.poll() is not None:
                    raise SystemExit("the local model cannot be started; is it installed (make local)?")
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def trained(database: Database, port: int, name: str, seed: int) -> str:
    """One training as a line of the table."""
    settings = Settings(local_model_port=port)
    sample = next(one for one in datasets.sample_files() if one.name == name)
    gateway = Gateway(settings, {})
    with database.session() as session:
        form = {
            **TRAINING,
            "dataset": datasets.import_sample(session, sample.filename).name,
            "system_prompt": sample.system_prompt,
            "scorer": [sample.scorer],
            "seed": seed,
            "cache": "off",
        }
        run = training.start(session, training.parse(session, form, settings=settings, gateway=gateway, tools=NO_TOOLS))
    began = time.monotonic()
    drive(run.id, database=database, open_llm=lambda: Gateway(settings, {}), owner="benchmark", lease_s=20)
    took = time.monotonic() - began
    with database.session() as session:
        done, totals = runs.get(session, run.id), runs.totals(session, run.id)
        test, result = done.outcome["test"], documents.result(done, totals)
    low, high = result["interval"]
    return (
        f"| {name} | {seed} | {result['baseline']:.2f} | {result['final']:.2f} | {result['delta']:+.2f} "
        f"| {low:+.2f} to {high:+.2f} | {test['paired']['n']} | {result['verdict']} | {totals.calls} | {took:.0f} |"
    )


def main() -> None:
    """Train every sample with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", nargs="*", choices=[[], *SAMPLES], metavar="SAMPLE")
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3, 4])
    options = parser.parse_args()
    print(f"{HEADINGS}\n|{'---|' * (HEADINGS.count('|') - 1)}", flush=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served() as port,
        closing(Database(f"sqlite:///{Path(folder) / 'app.db'}")) as database,
    ):
        database.upgrade()
        for name in options.samples or SAMPLES:
            for seed in options.seeds:
                print(trained(database, port, name, seed), flush=True)


if __name__ == "__main__":
    main()
