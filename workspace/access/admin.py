"""The audit trail, who is refused for now, and what administrators may do about other people's sign-in."""

import csv
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin

from workspace import audit
from workspace.access import second_factor, sessions
from workspace.access.forms import AuditForm
from workspace.spreadsheet import inert

admin.site.unregister([TOTPDevice, StaticDevice])  # their pages would show keys and codes to other people
SHOWN = 50
EXPORTED = 10_000


class ReadOnlyAdmin(ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LogEntry)
class AuditAdmin(ReadOnlyAdmin):
    """Its list is the audit trail: also versions and sign-ins, which other tables hold."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = AuditForm(request.GET or None)
        wanted = form.wanted() if form.is_valid() else audit.Wanted()
        if "csv" in request.GET:
            return _as_csv(audit.entries(wanted, EXPORTED))
        found = audit.entries(wanted, SHOWN + 1)
        shell = {**self.admin_site.each_context(request), "title": _("Audit trail"), "form": form}
        older = _older(request, found[SHOWN - 1].at) if len(found) > SHOWN else ""
        return TemplateResponse(request, "workspace/audit.html", shell | {"entries": found[:SHOWN], "older": older})


def _older(request: HttpRequest, before: datetime) -> str:
    """The query of the next page: the same, but before that moment."""
    query = request.GET.copy()
    query["before"] = before.isoformat()
    return query.urlencode()


def _as_csv(found: Sequence[audit.Entry]) -> HttpResponse:
    answer = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="audit-{timezone.now():%Y-%m-%d}.csv"'
    writer = csv.writer(answer)
    writer.writerow(["at", "who", "action", "kind", "what", "note"])
    for row in found:
        cells = (row.who, row.action.label, row.kind, row.what, row.note)
        writer.writerow([row.at.isoformat(timespec="seconds"), *(inert(str(cell)) for cell in cells)])
    return answer


@admin.register(AccessAttempt)
class AttemptAdmin(ModelAdmin):
    """Wrong passwords that still count; deleting them lets the person try again at once."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("username", "ip_address")
    fields = readonly_fields = ("username", "ip_address", "user_agent", "failures_since_start", "attempt_time")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SignInActions:
    """Actions on people, for the page of people."""

    @admin.action(description=_("End all their sessions"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        for user in users:
            sessions.end(user)
            self.log_change(request, user, _("Ended all sessions."))  # type: ignore[attr-defined]
        messages.success(request, _("Sessions ended. Those people sign in again."))

    @admin.action(description=_("Remove their second factor"), permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """For somebody who lost phone and recovery codes; sessions end, so that nothing stays half signed in."""
        for user in users:
            if second_factor.switch_off(user):
                sessions.end(user)
                self.log_change(request, user, _("Removed the second factor."))  # type: ignore[attr-defined]
        messages.success(request, _("Second factor removed: until they set up a new one, a password is enough."))
