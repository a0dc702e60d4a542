"""What models write is shown as Markdown, and can do nothing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from app.web.markdown import LONGEST, TAGS, rendered


class Seen(HTMLParser):
    """What a browser would see in a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]


def test_ordinary_markdown_is_rendered_below_the_headings_of_the_page() -> None:
    html = rendered("# Title\n\n**bold** and `code`\n\n1. one\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    for piece in ("<h4>Title</h4>", "<strong>bold</strong>", "<code>code</code>", "<li>one</li>", "<td>1</td>"):
        assert piece in html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.example/p.png)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>1</script>)",
        '<a href="x" onclick="y">z</a>',
        "<style>*{display:none}</style>",
        "[x](https://a.example 'title\" onmouseover=\"alert(1)')",
        "<svg/onload=alert(1)>",
    ],
)
def test_nothing_runs_loads_or_styles(hostile: str) -> None:
    seen = Seen(rendered(hostile))
    assert seen.tags <= TAGS
    assert seen.attributes <= {"href", "title", "rel"}
    assert not [link for link in seen.links if not link.startswith(("http://", "https://", "mailto:"))]


def test_links_say_nothing_of_us_and_what_is_too_long_stays_plain() -> None:
    assert 'rel="noopener noreferrer nofollow"' in rendered("[x](https://a.example)")
    assert rendered("*" * (LONGEST + 1)).startswith("<pre")
