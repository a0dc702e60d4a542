"""What the operator decides, as frozen, validated values; imports nothing else of ours."""

from app.config.calls import Access, Calls, Judge
from app.config.reading import ROOT, ConfigError, Setting, catalogue, load, read_env_file, signing_key
from app.config.settings import Budget, Code, Experiments, Optimizer, Retention, Settings, Training, Uploads

__all__ = [
    "ROOT",
    "Access",
    "Budget",
    "Calls",
    "Code",
    "ConfigError",
    "Experiments",
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
