"""What operators' machines ask: alive, ready, and the numbers."""

import pytest
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import ConnectionError as RedisConnectionError

from config import health as view
from tests.factories import ContentFactory, MessageFactory
from webhooks import health
from workspace import queues

pytestmark = pytest.mark.django_db(transaction=True)


def test_alive(client):
    assert client.get("/health/live").json() == {"status": "ok"}


def test_probes_come_by_address_and_without_tls(client, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["hookline.example.com"], True
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200


def test_ready(client):
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "redis": "ok", "journeys": "ok"}


def test_without_redis_it_is_ready_and_says_so(client, monkeypatch):
    def away():
        raise RedisConnectionError("away")

    monkeypatch.setattr(queues, "connection", away)
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["checks"]["redis"].startswith("away")


def test_without_its_database_it_is_not_ready(client, monkeypatch):
    class Away:
        def cursor(self):
            raise DatabaseError("gone")

    monkeypatch.setattr(view, "connection", Away())
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "checks": {"database": "DatabaseError", "redis": "ok"}}


def test_with_migrations_missing_it_is_not_ready(client, monkeypatch):
    monkeypatch.setattr(view, "_is_migrated", False)
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: [object(), object()])
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "2 migrations are missing"


def test_the_numbers(client, sink, pump):
    MessageFactory(content=ContentFactory(url=sink.url))
    assert "hookline_messages_due 1.0" in client.get("/metrics").content.decode()
    pump.run()
    health._close("slow.example")
    text = client.get("/metrics").content.decode()
    assert "hookline_messages_due 0.0" in text
    assert "hookline_answer_seconds_count 1.0" in text
    assert 'hookline_host_halted{host="slow.example"} 1.0' in text


def test_who_may_read_the_numbers(client, settings):
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.9").status_code == 403
    assert client.get("/metrics", HTTP_X_FORWARDED_FOR="10.0.0.9").status_code == 403
    settings.METRICS_TOKEN = "s3cret"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.9", HTTP_AUTHORIZATION="Bearer s3cret").status_code == 200
