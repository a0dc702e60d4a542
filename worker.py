"""The Celery application for ``celery -A worker worker`` (or simply ``whetstone worker``)."""

import sys

from app import wiring
from app.config import ConfigError
from app.jobs import make_celery

try:
    celery = make_celery(wiring.settings())
except ConfigError as error:
    sys.exit(str(error))
