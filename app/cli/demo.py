"""``whetstone demo``: everything served, and one training of a bundled sample; simulated, or with a real local model."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import click

from app import wiring
from app.cli.console import Exit, Refused, explain, json_option, refused, say
from app.cli.serve import address, serving, until_told
from app.cli.train import exit_code
from app.cli.watch import Watcher
from app.config import Settings
from app.llm import local
from app.services import datasets, documents, local_model, runs, training
from app.services.errors import Problem, ServiceError

SAMPLE = "support_intents.csv"
SIMULATED = {"primary_model": "simulated/primary", "optimizer_model": "simulated/optimizer"}


@click.command()
@click.option("--once", is_flag=True, help="End with the run, with its exit code, instead of serving on.")
@click.option(
    "--real", is_flag=True, help="Train the local model, which runs on this machine, instead of simulated ones."
)
@click.option(
    "--sample",
    type=click.Choice([one.filename for one in datasets.sample_files()]),
    help="Bundled sample to train on; for --real one of the small ones.",
)
@json_option
def demo(once: bool, real: bool, sample: str | None, as_json: bool) -> int:
    """Train a prompt on a bundled sample, show it live, and keep serving until Ctrl-C."""
    settings = wiring.settings()
    form = _form(settings, real, sample)
    result: dict[str, Any] = {}
    with until_told() as stop, serving(settings, stop) as supervisor:
        say(f"Whetstone serves {address(settings)}  (logs in {settings.data_dir / 'run'}; Ctrl-C ends everything)")
        show = threading.Thread(target=_show, args=(settings, stop, form, once, result), daemon=True)
        show.start()
        supervisor.keep(stop)
        say("Ending ...")
        show.join(1.0)
    if as_json and result:
        click.echo(json.dumps(result, indent=2))
    return exit_code(result) if result else Exit.STOPPED


def _form(settings: Settings, real: bool, sample: str | None) -> dict[str, object]:
    """The fields of the training. Raises: Refused when the local model cannot be used."""
    small = [f"{name}.csv" for name in local_model.SAMPLES]
    if real and sample and sample not in small:
        raise Refused([Problem("sample", f"the local model can learn {', '.join(small)}, not {sample}")])
    if real and not local.installed():
        raise Refused([Problem("real", f"the local model is not installed: {local.INSTALL}")])
    if real and not settings.local_model_port:
        raise Refused([Problem("real", "local_model_port is 0, so the local model is not started; give it a port")])
    return {"dataset": sample or (small[0] if real else SAMPLE), **(local_model.TRAINING if real else SIMULATED)}


def _show(
    settings: Settings, stop: threading.Event, form: Mapping[str, object], once: bool, result: dict[str, Any]
) -> None:
    """Start the training, follow it, tell how it came out."""
    kind = "simulated models" if form["primary_model"] == SIMULATED["primary_model"] else "a real model on this machine"
    try:
        run_id = start_sample(settings, form)
        page = f"{address(settings)}/runs/{run_id}"
        say(f"Training a prompt on {form['dataset']} with {kind}: {page}")
        run = Watcher(wiring.database(), run_id).follow(stop)
        with wiring.database().session() as session:
            result.update(documents.result(run, runs.totals(session, run_id)))
        if not stop.is_set():
            say(f"\nVerdict: {result['verdict'] or result['status']} ({kind}).\n{_tested(result)}See why at {page}")
    except ServiceError as error:
        explain(refused(error).problems, False)
    finally:
        if once or not result:
            stop.set()


def _tested(result: Mapping[str, Any]) -> str:
    """The sealed test in a sentence; "" without one."""
    if result["delta"] is None:
        return ""
    low, high = result["interval"]
    return (
        f"{result['sentence']}\nSealed test: {result['baseline']:.2f} before, {result['final']:.2f} after; "
        f"difference {result['delta']:+.2f}, interval {low:+.2f} to {high:+.2f}.\n"
    )


def start_sample(settings: Settings, form: Mapping[str, object]) -> str:
    """Queue a training on a bundled sample, imported the first time. form: its dataset and models. Returns the run's id."""
    sample = next(one for one in datasets.sample_files() if one.filename == form["dataset"])
    with wiring.database().session() as session:
        whole = {
            **form,
            "dataset": datasets.import_sample(session, sample.filename, wiring.image_loader(settings)).name,
            "system_prompt": sample.system_prompt,
            "output_prompt": sample.output_prompt,
            "scorer": [sample.scorer],
            "cache": "off",  # a second demo is to show a run, not replies of the first one
        }
        with closing(wiring.open_tools(settings)) as tools:
            spec = training.parse(session, whole, settings=settings, gateway=wiring.open_llm(), tools=tools)
        run = training.start(session, spec, name=f"Demo: {sample.title.lower()}")
    wiring.enqueue(run.id)
    return run.id
