"""``whetstone demo``: everything served, and one training of a bundled sample with simulated models to look at."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from typing import Any

import click

from app import wiring
from app.cli.console import Exit, json_option, say
from app.cli.serve import address, serving, until_told
from app.cli.train import exit_code
from app.cli.watch import Watcher
from app.config import Settings
from app.services import datasets, documents, runs, training

SAMPLE = "support_intents.csv"
PRIMARY, OPTIMIZER = "simulated/primary", "simulated/optimizer"


@click.command()
@click.option("--once", is_flag=True, help="End with the run, with its exit code, instead of serving on.")
@click.option(
    "--sample",
    type=click.Choice([one.filename for one in datasets.sample_files()]),
    default=SAMPLE,
    show_default=True,
    help="Bundled sample to train on.",
)
@json_option
def demo(once: bool, sample: str, as_json: bool) -> int:
    """Train a prompt on a bundled sample with simulated models, show it live, and keep serving until Ctrl-C."""
    settings = wiring.settings()
    result: dict[str, Any] = {}
    with until_told() as stop, serving(settings, stop) as supervisor:
        say(f"Whetstone serves {address(settings)}  (logs in {settings.data_dir / 'run'}; Ctrl-C ends everything)")
        show = threading.Thread(target=_show, args=(settings, sample, stop, once, result), daemon=True)
        show.start()
        supervisor.keep(stop)
        say("Ending ...")
        show.join(1.0)
    if as_json and result:
        click.echo(json.dumps(result, indent=2))
    return exit_code(result) if result else Exit.STOPPED


def _show(settings: Settings, sample: str, stop: threading.Event, once: bool, result: dict[str, Any]) -> None:
    """Start the training, follow it, tell how it came out."""
    try:
        run_id = start_sample(settings, sample)
        page = f"{address(settings)}/runs/{run_id}"
        say(f"Training a prompt on {sample} with simulated models: {page}")
        run = Watcher(wiring.database(), run_id).follow(stop)
        with wiring.database().session() as session:
            result.update(documents.training_result(run, runs.totals(session, run_id)))
        if not stop.is_set():
            say(f"\nVerdict: {result['verdict'] or result['status']} (the models were simulated). See why at {page}")
    finally:
        if once or not result:
            stop.set()


def start_sample(settings: Settings, filename: str = SAMPLE) -> str:
    """Queue a training on a bundled sample; the sample is imported the first time. Returns the run's id."""
    sample = next(one for one in datasets.sample_files() if one.filename == filename)
    with wiring.database().session() as session:
        form = {
            "dataset": datasets.import_sample(session, filename, wiring.image_loader(settings)).name,
            "system_prompt": sample.system_prompt,
            "output_prompt": sample.output_prompt,
            "scorer": [sample.scorer],
            "primary_model": PRIMARY,
            "optimizer_model": OPTIMIZER,
            "cache": "off",  # a second demo is to show a run, not replies of the first one
        }
        with closing(wiring.open_tools(settings)) as tools:
            spec = training.parse(session, form, settings=settings, gateway=wiring.open_llm(), tools=tools)
        run = training.start(session, spec, name=f"Demo: {sample.title.lower()}")
    wiring.enqueue(run.id)
    return run.id
