"""SQLite as a wheel brings it, in place of the one Python was built with.

SQLite from 3.7.0 to 3.51.2 may lose what was committed, or damage the database, when one process writes at the moment
another one checkpoints (https://sqlite.org/wal.html#walresetbug), and Hookline's processes do both all the time. Most
systems still have such a version.
"""

import sys
from typing import Any

from django.core.checks import CheckMessage, Warning, register
from django.db import connection

FIXED = (3, 51, 3)
BACKPORTS = {(3, 44): 6, (3, 50): 7}  # minor version: the patch that has the fix


def use_own() -> None:
    """Let `import sqlite3` give the wheel's module from now on, where there is a wheel for this machine."""
    try:
        import pysqlite3
    except ImportError:
        return
    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2


def is_fixed(version: tuple[int, int, int]) -> bool:
    """Whether this version of SQLite has the fix."""
    major, minor, patch = version
    return version >= FIXED or patch >= BACKPORTS.get((major, minor), sys.maxsize)


@register()
def warn_of_faulty(**kwargs: Any) -> list[CheckMessage]:
    """Said by `manage.py check` and by commands where no wheel fits and the system's SQLite is an old one."""
    if connection.vendor != "sqlite":
        return []
    library = connection.Database  # type: ignore[attr-defined]
    if is_fixed(library.sqlite_version_info):
        return []
    return [
        Warning(
            f"SQLite {library.sqlite_version} can lose data with several processes (fixed in 3.51.3).",
            hint="Use PostgreSQL (DATABASE_URL), or a Python with a newer SQLite.",
            id="hookline.W001",
        )
    ]
