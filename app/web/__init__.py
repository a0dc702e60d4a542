"""The pages: one Flask application made of a literal table of blueprints, over services and nothing below them."""

from __future__ import annotations

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from app.config import Settings, signing_key
from app.web import (
    assets,
    benchmarks,
    compare,
    comparisons,
    database,
    datasets,
    errors,
    find,
    fmt,
    health,
    home,
    live,
    models,
    navigation,
    params,
    pictures,
    playground,
    prompts,
    providers,
    reference,
    runs,
    security,
    spending,
    style,
    trainings,
    works,
)
from app.web.context import Backend, attach

BLUEPRINTS = (
    assets.pages,
    health.pages,
    home.pages,
    find.pages,
    runs.pages,
    live.pages,
    compare.pages,
    comparisons.pages,
    playground.pages,
    spending.pages,
    datasets.pages,
    prompts.pages,
    trainings.pages,
    benchmarks.pages,
    models.pages,
    pictures.pages,
    providers.pages,
    works.pages,
    reference.pages,
    style.pages,
)
"""Every blueprint of the application, in the order of the navigation."""

MEGABYTE = 1024 * 1024
FORM_BYTES = 8 * MEGABYTE


def create_app(backend: Backend) -> Flask:
    """Build the application over a backend: settings, the database engine and the way to hand a run to a worker."""
    app = Flask(__name__, static_folder=None)
    app.config.update(_flask_config(backend.settings))
    app.url_map.converters["int"] = params.RowNumber
    attach(app, backend)
    live.prepare(app, backend.settings, backend.engine)
    database.connect(app, backend.engine)
    CSRFProtect(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    security.protect(app, backend.settings)
    errors.explain(app)
    fmt.register(app)
    navigation.register(app)
    return app


def _flask_config(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": signing_key(settings),
        "MAX_CONTENT_LENGTH": (settings.uploads.max_mb + settings.images.archive_max_mb) * MEGABYTE + FORM_BYTES,
        "MAX_FORM_MEMORY_SIZE": FORM_BYTES,
        "SESSION_COOKIE_NAME": "whetstone",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_TRACK_MODIFICATIONS": False,
    }
