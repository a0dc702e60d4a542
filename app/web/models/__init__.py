"""The pages of the model configs."""

from app.web.models import browse, edit, exchange
from app.web.models.page import pages

__all__ = ["browse", "edit", "exchange", "pages"]
