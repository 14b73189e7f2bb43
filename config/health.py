"""For operators' machines: is this process alive, may it get traffic, and the numbers for Prometheus."""

import hmac
from collections.abc import Callable, Mapping

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from canvas import watchdog
from outreach.metrics import OutcomeCollector
from webhooks.metrics import DeliveryCollector
from workspace import queues

_HERE = ("127.0.0.1", "::1", "")


class ProbeMiddleware:
    """Answers the probes before anything else does: they come by address, without TLS, and with any Host header."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.views = {"/health/live": live, "/health/ready": ready, "/metrics": metrics}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.views.get(request.path_info, self.get_response)(request)


def live(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and is migrated, else 503. Redis and late journeys are told, not required."""
    found = _database()
    found["redis"] = "ok" if queues.is_reachable() else "away: workers look for work by themselves"
    is_ready = found["database"] == "ok"
    if is_ready:
        late = sum(watchdog.overdue(timezone.now()).values())
        found["journeys"] = "ok" if not late else f"{late} are due for more than an hour"
    return JsonResponse(
        {"status": "ok" if is_ready else "unavailable", "checks": found}, status=200 if is_ready else 503
    )


def _database() -> dict[str, str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        missing = _missing_migrations()
    except DatabaseError as error:
        return {"database": type(error).__name__}
    return {"database": f"{missing} migrations are missing" if missing else "ok"}


_is_migrated = False


def _missing_migrations() -> int:
    """How many; read until there are none, then never again: a process of a later version starts anew."""
    global _is_migrated
    if _is_migrated:
        return 0
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    _is_migrated = not missing
    return len(missing)


def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers, for this machine or whoever has METRICS_TOKEN as a bearer token."""
    if not _may_read(request.META):
        return HttpResponse(status=403)
    registry = CollectorRegistry()
    registry.register(DeliveryCollector())
    registry.register(OutcomeCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(meta: Mapping[str, str]) -> bool:
    if settings.METRICS_TOKEN:
        return hmac.compare_digest(meta.get("HTTP_AUTHORIZATION", ""), f"Bearer {settings.METRICS_TOKEN}")
    return meta.get("REMOTE_ADDR", "") in _HERE and not meta.get("HTTP_X_FORWARDED_FOR")
