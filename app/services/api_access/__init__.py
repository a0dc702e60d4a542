"""Access of programs: tokens, and requests that are sent twice."""

from app.services.api_access.once import Known, begin, finish, forget
from app.services.api_access.tokens import create, list_tokens, owner, revoke

__all__ = ["Known", "begin", "create", "finish", "forget", "list_tokens", "owner", "revoke"]
