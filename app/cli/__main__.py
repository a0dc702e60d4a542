"""``python -m app.cli`` is ``whetstone``."""

from app.cli import main

main()
