"""Hosts: how each stands just now, and how much of it may be asked."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from redis.exceptions import RedisError
from unfold.admin import ModelAdmin

from webhooks import health, hosts
from webhooks.admin import waiting
from webhooks.models import Host


def state_of(host: str) -> str | Promise:
    """How a host stands just now, in words."""
    standing = health.standings([host])[host]
    if standing.is_closed:
        return _("halted, open again in %(seconds)d s") % {"seconds": round(_seconds_closed(host))}
    if standing.must_probe:
        return _("the next message probes it")
    if standing.halvings:
        return _("slowed to 1/%(part)d") % {"part": 2**standing.halvings}
    return _("healthy")


def _seconds_closed(host: str) -> float:
    try:
        return health.open_again_in(host)
    except RedisError:
        return 0.0


@admin.register(Host)
class HostAdmin(ModelAdmin):
    empty_text = _(
        "Hosts appear here as soon as a webhook calls them: how each stands, and how much of it may be asked."
    )
    list_display = ("name", "state", "last_minute", "waiting_count", "per_second", "at_once")
    list_before_template = "webhooks/hosts_help.html"
    search_fields = ("name",)
    fields = ("name", "per_second", "at_once")
    readonly_fields = ("name",)
    actions = ("probe_now",)
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Host]:
        return super().get_queryset(request).annotate(waiting_count=waiting.column("l.host = webhooks_host.name"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        hosts.note_new()
        return super().changelist_view(request, extra_context)

    @admin.display(description=_("state"))
    def state(self, host: Host) -> str:
        return str(state_of(host.name))

    @admin.display(description=_("failures in the last minute"))
    def last_minute(self, host: Host) -> str:
        try:
            failures, results = health.last_minute(host.name)
        except RedisError:
            return "–"
        return _("%(failures)s of %(results)s") % {"failures": f"{failures:,}", "results": f"{results:,}"}

    @admin.display(description=_("messages waiting"))
    def waiting_count(self, host: Any) -> str:
        return waiting.shown(host.waiting_count)

    @admin.action(description=_("Probe now"), permissions=["change"])
    def probe_now(self, request: HttpRequest, chosen: QuerySet[Host]) -> None:
        """Their next message goes out at once; its answer decides."""
        try:
            for host in chosen:
                health.probe_now(host.name)
        except RedisError:
            self.message_user(request, _("The queue server is away: nothing is halted either."), messages.ERROR)
            return
        count = len(chosen)
        words = ngettext("The next message probes %d host.", "The next messages probe %d hosts.", count)
        self.message_user(request, words % count)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
