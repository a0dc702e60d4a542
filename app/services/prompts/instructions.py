"""What an optimiser is told: the library's own prompt when a person made one, else the file that ships with the product."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from sqlalchemy.orm import Session

from app.core.optimizers import STRATEGIES
from app.core.optimizers.request import PLACEHOLDERS
from app.core.scorers import rubric
from app.core.templates import placeholders
from app.services.errors import Invalid, NotFound, Problem
from app.services.prompts.library import create, get
from app.services.prompts.versions import save_version, version
from app.store.models import PromptVersion

PROMPTS = Path(__file__).resolve().parents[3] / "prompts"
JUDGE = "judge/rubric"
"""Library prompt, and file, of what a judge is told."""
NEEDED = ("system_prompt", "output_prompt", "failures", "reply_format")
"""Without these an optimiser knows neither what it improves, nor what goes wrong, nor how to answer."""
INSTRUCTIONS = "optimizer/"
"""Instructions of a strategy are the library prompt of this name and the strategy's."""


def optimizer_instructions(session: Session, strategy: str) -> str:
    """The template for a strategy: the library prompt optimizer/<strategy> (label "production", else its head), else our file.

    "" for a strategy that asks no model. Raises: NotFound for an unknown strategy.
    """
    if not _template(strategy):
        return ""
    return _of_library(session, INSTRUCTIONS + strategy) or shipped_instructions(strategy)


def judge_instructions(session: Session) -> str:
    """The template for a judge: the library prompt judge/rubric (label "production", else its head), else our file."""
    return _of_library(session, JUDGE) or _body(PROMPTS / f"{JUDGE}.md")


def _of_library(session: Session, name: str) -> str:
    """A person's own text under this name, "" when there is none."""
    try:
        prompt = get(session, name)
    except NotFound:
        return ""
    try:
        return version(session, prompt, "production").system_prompt
    except NotFound:
        return version(session, prompt).system_prompt


def save_optimizer_instructions(session: Session, strategy: str, text: str) -> PromptVersion:
    """Keep a person's instructions as a new version of optimizer/<strategy>. Raises: Invalid, NotFound."""
    if problem := instructions_flaw(strategy, text):
        raise Invalid([Problem("instructions", problem)])
    name = INSTRUCTIONS + strategy
    try:
        prompt = get(session, name)
    except NotFound:
        about = f"What the optimiser is told by the strategy {strategy}."
        prompt = create(
            session, name, description=about, category="optimizer", system_prompt=shipped_instructions(strategy)
        )
    return save_version(session, prompt, system_prompt=text)


def instructions_flaw(strategy: str, text: str) -> str:
    """Why a text cannot instruct the strategy's optimiser, or ""."""
    if not _template(strategy):
        return f"the strategy {strategy} asks no model, so it takes no instructions"
    return _flaw(text, PLACEHOLDERS, NEEDED, "the optimiser")


def judge_flaw(text: str) -> str:
    """Why a text cannot instruct a judge, or ""."""
    return _flaw(text, rubric.PLACEHOLDERS, rubric.NEEDED, "the judge")


def _flaw(text: str, known: Iterable[str], needed: Iterable[str], who: str) -> str:
    used = placeholders(text)
    unknown = [name for name in used if name not in known]
    missing = [name for name in needed if name not in used]
    if unknown:
        return f"{_braced(unknown)} is filled in by nothing; known: {_braced(known)}"
    if missing:
        return f"{_braced(missing)} must occur, else {who} does not see it"
    return ""


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names)


def _template(strategy: str) -> str:
    if strategy not in STRATEGIES:
        raise NotFound(f"there is no strategy called {strategy!r}; known: {', '.join(STRATEGIES)}")
    return STRATEGIES[strategy].template


def shipped_instructions(strategy: str) -> str:
    """The text of our own file for a strategy, without its front matter."""
    return _body(PROMPTS / "optimizer" / f"{_template(strategy).removesuffix('.md')}.md")


@cache
def _body(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if text.startswith("---\n"):
        return text.split("\n---\n", 1)[1].lstrip("\n")
    return text
