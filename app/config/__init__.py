"""What the operator decides, as frozen, validated values; imports nothing else of ours."""

from app.config.reading import ROOT, ConfigError, Setting, catalogue, load, read_env_file, signing_key
from app.config.settings import Access, Budget, Calls, Code, Judge, Optimizer, Retention, Settings, Training, Uploads

__all__ = [
    "ROOT",
    "Access",
    "Budget",
    "Calls",
    "Code",
    "ConfigError",
    "Judge",
    "Optimizer",
    "Retention",
    "Setting",
    "Settings",
    "Training",
    "Uploads",
    "catalogue",
    "load",
    "read_env_file",
    "signing_key",
]
