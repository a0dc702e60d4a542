"""The navigation: one literal table of places, and the keys that lead to them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request

from app.web.assets import asset


@dataclass(frozen=True)
class Place:
    """A page of the navigation. key: pressed after "g" it leads there."""

    title: str
    endpoint: str
    icon: str
    key: str
    group: str = ""


PLACES = (
    Place("Home", "home.index", "home", "h"),
    Place("Runs", "runs.index", "runs", "r", "Work"),
    Place("Benchmarks", "benchmarks.index", "columns", "b", "Work"),
    Place("Playground", "playground.index", "play", "y", "Work"),
    Place("Compare", "compare.index", "compare", "c", "Work"),
    Place("Spending", "spending.index", "coin", "s", "Work"),
    Place("Datasets", "datasets.index", "data", "d", "Library"),
    Place("Prompts", "prompts.index", "prompt", "p", "Library"),
    Place("Models", "models.index", "model", "m", "Setup"),
    Place("Providers", "providers.index", "plug", "v", "Setup"),
    Place("API", "reference.index", "doc", "a", "Setup"),
)
THEMES = ("light", "dark")


def register(app: Flask) -> None:
    """Let every template know the places and the theme that the reader chose."""
    app.jinja_env.globals["asset"] = asset

    @app.context_processor
    def place_names() -> dict[str, object]:
        theme = request.cookies.get("theme", "")
        return {
            "places": PLACES,
            "here": request.blueprint or "",
            "theme": theme if theme in THEMES else "",
        }
