"""A version as a piece of Python that needs nothing else; valid for any text."""

from __future__ import annotations

from app.store.models import PromptVersion

_HEAD = '''\
# {title}
import re


def fill(text, values):
    """The text with every {{{{name}}}} replaced by its value."""
    return re.sub(r"\\{{\\{{\\s*([A-Za-z_]\\w*)\\s*\\}}\\}}", lambda found: str(values[found[1]]), text, flags=re.ASCII)

'''

_PAIR = '''

def messages(input):
    """What to send to a chat model for one input."""
    values = {"input": input}
    placed = any(re.search(r"\\{\\{\\s*input\\s*\\}\\}", text) for text in (SYSTEM_PROMPT, OUTPUT_PROMPT))
    closing = fill(OUTPUT_PROMPT, values)
    user = closing if placed else "\\n\\n".join(part for part in (input, closing) if part)
    turns = [{"role": "system", "content": fill(SYSTEM_PROMPT, values)}, {"role": "user", "content": user}]
    return [turn for turn in turns if turn["content"].strip()]
'''

_CHAT = '''

def messages(**values):
    """What to send to a chat model; values are those of the variables."""
    return [{"role": turn["role"], "content": fill(turn["content"], values)} for turn in MESSAGES]
'''


def python_snippet(version: PromptVersion) -> str:
    """Constants with the text, and a function that makes the messages exactly as a run does."""
    head = _HEAD.format(title=f"{version.prompt.name}, version {version.number}")
    if version.prompt.kind == "chat":
        turns = "".join(
            f'    {{\n        "role": {turn["role"]!r},\n        "content": {_literal(turn["content"], 8)},\n    }},\n'
            for turn in version.messages
        )
        return f"{head}\nMESSAGES = [\n{turns}]\n{_CHAT}"
    texts = f"SYSTEM_PROMPT = {_literal(version.system_prompt)}\nOUTPUT_PROMPT = {_literal(version.output_prompt)}\n"
    return f"{head}\n{texts}{_PAIR}"


def _literal(text: str, indent: int = 0) -> str:
    """A Python expression for the text, a line of it on each line."""
    lines = text.split("\n")
    if len(lines) == 1:
        return repr(text)
    pieces = [line + "\n" for line in lines[:-1]] + lines[-1:]
    inside = "".join(f"{' ' * (indent + 4)}{piece!r}\n" for piece in pieces if piece)
    return f"(\n{inside}{' ' * indent})"
