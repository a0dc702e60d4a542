"""What a model wrote, as Markdown: no HTML of its own, no picture, no script, and headings below those of the page."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

LONGEST = 100_000
"""Characters that are read as Markdown; what is longer is shown as plain text."""
LOWEST = 6
SHIFT = 3
"""By so many levels headings go down: a page has its own."""
TAGS = {
    "p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a",
    "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}

_READER = (
    MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"]).disable("image")
)


def rendered(text: str) -> Markup:
    """The text as safe HTML."""
    if len(text) > LONGEST:
        return Markup('<pre class="prose">{}</pre>').format(text)
    tokens = _READER.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(LOWEST, int(token.tag[1]) + SHIFT)}"
    html = _READER.renderer.render(tokens, _READER.options, {})
    clean = nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener noreferrer nofollow"
    )
    return Markup(clean)  # noqa: S704 - what nh3 lets through
