"""/review-prompts: list, show, check, save, duplicate, delete."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, request

from app.api import benchmark_shapes as shapes
from app.api.context import answer, body, session, text
from app.api.openapi import Parameter, describe
from app.services import reviews as service
from app.services.benchmarks import documents as told

routes = Blueprint("reviews", __name__, url_prefix="/review-prompts")


@routes.get("")
@describe(shapes.ReviewPrompts, query={"search": Parameter("words that name or description contain")})
def list_all() -> Response:
    """All review prompts: search."""
    found = service.list_all(session(), request.args.get("search", ""))
    return answer({"items": [told.review_prompt(one, service.usage(session(), one.name)) for one in found]})


@routes.get("/<path:name>")
@describe(shapes.ReviewPrompt)
def show(name: str) -> Response:
    """One of them with its texts: name, name@version or name@label."""
    found = service.get(session(), name)
    return answer(told.review_prompt(found, service.usage(session(), found.name), full=True))


@routes.post("/check")
@describe(shapes.CheckedReview, body=shapes.ReviewText)
def check() -> Response:
    """What stands against a review prompt before it is saved: template, settings (JSON as text)."""
    given = body()
    found = service.check(text(given, "template"), text(given, "settings", ""))
    return answer(
        {
            "usable": found.rubric is not None,
            "errors": [asdict(one) for one in found.errors],
            "warnings": [asdict(one) for one in found.warnings],
        }
    )


@routes.post("")
@describe(shapes.ReviewPrompt, 201, body=shapes.NewReviewPrompt)
def save() -> Response:
    """Create one, or make a new version of it: name, template, settings (JSON as text), description."""
    given = body()
    words = (text(given, "name"), text(given, "template"), text(given, "settings", ""))
    saved = service.save(session(), *words, description=text(given, "description", ""))
    return answer(told.review_prompt(saved, service.usage(session(), saved.name), full=True), 201)


@routes.post("/duplicate")
@describe(shapes.ReviewPrompt, 201, body=shapes.Duplicate)
def duplicate() -> Response:
    """A new one that says the same: name, and new_name if wanted."""
    given = body()
    made = service.duplicate(session(), text(given, "name"), text(given, "new_name", ""))
    return answer(told.review_prompt(made, service.Usage(), full=True), 201)


@routes.delete("/<path:name>")
@describe(None, 204)
def delete(name: str) -> Response:
    """Take one away; 409 as long as a benchmark uses it."""
    service.delete(session(), name)
    return Response(status=204)
