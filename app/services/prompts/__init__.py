"""The prompt library: named prompts, immutable versions, movable labels; what runs found; words in and out."""

from app.services.prompts.checks import KINDS, LABEL_RULE, NAME_RULE, Words, notes_on, parse_messages, variables
from app.services.prompts.diff import Op, word_diff
from app.services.prompts.exchange import FORMATS, export, import_json
from app.services.prompts.history import Node, Use, adopt, lineage, used_by
from app.services.prompts.instructions import (
    instructions_flaw,
    judge_flaw,
    judge_instructions,
    optimizer_instructions,
    save_optimizer_instructions,
)
from app.services.prompts.library import (
    Summary,
    by_id,
    check_about,
    create,
    delete,
    describe,
    free_name,
    get,
    head,
    list_prompts,
    recent_numbers,
    summaries,
    tags_in_use,
)
from app.services.prompts.versions import remove_label, restore, save_version, set_label, version, versions

__all__ = [
    "FORMATS",
    "KINDS",
    "LABEL_RULE",
    "NAME_RULE",
    "Node",
    "Op",
    "Summary",
    "Use",
    "Words",
    "adopt",
    "by_id",
    "check_about",
    "create",
    "delete",
    "describe",
    "export",
    "free_name",
    "get",
    "head",
    "import_json",
    "instructions_flaw",
    "judge_flaw",
    "judge_instructions",
    "lineage",
    "list_prompts",
    "notes_on",
    "optimizer_instructions",
    "parse_messages",
    "recent_numbers",
    "remove_label",
    "restore",
    "save_optimizer_instructions",
    "save_version",
    "set_label",
    "summaries",
    "tags_in_use",
    "used_by",
    "variables",
    "version",
    "versions",
    "word_diff",
]
