"""python: a function score(input, reference, response) in a file of a person's own, run outside of this process."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from app.core.model import Ask, Case, Response, Score, Unscored
from app.core.scorers.base import CORRECT, Configured
from app.core.scorers.setting import setting
from app.core.scorers.similarity import PERFECT
from app.core.scorers.text import clip, quote
from app.core.storable import storable
from app.ports.llm import Json, ModelRef
from app.ports.scoring import CodeError, Sandbox, Tools

_FEEDBACK_CAP = 500


@dataclass(frozen=True)
class PythonFile(Configured):
    """It returns a number from 0 to 1, or {"score": ..., "feedback": ...}. Whatever else it does, the sample has no score."""

    name: ClassVar[str] = "python"
    file: str = setting(
        "",
        'Python with a function score(input, reference, response) that returns a number from 0 to 1, or {"score": ..., '
        '"feedback": ...}.',
        kind="file",
    )
    sandbox: Sandbox | None = field(default=None, repr=False, compare=False)

    def equipped(self, tools: Tools, judge: ModelRef | None) -> PythonFile:  # noqa: ARG002 - it asks no model
        """With the sandbox, in which the file was loaded. Raises: ValueError when code is not allowed or does not load."""
        if tools.sandbox is None:
            raise ValueError(
                "python runs code, which the operator of this installation has not allowed; "
                "where everyone who can start a run may be trusted, set allow_code to true"
            )
        if not self.file.strip():
            raise ValueError("file is empty; python needs a file with a function score(input, reference, response)")
        try:
            tools.sandbox.check(self.file)
        except CodeError as error:
            raise ValueError(f"file cannot be used: {error}") from None
        return replace(self, sandbox=tools.sandbox)

    async def score(self, case: Case, response: Response, ask: Ask) -> Score:  # noqa: ARG002 - no model is asked
        """What the function says. Raises: Unscored when it fails or says something else than a score."""
        if self.sandbox is None:
            raise ValueError("python was built without a sandbox")
        try:
            said = await self.sandbox.run(self.file, (case.input, case.reference, response.text))
        except CodeError as error:
            raise Unscored("scoring_failed", f"the Python scorer failed: {error}") from None
        return _read(said, case.reference, response.text)


def _read(said: Json, reference: str, answer: str) -> Score:
    given = said.get("score") if isinstance(said, dict) else said
    feedback = said.get("feedback", "") if isinstance(said, dict) else ""
    if not isinstance(given, int | float) or not 0 <= given <= 1:
        wanted = 'score must return a number from 0 to 1, or {"score": number, "feedback": text}'
        raise Unscored("scoring_failed", f"the Python scorer gave {str(said)[:80]!r}; {wanted}")
    value = float(given)
    default = CORRECT if value >= PERFECT else f"Score {value:.2f}: expected {quote(reference)}, got {quote(answer)}."
    told = storable(feedback).strip() if isinstance(feedback, str) else ""
    return Score(value, clip(told, _FEEDBACK_CAP) or default)
