"""Tells people when endpoint errors are too many, and before certificates run out (webhooks specification, 10)."""

import time
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db.models import Max, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from webhooks import errors, owners
from webhooks.models import Content, ErrorCount, LogKind
from workspace import notifications
from workspace.models import Credential, NotificationKind, Workspace

DAY = timedelta(hours=24)
GROUPS = 10
CHECK_EVERY = 60.0  # seconds, in each process
_KINDS = {
    LogKind.WEBHOOK_ERROR: NotificationKind.WEBHOOK_ERRORS,
    LogKind.CONNECTED_CONTENT_ERROR: NotificationKind.CONNECTED_CONTENT_ERRORS,
}
_next_check = 0.0


def check_due(now: datetime) -> None:
    """Check now and then; it may be called as often as one likes."""
    global _next_check
    if time.monotonic() >= _next_check:
        _next_check = time.monotonic() + CHECK_EVERY
        check(now)


def check(now: datetime) -> None:
    """Tell those who asked for it: too many errors in 24 hours, a sudden rate of them, certificates that run out."""
    workspace = Workspace.current()
    for kind, notification in _KINDS.items():
        if errors.total(kind, now - DAY) > workspace.error_threshold:
            notifications.tell(notification, notification, DAY, now, partial(_errors_mail, kind, workspace, now))
    _check_rate(workspace, now)
    _check_certificates(workspace, now)
    ErrorCount.objects.filter(since__lt=now - 2 * DAY).delete()


def _check_rate(workspace: Workspace, now: datetime) -> None:
    if workspace.error_percent is None:
        return
    try:
        failed, requests = errors.recent_rate()
    except RedisError:
        return
    if requests >= workspace.error_percent_of and failed * 100 >= workspace.error_percent * requests:
        shown = {"workspace": workspace.name, "errors": f"{failed:,}", "requests": f"{requests:,}"}
        subject = _("%(workspace)s: many requests fail just now") % shown
        text = _("%(errors)s of the last %(requests)s requests failed, within 15 minutes.") % shown
        about = NotificationKind.ERROR_RATE
        notifications.tell(about, about, timedelta(hours=1), now, partial(_pair, subject, f"{text}\n\n{_log_link()}"))


def _check_certificates(workspace: Workspace, now: datetime) -> None:
    """Once each for 30, 7 and 1 days before the end."""
    for found in Credential.objects.filter(expires_at__lte=now + timedelta(days=30)):
        left = (found.expires_at - now).days if found.expires_at else 0
        about = f"certificate:{found.pk}:{found.expires_at}:{next(days for days in (1, 7, 30) if left <= days)}"
        shown = {"workspace": workspace.name, "name": found.name, "until": f"{found.expires_at:%Y-%m-%d}"}
        subject = _("%(workspace)s: the client certificate %(name)s runs out on %(until)s") % shown
        link = settings.SITE_URL + reverse("admin:workspace_credential_change", args=[found.pk])
        notifications.tell(
            NotificationKind.CERTIFICATES, about, timedelta(days=365), now, partial(_pair, subject, link)
        )


def _pair(subject: str, text: str) -> tuple[str, str]:
    return subject, f"{text}\n"


def _errors_mail(kind: LogKind, workspace: Workspace, now: datetime) -> tuple[str, str]:
    """Subject and text: the ten largest groups, each with its owner, address, code, number and last time."""
    shown = {"workspace": workspace.name, "kind": kind.label, "count": f"{errors.total(kind, now - DAY):,}"}
    rows = ErrorCount.objects.filter(kind=kind, since__gt=now - DAY).values("content_id", "host", "status")
    groups = rows.annotate(total=Sum("count"), last=Max("last_at"), address=Max("url")).order_by("-total")[:GROUPS]
    subject = _("%(workspace)s: %(count)s times “%(kind)s” in 24 hours") % shown
    lines = [_("The largest groups:"), ""]
    for group in groups:
        lines += [
            f"{group['total']:,} × {group['status']}  {group['address'] or group['host']}",
            f"    {_owner(group['content_id'])}",
            "    " + _("last at %(at)s UTC") % {"at": f"{group['last']:%Y-%m-%d %H:%M}"},
            "",
        ]
    return subject, "\n".join([*lines, _log_link(), ""])


def _owner(content_id: int) -> str:
    content = Content.objects.filter(pk=content_id).first()
    owner = owners.of(content) if content else None
    return f"{owner.title}: {settings.SITE_URL}{owner.url}" if owner else _("(deleted)")


def _log_link() -> str:
    link = settings.SITE_URL + reverse("admin:webhooks_messageactivitylog_changelist")
    return _("Message Activity Log: %(link)s") % {"link": link}
