"""The pages of the prompt library: the list, a prompt with its versions, the editor, comparisons, exchange."""

from app.web.prompts import browse, edit, exchange, labels, versions
from app.web.prompts.page import pages

__all__ = ["browse", "edit", "exchange", "labels", "pages", "versions"]
