import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings

from config import sqlite


@pytest.mark.parametrize("version", [(3, 51, 3), (3, 53, 0), (4, 0, 0), (3, 50, 7), (3, 44, 6), (3, 44, 9)])
def test_a_version_with_the_fix_is_told(version):
    assert sqlite.is_fixed(version)


@pytest.mark.parametrize("version", [(3, 51, 2), (3, 40, 1), (3, 50, 6), (3, 44, 5), (3, 45, 9), (3, 7, 0)])
def test_a_version_without_it_is_told(version):
    assert not sqlite.is_fixed(version)


@pytest.mark.parametrize(
    ("vendor", "version", "said"),
    [("sqlite", (3, 51, 2), ["hookline.W001"]), ("sqlite", (3, 51, 3), []), ("postgresql", None, [])],
)
def test_an_old_version_is_warned_of(monkeypatch, vendor, version, said):
    library = SimpleNamespace(sqlite_version_info=version, sqlite_version="of a test")
    monkeypatch.setattr(sqlite, "connection", SimpleNamespace(vendor=vendor, Database=library))
    assert [found.id for found in sqlite.warn_of_faulty()] == said


def test_where_there_is_a_wheel_django_works_with_it(tmp_path):
    pytest.importorskip("pysqlite3")
    code = "from django.db import connection; import pysqlite3; assert connection.Database is pysqlite3.dbapi2"
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/x", "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, env=environment, cwd=settings.BASE_DIR, check=False).returncode == 0
