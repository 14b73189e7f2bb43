"""System checks: settings that contradict each other stop the start with a sentence."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from webhooks.egress import Guard

RESERVE = 10  # seconds of a lease beyond the request itself: waiting for its turn, and recording


@register()
def check_lease(**kwargs: Any) -> list[CheckMessage]:
    """A lease shorter than a request would let a second worker send the same message."""
    least = settings.WEBHOOK_TIMEOUT + RESERVE
    if least <= settings.LEASE_SECONDS:
        return []
    text = f"LEASE_SECONDS is {settings.LEASE_SECONDS:g}; with WEBHOOK_TIMEOUT at {settings.WEBHOOK_TIMEOUT:g}"
    return [Error(f"{text} it must be at least {least:g}.", id="webhooks.E001")]


@register()
def check_networks(**kwargs: Any) -> list[CheckMessage]:
    try:
        Guard.allowing(settings.WEBHOOK_ALLOWED_NETWORKS, settings.WEBHOOK_ALLOWED_PORTS)
    except ValueError as error:
        return [Error(f"WEBHOOK_ALLOWED_NETWORKS: {error}. Use addresses such as 10.1.2.0/24.", id="webhooks.E002")]
    return []
