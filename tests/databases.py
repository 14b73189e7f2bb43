"""Test databases are copies of one that was migrated once: the migrations take half a minute, a copy takes a second.

The template stays for the next run, until a migration, a model or a requirement changes. SQLite's is a file in build/,
PostgreSQL's a database of the same server. Of several test processes the first one makes it, the others wait.
"""

import fcntl
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.color import no_style
from django.db import connection
from django.test import TransactionTestCase

BUILD = settings.BASE_DIR / "build"
SOURCES = (
    "*/migrations/*.py",
    "*/models.py",
    "*/models/*.py",
    "config/roles.py",
    "config/settings.py",
    "requirements*",
)


@contextmanager
def copied() -> Iterator[None]:
    """Point Django at a fresh test database, and destroy it in the end."""
    before = connection.settings_dict["NAME"]
    own, template = connection.creation._get_test_db_name(), f"hookline_template_{_version()}"
    BUILD.mkdir(exist_ok=True)
    with (BUILD / f"test-template-{connection.vendor}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if connection.vendor == "postgresql":
            _copy_database(template, own)
        else:
            _copy_file(BUILD / f"{template}.sqlite3", Path(own))
    _use(own)
    yield
    connection.creation.destroy_test_db(before, verbosity=0)


KEPT = {"django_migrations", "django_content_type", "auth_permission"}  # what migrating has filled, for good


def empty(case: TransactionTestCase) -> None:
    """Empty what a test that commits has written, in place of Django's way: that makes every permission anew."""
    tables = [name for name in connection.introspection.django_table_names() if name not in KEPT]
    with connection.cursor() as cursor:
        looks = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(name)})" for name in tables)
        cursor.execute(" UNION ALL ".join(looks))
        filled = [name for (name,) in cursor.fetchall()]
    if filled:
        connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), filled, allow_cascade=True))


def _version() -> str:
    found = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in settings.BASE_DIR.glob(pattern)):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def _use(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def _migrate(name: str) -> None:
    before, connection.settings_dict["TEST"]["NAME"] = connection.settings_dict["TEST"]["NAME"], name
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.settings_dict["TEST"]["NAME"] = before
    connection.close()


def _copy_file(template: Path, own: Path) -> None:
    if not template.exists():
        for old in BUILD.glob("hookline_template_*"):
            old.unlink()
        unfinished = template.with_suffix(".unfinished")
        _migrate(str(unfinished))
        unfinished.rename(template)
    shutil.copy(template, own)


def _copy_database(template: str, own: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template])
        is_there = cursor.fetchone()
    if not is_there:
        _migrate(f"{template}_unfinished")
    with connection._nodb_cursor() as cursor:
        if not is_there:
            cursor.execute(f'ALTER DATABASE "{template}_unfinished" RENAME TO "{template}"')
        cursor.execute(f'DROP DATABASE IF EXISTS "{own}"')
        cursor.execute(f'CREATE DATABASE "{own}" TEMPLATE "{template}"')
