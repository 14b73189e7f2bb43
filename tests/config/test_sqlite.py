import subprocess
import sys

import pytest
from django.db import connection

from config import sqlite


@pytest.mark.parametrize("version", [(3, 51, 3), (3, 53, 0), (4, 0, 0), (3, 50, 7), (3, 44, 6), (3, 44, 9)])
def test_a_version_with_the_fix_is_told(version):
    assert sqlite.is_fixed(version)


@pytest.mark.parametrize("version", [(3, 51, 2), (3, 40, 1), (3, 50, 6), (3, 44, 5), (3, 45, 9), (3, 7, 0)])
def test_a_version_without_it_is_told(version):
    assert not sqlite.is_fixed(version)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite alone")
def test_django_works_with_the_version_that_is_warned_of_or_not(monkeypatch):
    import sqlite3

    from django.db.backends.sqlite3.base import Database

    assert Database.sqlite_version == sqlite3.sqlite_version
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    assert sqlite.warn_of_faulty() == []
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 2))
    assert [found.id for found in sqlite.warn_of_faulty()] == ["hookline.W001"]


def test_where_there_is_a_wheel_it_takes_the_place_of_pythons_own():
    pytest.importorskip("pysqlite3")
    code = "from config import sqlite; sqlite.use_own(); import sqlite3, pysqlite3; assert sqlite3 is pysqlite3"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
