"""Copies the database into one file while everything runs, and back into an empty database.

Both databases give one consistent moment: PostgreSQL by pg_dump's snapshot, SQLite by its online backup.
"""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import connection


class BackupFailed(Exception):
    """What went wrong, in a sentence for the operator."""


def back_up(target: Path) -> None:
    """Write the database to `target`, readable by its owner alone; it is there whole or not at all."""
    if target.exists():
        raise BackupFailed(f"{target} exists already. Name a new file.")
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600))
    try:
        if connection.vendor == "sqlite":
            _copy_sqlite(Path(connection.settings_dict["NAME"]), part)
        else:
            _postgresql("pg_dump", "--format=custom", "--no-owner", "--no-acl", f"--file={part}", dbname=True)
            _postgresql("pg_restore", "--list", str(part))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def restore(source: Path) -> None:
    """Fill the database of the settings, which must be empty, from a file that `back_up` wrote."""
    if not source.is_file():
        raise BackupFailed(f"There is no file {source}.")
    if connection.introspection.table_names():
        raise BackupFailed("This database is not empty. Restore into a new one, and set DATABASE_URL to it.")
    connection.close()
    if connection.vendor == "sqlite":
        _check_sqlite(source)
        target = Path(connection.settings_dict["NAME"])
        for leftover in ("-wal", "-shm"):
            target.with_name(f"{target.name}{leftover}").unlink(missing_ok=True)
        _copy_sqlite(source, target)
    else:
        _postgresql(
            "pg_restore", "--no-owner", "--no-acl", "--exit-on-error", "--single-transaction", str(source), dbname=True
        )


def _copy_sqlite(source: Path, target: Path) -> None:
    """Page by page, through SQLite's own lock: writers go on meanwhile."""
    with closing(sqlite3.connect(source, timeout=60)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there, pages=4096, sleep=0.01)
        there.execute("PRAGMA journal_mode=DELETE")  # one file, no -wal beside it
    _check_sqlite(target)


def _check_sqlite(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as here:
            found = here.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"{path} is not a SQLite database ({error}).") from error
    if found != "ok":
        raise BackupFailed(f"{path} is damaged: {found}.")


def _postgresql(*command: str, dbname: bool = False) -> None:
    """Run one of PostgreSQL's own programs against the database of the settings."""
    config = connection.settings_dict
    given = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}  # never on a command line
    environment = os.environ | {name: str(config[key]) for name, key in given.items() if config[key]}
    arguments = [*command, *([f"--dbname={config['NAME']}"] if dbname else [])]
    try:
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise BackupFailed(f"{command[0]} is not installed. It comes with PostgreSQL's client programs.") from None
    if done.returncode:
        raise BackupFailed(f"{command[0]} failed: {done.stderr.strip()}")
