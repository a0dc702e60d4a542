"""The pages of providers: those known by name, keys that were entered, servers of one's own."""

from app.web.providers import browse, keys, servers
from app.web.providers.page import pages

__all__ = ["browse", "keys", "pages", "servers"]
