"""One version, what changed between two, restoring, exporting."""

from __future__ import annotations

import io

from flask import flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue

from app.services import prompts
from app.services.errors import NotFound
from app.store.models import Prompt, PromptVersion
from app.web import params
from app.web.database import session
from app.web.prompts.browse import labels_of
from app.web.prompts.drafts import text_of
from app.web.prompts.page import get, notes, pages, parts, variables, version_of
from app.web.trying import panel_of_version

VIEWS = ("prompt", "changes", *prompts.FORMATS)
FILES = {"text": ("txt", "text/plain"), "yaml": ("yaml", "application/yaml"), "json": ("json", "application/json")}
FILES |= {"python": ("py", "text/x-python"), "promptfoo": ("promptfoo.yaml", "application/yaml")}
FILES |= {"langfuse": ("langfuse.json", "application/json")}


@pages.get("/<int:prompt_id>/versions/<int:number>")
def version(prompt_id: int, number: int) -> ResponseReturnValue:
    """One version, as itself, as what it changed, or in a format of export."""
    prompt = get(prompt_id)
    shown = version_of(prompt, number)
    view = params.choice("view", VIEWS, "prompt")
    parent = shown.parent
    if view == "changes" and parent is None:
        raise NotFound(f"version {number} was made from no other, so it has no changes to show")
    return render_template(
        "prompts/version.html",
        prompt=prompt,
        version=shown,
        parts=parts(shown),
        variables=variables(shown),
        notes=notes(shown),
        labels=labels_of(prompt).get(shown.id, []),
        view=view,
        views=_views(shown, view),
        exported=prompts.export(shown, view) if view in prompts.FORMATS else "",
        changes=pieces(parent, shown) if parent is not None and view == "changes" else [],
        is_head=shown is prompts.head(prompt),
        neighbours=_neighbours(prompt, shown),
        panel=panel_of_version(prompt, shown, variables(shown)),
    )


@pages.get("/<int:prompt_id>/versions/<int:number>/export/<format>")
def export(prompt_id: int, number: int, format: str) -> ResponseReturnValue:
    """A version as a file."""
    prompt = get(prompt_id)
    if format not in FILES:
        raise NotFound(f"there is no format {format!r}; there are {', '.join(FILES)}")
    ending, kind = FILES[format]
    content = prompts.export(version_of(prompt, number), format).encode()
    name = f"{prompt.name.replace('/', '-')} v{number}.{ending}"
    return send_file(io.BytesIO(content), mimetype=kind, as_attachment=True, download_name=name)


@pages.post("/<int:prompt_id>/versions/<int:number>/restore")
def restore(prompt_id: int, number: int) -> ResponseReturnValue:
    """Make the text of an old version the newest one."""
    prompt = get(prompt_id)
    made = prompts.restore(session(), prompt, version_of(prompt, number))
    flash(f"Version {number} is restored as version {made.number}.", "good")
    return redirect(url_for("prompts.show", prompt_id=prompt.id), 303)


@pages.get("/<int:prompt_id>/diff")
def diff(prompt_id: int) -> ResponseReturnValue:
    """What changed between any two versions, word by word."""
    prompt = get(prompt_id)
    newest = prompts.head(prompt)
    after = version_of(prompt, params.whole("b", default=newest.number))
    before = version_of(prompt, params.whole("a", default=after.parent.number if after.parent else after.number))
    return render_template(
        "prompts/diff.html",
        prompt=prompt,
        before=before,
        after=after,
        pieces=pieces(before, after),
        options=[(v.number, _title(v)) for v in reversed(prompt.versions)],
    )


def pieces(before: PromptVersion, after: PromptVersion) -> list[tuple[str, list[prompts.Op], bool]]:
    """(title, word diff, whether it differs) of each text of two versions; a chat is compared as a whole."""
    texts = [("System prompt", before.system_prompt, after.system_prompt)]
    texts.append(("Output prompt", before.output_prompt, after.output_prompt))
    if after.prompt.kind == "chat":
        texts = [("Messages", text_of(before), text_of(after))]
    return [(title, prompts.word_diff(old, new), old != new) for title, old, new in texts if old or new]


def _title(version: PromptVersion) -> str:
    fate = f", {version.fate}" if version.fate else ""
    return f"Version {version.number}{fate}"


def _views(version: PromptVersion, current: str) -> list[tuple[str, str, bool]]:
    titles = {"prompt": "Prompt"}
    if version.parent:
        titles["changes"] = f"Changes since version {version.parent.number}"
    titles |= {"text": "Text", "yaml": "YAML", "json": "JSON", "python": "Python"}
    titles |= {"promptfoo": "promptfoo", "langfuse": "Langfuse"}

    def address(view: str) -> str:
        return url_for("prompts.version", prompt_id=version.prompt_id, number=version.number, view=view)

    return [(title, address(view), view == current) for view, title in titles.items()]


def _neighbours(prompt: Prompt, version: PromptVersion) -> tuple[int | None, int | None]:
    numbers = [v.number for v in prompt.versions]
    at = numbers.index(version.number)
    return numbers[at - 1] if at else None, numbers[at + 1] if at + 1 < len(numbers) else None
