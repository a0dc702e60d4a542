"""Review prompts: what a reviewer model is asked about the answers of a benchmark."""

from app.services.reviews.checks import Checked, check
from app.services.reviews.library import (
    CATEGORY,
    DEFAULT,
    NONE,
    PREFIX,
    ReviewPrompt,
    Usage,
    check_unused,
    delete,
    duplicate,
    get,
    list_all,
    save,
    settings_of,
    settings_text,
    usage,
)

__all__ = [
    "CATEGORY",
    "DEFAULT",
    "NONE",
    "PREFIX",
    "Checked",
    "ReviewPrompt",
    "Usage",
    "check",
    "check_unused",
    "delete",
    "duplicate",
    "get",
    "list_all",
    "save",
    "settings_of",
    "settings_text",
    "usage",
]
