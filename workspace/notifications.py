"""Tells people by email what they asked to be told, not too often, and again later where that failed."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db.models import Q

from workspace.models import NotificationKind, NotificationPreferences, Notified

logger = logging.getLogger(__name__)

TRY_AGAIN = timedelta(minutes=5)


def recipients(kind: NotificationKind) -> list[str]:
    """The addresses of those who want this kind; of every administrator if nobody does."""
    wanted = [row.user_id for row in NotificationPreferences.objects.all() if kind in row.kinds]
    people = User.objects.filter(is_active=True, is_staff=True).exclude(email="")
    chosen = people.filter(pk__in=wanted) or people.filter(is_superuser=True)
    return sorted(set(chosen.values_list("email", flat=True)))


def tell(
    kind: NotificationKind,
    about: str,
    every: timedelta,
    now: datetime,
    write: Callable[[], tuple[str, str]],
    to: Sequence[str] = (),
) -> bool:
    """Send (subject, text) of `write`, unless that was done within `every`. Whether it was sent.

    It goes `to` these addresses; without any, to those who want the kind.

    A claim on the row keeps two processes from telling twice.
    """
    Notified.objects.get_or_create(about=about)
    is_due = Q(at=None) | Q(at__lte=now - every)
    is_free = Q(tried_at=None) | Q(tried_at__lte=now - TRY_AGAIN)
    if not Notified.objects.filter(is_due & is_free, about=about).update(tried_at=now):
        return False
    to = list(to) or recipients(kind)
    subject, text = write()
    try:
        if to:
            EmailMessage(subject, text, to=to).send()
    except OSError as error:  # smtplib's errors are among them
        logger.warning("about=%s email not sent: %s", about, error)
        Notified.objects.filter(about=about).update(error=f"{type(error).__name__}: {error}"[:500])
        return False
    Notified.objects.filter(about=about).update(at=now, error="")
    return bool(to)


def unsent() -> list[str]:
    """The errors that keep people from being told: to be shown on the home page."""
    return list(Notified.objects.exclude(error="").values_list("error", flat=True))
