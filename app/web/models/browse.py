"""The list of model configs, and one with its revisions and their differences."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import models
from app.services.runs import SPEED_TITLES
from app.store.models import ModelConfig, ModelConfigRevision
from app.web import params
from app.web.context import backend
from app.web.database import session
from app.web.models.page import get, pages


@dataclass(frozen=True)
class Row:
    """A config in the list, with what it comes to."""

    config: ModelConfig
    head: ModelConfigRevision
    look: models.Look
    used: models.Statistics


def _price(row: Row) -> tuple[bool, float]:
    """Unknown prices come last."""
    price = row.look.price
    return price is None, price.prompt_usd + price.completion_usd if price else 0.0


def _known_first(value: float | None) -> tuple[bool, float]:
    return value is None, value or 0.0


def _slowness(value: float | None) -> float | None:
    """The fastest first."""
    return None if value is None else -value


SORTS: dict[str, tuple[str, Callable[[Row], Any]]] = {
    "name": ("Name", lambda row: row.config.name.casefold()),
    "price": ("Price", _price),
    "rpm": ("Rate limit", lambda row: _known_first(row.head.target_rpm)),
    "runs": ("Runs", lambda row: -row.used.runs),
    "time": ("Time", lambda row: _known_first(row.used.mean_s)),
    "first": ("First token", lambda row: _known_first(row.used.speed["ttft_s"]["p50"])),
    "speed": ("Speed", lambda row: _known_first(_slowness(row.used.speed["output_tokens_per_s"]["p50"]))),
    "cost": ("Cost", lambda row: _known_first(row.used.mean_usd)),
    "failed": ("Failures", lambda row: -row.used.failed),
    "changed": ("Newest change", lambda row: -row.head.created_at.timestamp()),
}
GROUPS = {"model": "By model", "none": "Not grouped"}


@pages.get("")
def index() -> ResponseReturnValue:
    """All configs, sorted, and grouped by model unless the reader wants them in one list."""
    sort, group = params.choice("sort", list(SORTS), "name"), params.choice("group", list(GROUPS), "model")
    gateway, used = backend().gateway, models.statistics(session())
    rows = [
        Row(
            one,
            models.head(one),
            models.look(models.says(models.head(one)), gateway),
            used.get(one.id, models.Statistics()),
        )
        for one in models.list_configs(session())
    ]
    rows.sort(key=SORTS[sort][1])

    def here(**changed: str) -> str:
        return url_for("models.index", _external=False, **{"sort": sort, "group": group} | changed)

    return render_template(
        "models/index.html",
        groups=_grouped(rows) if group == "model" else [("", rows)],
        count=len(rows),
        sorts=[(title, here(sort=key), key == sort) for key, (title, _) in SORTS.items()],
        grouping=[(title, here(group=key), key == group) for key, title in GROUPS.items()],
    )


def _grouped(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    """By model name; within a model the order stays."""
    ordered = sorted(rows, key=lambda row: row.head.model.casefold())
    return [(model, list(group)) for model, group in groupby(ordered, key=lambda row: row.head.model)]


@pages.get("/<int:config_id>")
def show(config_id: int) -> ResponseReturnValue:
    """One config, as its newest revision or an older one says it, with what each revision changed."""
    config = get(config_id)
    used = models.statistics(session()).get(config.id, models.Statistics())
    shown = models.revision(config, params.whole("revision", default=models.head(config).number))
    revisions = list(reversed(config.revisions))
    changes = [
        (after, models.differences(before, after) if before else [])
        for after, before in zip(revisions, [*revisions[1:], None], strict=True)
    ]
    return render_template(
        "models/show.html",
        config=config,
        shown=shown,
        look=models.look(models.says(shown), backend().gateway),
        changes=changes,
        used=used,
        speed_titles=SPEED_TITLES,
        copied=json.dumps(models.document(config, shown), ensure_ascii=False, indent=2),
        reference=models.PREFIX + config.name,
    )


@pages.post("/<int:config_id>/active")
def set_active(config_id: int) -> ResponseReturnValue:
    """Switch it on or off."""
    config, active = get(config_id), request.form.get("active") == "1"
    models.set_active(session(), config, active)
    flash(f"{config.name} is {'active again' if active else 'inactive: no new run can use it'}.", "good")
    return redirect(url_for("models.show", config_id=config.id), 303)


@pages.post("/<int:config_id>/clone")
def clone(config_id: int) -> ResponseReturnValue:
    """A new config like this one, to be changed."""
    made = models.clone(session(), get(config_id))
    flash(f"Cloned as {made.name}.", "good")
    return redirect(url_for("models.edit", config_id=made.id), 303)


@pages.post("/<int:config_id>/delete")
def delete(config_id: int) -> ResponseReturnValue:
    """Take it out of the lists."""
    config = get(config_id)
    name = config.name
    models.delete(session(), config)
    flash(f"{name} is deleted; runs that used it keep what they used.", "good")
    return redirect(url_for("models.index"), 303)


@pages.get("/<int:config_id>/json")
def as_json(config_id: int) -> ResponseReturnValue:
    """One config as a file that can be imported again."""
    config = get(config_id)
    response = Response(models.export_json([config]), mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename=f"model config {config.id}.json")
    return response
