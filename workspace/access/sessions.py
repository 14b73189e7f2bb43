"""The session engine: Django's, whose rows also say whose session it is, from where, and when it was last used.

A session that was ended can't come back: saving one whose row is gone fails (Django answers 400).
"""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.dateparse import parse_datetime

from workspace.access.address import client_address
from workspace.access.models import Session

SEEN_EVERY = timedelta(minutes=5)  # how exact "last used" is: each step is one write
ABOUT = "about"


class SessionStore(DatabaseStore):
    """`settings.SESSION_ENGINE`."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        about = data.get(ABOUT, {})
        row.user_id = data.get(SESSION_KEY)
        row.address, row.agent = about.get("address", ""), about.get("agent", "")
        row.signed_in_at, row.seen_at = _moment(about.get("signed_in")), _moment(about.get("seen"))
        return row


def _moment(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None


def note_sign_in(request: HttpRequest) -> None:
    """Keep with the session where and when it began."""
    now = timezone.now().isoformat()
    agent = request.META.get("HTTP_USER_AGENT", "").replace("\x00", "")[:255]
    request.session[ABOUT] = {"address": client_address(request), "agent": agent, "signed_in": now, "seen": now}


def note_use(request: HttpRequest) -> None:
    """Move "last used", and with it the end of the session, on; at most every five minutes."""
    about, now = request.session.get(ABOUT, {}), timezone.now()
    seen = _moment(about.get("seen"))
    if seen is None or now - seen >= SEEN_EVERY:
        request.session[ABOUT] = {**about, "seen": now.isoformat()}


def live(user: Any) -> "QuerySet[Session]":
    """The sessions of a person that have not run out, last used first."""
    return Session.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-seen_at", "session_key")


def end(user: Any, *, handle: str = "", keep: str | None = None) -> int:
    """End the one with this handle, or all but `keep`; the number ended. Others' sessions are never touched."""
    found = Session.objects.filter(user=user).exclude(session_key=keep or "")
    keys = [row.session_key for row in found if not handle or handle_of(row) == handle]
    return Session.objects.filter(session_key__in=keys).delete()[0]


def handle_of(row: Session) -> str:
    """Names a session on a page without giving its key away."""
    return salted_hmac("workspace.session", row.session_key, algorithm="sha256").hexdigest()[:32]


def end_all(users: "QuerySet[User]") -> int:
    """End every session of these people."""
    return Session.objects.filter(user__in=users).delete()[0]


def forget_expired() -> int:
    """Delete what has run out; the number deleted."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
