"""The pages of the model configs."""

from app.web.models import access, browse, edit, exchange
from app.web.models.page import pages

__all__ = ["access", "browse", "edit", "exchange", "pages"]
