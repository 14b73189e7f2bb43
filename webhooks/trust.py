"""Which certificate authorities are trusted: the usual ones, and those of `WEBHOOK_CA_FILE`."""

import atexit
import tempfile
from functools import cache
from pathlib import Path

import certifi
from django.conf import settings


@cache
def ca_file() -> str:
    """The path of a PEM file with all of them. With a private authority it is made anew for each process."""
    if not settings.WEBHOOK_CA_FILE:
        return certifi.where()
    both = "\n".join(Path(path).read_text() for path in (certifi.where(), settings.WEBHOOK_CA_FILE))
    with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False) as made:
        made.write(both)
    atexit.register(Path(made.name).unlink, missing_ok=True)
    return made.name
