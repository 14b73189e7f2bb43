import os
import re
import secrets
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

COMPLETE = {
    "SECRET_KEY": secrets.token_urlsafe(60),
    "ALLOWED_HOSTS": "hookline.example.com",
    "CREDENTIALS_KEY": Fernet.generate_key().decode(),
}


def check(tmp_path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    bare = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        env=bare | environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("missing", COMPLETE)
def test_production_does_not_start_without_its_secrets(tmp_path, missing):
    result = check(tmp_path, **{name: value for name, value in COMPLETE.items() if name != missing})
    assert result.returncode != 0
    assert f"{missing} is not set" in result.stderr


def test_production_starts_with_them_and_passes_djangos_own_checks(tmp_path):
    result = check(tmp_path, "--deploy", "--fail-level", "WARNING", **COMPLETE)
    assert result.returncode == 0, result.stderr


def test_a_lease_shorter_than_a_request_is_refused(tmp_path):
    result = check(tmp_path, **COMPLETE, LEASE_SECONDS="30")
    assert "LEASE_SECONDS is 30; with WEBHOOK_TIMEOUT at 90 it must be at least 100." in result.stderr


def test_messages_are_kept_as_long_as_the_log_that_leads_to_them(tmp_path):
    refused = check(tmp_path, **COMPLETE, MESSAGE_DAYS_KEPT="40", LOG_DAYS_KEPT="60")
    assert "MESSAGE_DAYS_KEPT is 40; it must be at least 60, or 0 for ever." in refused.stderr
    assert "it must be at least 30" in check(tmp_path, **COMPLETE, MESSAGE_DAYS_KEPT="-1").stderr
    assert "it must be at least 1." in check(tmp_path, **COMPLETE, LOG_DAYS_KEPT="0").stderr
    assert check(tmp_path, **COMPLETE, MESSAGE_DAYS_KEPT="0").returncode == 0


def test_an_empty_database_address_is_the_default_and_an_odd_one_is_refused(tmp_path):
    assert check(tmp_path, **COMPLETE, DATABASE_URL="").returncode == 0
    assert "DATABASE_URL must begin with" in check(tmp_path, **COMPLETE, DATABASE_URL="hookline@db").stderr


def test_a_network_that_is_none_is_refused(tmp_path):
    assert "WEBHOOK_ALLOWED_NETWORKS" in check(tmp_path, **COMPLETE, WEBHOOK_ALLOWED_NETWORKS="10.0.0.300/8").stderr


def test_keys_of_a_trial_are_kept_and_private(tmp_path):
    for _ in range(2):
        assert check(tmp_path, ENVIRONMENT="development").returncode == 0
    key = tmp_path / "credentials_key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert Fernet(key.read_text())


def test_every_variable_is_listed_in_the_example():
    source = (settings.BASE_DIR / "config" / "settings.py").read_text()
    example = (settings.BASE_DIR / ".env.example").read_text()
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    assert len(names) > 20
    assert {name for name in names if f"#{name}=" not in example} == set()


@pytest.mark.django_db
def test_signing_in_leads_to_the_admin(client, admin_user):
    answer = client.post("/admin/login/", {"username": "admin", "password": "password"})
    assert (answer.status_code, answer.url) == (302, "/admin/")


HEADERS = """
import django; django.setup()
from django.conf import settings
from django.test import Client
client = Client(headers={"host": "hookline.example.com"})
print(client.get("/nowhere", secure=True).headers)
print(client.get("/admin/login/").headers["location"])
print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY)
"""


def test_every_cookie_and_header_is_strict_in_production(tmp_path):
    bare = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command, folder = [sys.executable, "-c", HEADERS], settings.BASE_DIR
    text = subprocess.run(command, env=bare | COMPLETE, cwd=folder, capture_output=True, text=True, check=True).stdout
    headers, location, cookies = text.strip().splitlines()
    assert "max-age=31536000; includeSubDomains" in headers
    assert re.search(r"script-src 'self' 'unsafe-eval'[;\"]", headers)  # the order of directives is not fixed
    assert "'X-Frame-Options': 'DENY'" in headers
    assert "'X-Content-Type-Options': 'nosniff'" in headers
    assert location == "https://hookline.example.com/admin/login/"
    assert cookies == "True True True"
