"""Who did what when: one list out of the three places that know it.

The admin's log has what was added, changed, deleted and exported; the history tables have every version of what keeps
one (those rows stand in for the admin's, which say less); the sign-in log has who came in, and who failed to.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from axes.models import AccessFailureLog, AccessLog
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from simple_history.models import registered_models


class Action(models.TextChoices):
    ADDED = "added", gettext_lazy("added")
    CHANGED = "changed", gettext_lazy("changed")
    DELETED = "deleted", gettext_lazy("deleted")
    SIGNED_IN = "signed_in", gettext_lazy("signed in")
    FAILED = "sign_in_failed", gettext_lazy("sign-in failed")


_FLAGS = {ADDITION: Action.ADDED, CHANGE: Action.CHANGED, DELETION: Action.DELETED}
_HISTORY = {"+": Action.ADDED, "~": Action.CHANGED, "-": Action.DELETED}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: every field that is given must fit. `before` pages backwards."""

    who: str = ""
    action: str = ""
    kind: str = ""  # a model as app.model, or "sign_in"
    text: str = ""
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody did. `who` is empty for the system itself."""

    at: datetime
    who: str
    action: Action
    kind: str
    what: str
    note: str
    url: str = ""


def entries(wanted: Wanted, count: int) -> list[Entry]:
    """The latest that fit, newest first. A few queries, each of at most `count` rows."""
    found: Iterable[Iterator[Entry]] = [source(wanted, count) for source in _sources()]
    return list(islice(heapq.merge(*found, key=lambda entry: entry.at, reverse=True), count))


def _sources() -> Iterator[Callable[[Wanted, int], Iterator[Entry]]]:
    yield _logged
    yield _came_in
    yield _failed
    for model in _with_history():
        yield lambda wanted, count, model=model: _versions(model, wanted, count)  # type: ignore[misc]


def _with_history() -> list[Any]:
    return [model for model in registered_models.values() if hasattr(model, "history")]


def kinds() -> list[tuple[str, str]]:
    """What entries can be about: key and name."""
    ids = set(LogEntry.objects.order_by().values_list("content_type", flat=True).distinct())
    found = {kind.model_class() for kind in ContentType.objects.filter(pk__in=ids)} | set(_with_history())
    named = [(model._meta.label_lower, str(model._meta.verbose_name)) for model in found if model]
    return [("sign_in", _("sign-in")), *sorted(named, key=lambda pair: pair[1])]


def _when(rows: "QuerySet[Any]", field: str, wanted: Wanted) -> "QuerySet[Any]":
    if wanted.since:
        rows = rows.filter(**{f"{field}__gte": wanted.since})
    return rows.filter(**{f"{field}__lt": wanted.before}) if wanted.before else rows


def _logged(wanted: Wanted, count: int) -> Iterator[Entry]:
    flags = [flag for flag, action in _FLAGS.items() if wanted.action in ("", action)]
    rows = LogEntry.objects.filter(action_flag__in=flags).exclude(
        content_type__in=[kind.pk for kind in ContentType.objects.get_for_models(*_with_history()).values()]
    )
    if wanted.kind:
        app, _dot, model = wanted.kind.partition(".")
        rows = rows.filter(content_type__app_label=app, content_type__model=model)
    if wanted.who:
        rows = rows.filter(user__username=wanted.who)
    if wanted.text:
        rows = rows.filter(object_repr__icontains=wanted.text)
    rows = _when(rows, "action_time", wanted).select_related("user", "content_type").order_by("-action_time")
    for row in rows[:count]:
        name = str(row.content_type.name) if row.content_type else ""
        action = _FLAGS[row.action_flag]
        url = (row.get_admin_url() or "") if action != Action.DELETED else ""
        yield Entry(
            row.action_time, row.user.get_username(), action, name, row.object_repr, row.get_change_message(), url
        )


def _versions(model: Any, wanted: Wanted, count: int) -> Iterator[Entry]:
    signs = [sign for sign, action in _HISTORY.items() if wanted.action in ("", action)]
    if wanted.kind not in ("", model._meta.label_lower):
        return
    rows = model.history.filter(history_type__in=signs)
    if wanted.who:
        rows = rows.filter(history_user__username=wanted.who)
    if wanted.text:
        rows = rows.filter(name__icontains=wanted.text)
    rows = _when(rows, "history_date", wanted).select_related("history_user").order_by("-history_date", "-history_id")
    for row in rows[:count]:
        who = row.history_user.get_username() if row.history_user else ""
        action = _HISTORY[row.history_type]
        url = _url_of(model, getattr(row, model._meta.pk.attname)) if action != Action.DELETED else ""
        kind, note = str(model._meta.verbose_name), row.history_change_reason or ""
        yield Entry(row.history_date, who, action, kind, row.name, note, url)


def _url_of(model: Any, pk: Any) -> str:
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    except NoReverseMatch:
        return ""


def _came_in(wanted: Wanted, count: int) -> Iterator[Entry]:
    if wanted.action in ("", Action.SIGNED_IN) and wanted.kind in ("", "sign_in"):
        for row in _sign_ins(AccessLog, wanted, count):
            yield _sign_in(row, Action.SIGNED_IN, "")


def _failed(wanted: Wanted, count: int) -> Iterator[Entry]:
    if wanted.action in ("", Action.FAILED) and wanted.kind in ("", "sign_in"):
        for row in _sign_ins(AccessFailureLog, wanted, count):
            yield _sign_in(row, Action.FAILED, _("refused for a while") if row.locked_out else "")


def _sign_ins(model: Any, wanted: Wanted, count: int) -> "QuerySet[Any]":
    rows = _when(model.objects.all(), "attempt_time", wanted)
    if wanted.who:
        rows = rows.filter(username=wanted.who)
    if wanted.text:
        rows = rows.filter(user_agent__icontains=wanted.text)
    return rows.order_by("-attempt_time", "-pk")[:count]


def _sign_in(row: Any, action: Action, note: str) -> Entry:
    what = _("from %s") % (row.ip_address or "?")
    return Entry(row.attempt_time, row.username or "", action, _("sign-in"), what, note or row.user_agent)


def people() -> list[str]:
    return list(User.objects.order_by("username").values_list("username", flat=True))
