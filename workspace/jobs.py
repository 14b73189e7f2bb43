"""Housekeeping of the house rules. May run twice or late."""

from datetime import timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.utils import timezone

from workspace.access import sessions


def tidy() -> None:
    """Delete sessions that have run out, and what the sign-in log kept long enough."""
    sessions.forget_expired()
    long_ago = timezone.now() - timedelta(days=settings.SIGN_IN_DAYS_KEPT)
    for model in (AccessLog, AccessFailureLog, AccessAttempt):
        model.objects.filter(attempt_time__lt=long_ago).delete()
