"""A place to run a person's Python file: other processes than ours, with limits of time, memory, files and network.

``pool`` is our side of it, ``inside`` the program on the other side. docs/training.md says what this does not protect against.
"""

from app.sandbox.pool import Limits, ProcessSandbox

__all__ = ["Limits", "ProcessSandbox"]
