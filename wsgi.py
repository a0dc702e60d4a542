"""The web application that ``whetstone web`` serves: the pages and the JSON API over one backend."""

from flask import Flask

from app import api, wiring
from app.web import create_app
from app.web.context import Backend


def make_app() -> Flask:
    """The application of this process's settings."""
    app = create_app(Backend(wiring.settings(), wiring.database().engine, wiring.enqueue))
    return api.attach(app)
