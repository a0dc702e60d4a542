"""The Celery application for ``celery -A worker worker`` (or simply ``whetstone worker``)."""

import sys

from app import wiring
from app.config import ConfigError
from app.jobs import make_celery
from app.store.schema import Unusable

try:
    celery = make_celery(wiring.settings())
    wiring.database().check()
except (ConfigError, Unusable) as error:
    sys.exit(str(error))
# The processes of the pool are forked; none may inherit an open connection.
wiring.database().close()
