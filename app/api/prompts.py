"""/prompts: list, show, new versions, labels, and the pull by name and label that applications use."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint, Response, request, url_for
from pydantic import BaseModel, ConfigDict, ValidationError

from app.api import shapes
from app.api.context import answer, body, page_size, session, text
from app.api.openapi import Parameter, describe, paged, whole
from app.api.shapes import page
from app.services import documents, reviews
from app.services import prompts as service
from app.services.errors import Invalid, NotFound, Problem
from app.services.prompts import Words
from app.store.models import Prompt

routes = Blueprint("prompts", __name__, url_prefix="/prompts")
SEARCH = Parameter("words that name, description, category or tags contain")


class NewVersion(BaseModel):
    """The body of a new version; kind, description, category and tags only matter for a new prompt."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["pair", "chat"] = "pair"
    system_prompt: str = ""
    output_prompt: str = ""
    messages: list[dict[str, Any]] = []
    description: str = ""
    category: str = ""
    tags: list[str] = []

    @property
    def words(self) -> Words:
        """The texts of the kind."""
        if self.kind == "chat":
            return Words(messages=self.messages)
        return Words(system_prompt=self.system_prompt, output_prompt=self.output_prompt)


@routes.get("")
@describe(page(shapes.Prompt), query={"search": SEARCH, "tag": Parameter("a tag"), **paged("a prompt's name")})
def list_all() -> Response:
    """The prompts by name; search: words that name, description, category or tags contain; tag, after (a name), limit."""
    size = page_size()
    words = {name: request.args.get(name, "") for name in ("search", "tag", "after")}
    found = service.summaries(session(), service.list_prompts(session(), **words, limit=size))
    items = [documents.prompt(one.prompt, one.versions) for one in found]
    return answer({"items": items, "next": items[-1]["name"] if len(items) == size else None})


@routes.post("/import")
@describe(shapes.ImportedPrompts, 201, body=shapes.NamedText)
def import_text() -> Response:
    """Import prompts from the text of a file: {"text": ..., "name"}; the formats are those of the page."""
    given = body()
    found = service.import_prompts(session(), text(given, "text"), name=text(given, "name", ""))
    items = [{**documents.version(one.version), "adjusted": list(one.adjusted)} for one in found]
    return answer({"items": items}, 201)


@routes.get("/<path:name>")
@describe(shapes.FullPrompt)
def show(name: str) -> Response:
    """One prompt with all its versions, the newest first."""
    prompt = service.get(session(), name)
    versions = [documents.version(version) for version in service.versions(session(), prompt)]
    return answer({**documents.prompt(prompt, len(versions)), "history": versions})


@routes.get("/<path:name>/versions/<which>")
@describe(shapes.Version)
def pull(name: str, which: str) -> Response:
    """One version by number or label: what an application fetches as its production prompt."""
    return answer(documents.version(service.version(session(), service.get(session(), name), which)))


@routes.post("/<path:name>/versions")
@describe(shapes.Version, 201, body=NewVersion)
def save(name: str) -> Response:
    """A new version; of a new prompt when there is none of that name. The same text again gives the version that has it."""
    given = _read(body())
    try:
        prompt = service.get(session(), name)
    except NotFound:
        version = _create(name, given).versions[0]
    else:
        if prompt.kind != given.kind and "kind" in given.model_fields_set:
            raise Invalid([Problem("kind", f"{name} is a {prompt.kind} prompt")])
        given = given.model_copy(update={"kind": prompt.kind})
        version = service.save_version(session(), prompt, **given.words)
    where = url_for("api.prompts.pull", name=version.prompt.name, which=version.number)
    return answer(documents.version(version), 201, Location=where)


@routes.get("/<path:name>/labels")
@describe(page(shapes.LabelMove), query={"limit": whole("moves at most; 100 when left out", 1, 1000)})
def label_history(name: str) -> Response:
    """Where its labels have pointed, the newest move first; version is null where one was taken away. limit."""
    moves = service.label_history(session(), service.get(session(), name), limit=page_size())
    return answer({"items": [documents.label_move(move) for move in moves], "next": None})


@routes.patch("/<path:name>")
@describe(shapes.Prompt, body=shapes.About)
def about(name: str) -> Response:
    """Change what is said about it: name, description, category, tags; what is left out stays."""
    prompt, given = service.get(session(), name), body()
    try:
        said = shapes.About.model_validate(given)
    except ValidationError as error:
        raise Invalid(_problems(error)) from None
    service.describe(
        session(),
        prompt,
        name=prompt.name if said.name is None else said.name,
        description=prompt.description if said.description is None else said.description,
        category=prompt.category if said.category is None else said.category,
        tags=prompt.tags if said.tags is None else said.tags,
    )
    return answer(documents.prompt(prompt, len(prompt.versions)))


@routes.delete("/<path:name>")
@describe(None, 204)
def delete(name: str) -> Response:
    """Take it out of the library; runs keep what they used."""
    prompt = service.get(session(), name)
    reviews.check_unused(session(), prompt.name)
    service.delete(session(), prompt)
    return Response(status=204)


@routes.post("/<path:name>/versions/<which>/restore")
@describe(shapes.Version, 201)
def restore(name: str, which: str) -> Response:
    """Make the text of an old version the newest one."""
    prompt = service.get(session(), name)
    made = service.restore(session(), prompt, service.version(session(), prompt, which))
    where = url_for("api.prompts.pull", name=prompt.name, which=made.number)
    return answer(documents.version(made), 201, Location=where)


@routes.put("/<path:name>/labels/<label>")
@describe(shapes.Labelled, body=shapes.Which)
def set_label(name: str, label: str) -> Response:
    """Point a label at a version: {"version": number or label}."""
    prompt = service.get(session(), name)
    which = body().get("version")
    if isinstance(which, bool) or not isinstance(which, int | str):
        raise Invalid([Problem("version", "is needed: a version's number, or another label")])
    version = service.version(session(), prompt, which)
    service.set_label(session(), prompt, label, version)
    return answer({"prompt": prompt.name, "label": label, "version": version.number})


@routes.delete("/<path:name>/labels/<label>")
@describe(None, 204)
def remove_label(name: str, label: str) -> Response:
    """Take a label away."""
    service.remove_label(session(), service.get(session(), name), label)
    return Response(status=204)


def _read(given: dict[str, Any]) -> NewVersion:
    try:
        return NewVersion.model_validate(given)
    except ValidationError as error:
        raise Invalid(_problems(error)) from None


def _problems(error: ValidationError) -> list[Problem]:
    return [
        Problem(".".join(map(str, one["loc"])), one["msg"].replace("Input should", "must")) for one in error.errors()
    ]


def _create(name: str, given: NewVersion) -> Prompt:
    about = {"description": given.description, "category": given.category, "tags": given.tags}
    return service.create(session(), name, kind=given.kind, **about, **given.words)  # type: ignore[arg-type]
