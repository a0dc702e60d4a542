"""Where models come from: providers that are known by name, keys that were entered, servers of one's own."""

from app.services.providers import keys, servers, trial
from app.services.providers.found import Provider, found
from app.services.providers.keys import keyring

__all__ = ["Provider", "found", "keyring", "keys", "servers", "trial"]
