"""Named model configs: a model with its settings, address, rate limit and price, kept in revisions."""

from app.services.models.checks import price_of, read
from app.services.models.exchange import Imported, document, export_json, import_text
from app.services.models.library import (
    by_id,
    check_name,
    clone,
    create,
    delete,
    differences,
    get,
    head,
    list_configs,
    rename,
    revision,
    save,
    says,
    set_active,
)
from app.services.models.looking import Look, look
from app.services.models.naming import PREFIX, called, is_config, warning
from app.services.models.statistics import Statistics, statistics
from app.services.models.words import in_words

__all__ = [
    "PREFIX",
    "Imported",
    "Look",
    "Statistics",
    "by_id",
    "called",
    "check_name",
    "clone",
    "create",
    "delete",
    "differences",
    "document",
    "export_json",
    "get",
    "head",
    "import_text",
    "in_words",
    "is_config",
    "list_configs",
    "look",
    "price_of",
    "read",
    "rename",
    "revision",
    "save",
    "says",
    "set_active",
    "statistics",
    "warning",
]
