"""The Canvas in the admin: the list, a new one, its settings, and the addresses of its other pages."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from canvas import presets, setup
from canvas.admin import exits, flow, goals, golive, livetest, pages, people, results, step, tryout, variants, versions
from canvas.admin.pages import goto
from canvas.counts import StepMetric
from canvas.forms.setup import CanvasForm, NewCanvasForm
from canvas.livetest import wipe
from canvas.models import Canvas
from outreach import counters, runs, zones
from outreach.admin import BulkMoves
from outreach.models import Status
from workspace import teams
from workspace.files.admin import FilePages

Page = Callable[..., HttpResponse]
PAGES: tuple[tuple[str, str, Page], ...] = (
    ("flow", "<int:pk>/flow/", flow.show),
    ("path", "<int:pk>/paths/<str:source>/", flow.path),
    ("menu", "<int:pk>/steps/<int:step>/menu/", flow.menu),
    ("step", "<int:pk>/steps/<int:step>/", step.show),
    ("undo", "<int:pk>/undo/", flow.take_back),
    ("discard", "<int:pk>/discard/", flow.discard),
    ("comment", "<int:pk>/comments/", pages.comment),
    ("exits", "<int:pk>/exits/", exits.show),
    ("variants", "<int:pk>/variants/", variants.show),
    ("try", "<int:pk>/try/", tryout.show),
    ("live_test", "<int:pk>/live-test/", livetest.show),
    ("live_test_state", "<int:pk>/live-test/state/", livetest.state),
    ("goals", "<int:pk>/conversions/", goals.show),
    ("results", "<int:pk>/results/", results.show),
    ("journeys", "<int:pk>/journeys/", people.show),
    ("journey", "<int:pk>/journeys/<int:journey>/", people.story),
    ("launch", "<int:pk>/launch/", golive.show),
    ("action", "<int:pk>/<str:action>/now/", golive.act),
    ("versions", "<int:pk>/versions/", versions.show),
    ("copy", "<int:pk>/copy/", versions.copy),
)


@admin.register(Canvas)
class CanvasAdmin(BulkMoves, FilePages, ModelAdmin):
    actions = (*BulkMoves.actions, "as_file")
    file_kind = "canvas"
    bulk_moves = {name: do for name, (do, _label, _text) in golive.ACTIONS.items()}
    form = CanvasForm
    empty_text = _(
        "A Canvas takes each person through several steps: messages, delays and splits. Start from a template "
        "or from an empty map."
    )
    list_display = ("name", "status_shown", "entry", "entered", "inside", "launched_at", "updated_at")
    list_filter = ("status", "entry", "teams", "tags")
    search_fields = ("name", "description")
    autocomplete_fields = ("teams", "tags", "segments")
    list_per_page = 50
    warn_unsaved_form = True
    change_form_outer_before_template = "canvas/head.html"
    readonly_fields = ("api_id",)
    conditional_fields = {
        "triggers": "entry == 'action'",
        "api_id": "entry == 'api'",
        "is_local": "entry == 'scheduled'",
        "recurrence": "entry == 'scheduled'",
        "every": "entry == 'scheduled' && recurrence != ''",
        "weekdays": "entry == 'scheduled' && recurrence == 'weekly'",
        "days_of_month": "entry == 'scheduled' && recurrence == 'monthly'",
        "end_on": "entry == 'scheduled' && recurrence != ''",
        "run_count": "entry == 'scheduled' && recurrence != ''",
        "quiet_start": "quiet_mode == 'own'",
        "quiet_end": "quiet_mode == 'own'",
        "subscription_group": "subscribed == 'group'",
        "reentry_count": "reentry == 'after'",
        "reentry_unit": "reentry == 'after'",
    }
    fieldsets = (
        (None, {"fields": ("name", "description", "edited_version")}),
        (_("Who"), {"fields": ("to_everyone", "segments", "filters")}),
        (
            _("When"),
            {
                "fields": (
                    *("entry", "triggers", "api_id", "start_at", "is_local", "recurrence", "every", "weekdays"),
                    *("days_of_month", "end_on", "run_count", "end_at"),
                )
            },
        ),
        (_("How often"), {"fields": ("reentry", "reentry_count", "reentry_unit", "entry_limit", "entry_cadence")}),
        (
            _("What every message obeys"),
            {
                "fields": (
                    *("subscribed", "subscription_group", "quiet_mode", "quiet_start", "quiet_end", "quiet_waits"),
                    *("obeys_caps", "counts_for_caps"),
                )
            },
        ),
        (_("Teams and tags"), {"fields": ("teams", "tags")}),
    )

    class Media:
        css = {"all": ("canvas/canvas.css",)}
        js = ("webhooks/composer.js", "outreach/parts.js")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Canvas]:
        ended = (StepMetric.COMPLETED, StepMetric.EXITED, StepMetric.FAILED)
        rows = teams.visible(super().get_queryset(request), request.user)
        return rows.annotate(
            entered_total=counters.total(StepMetric.ENTERED, step=0),
            inside_total=counters.total(StepMetric.ENTERED, step=0) - counters.total(*ended, step=0),
        )

    @display(
        description=_("status"),
        ordering="status",
        label={"draft": "info", "active": "success", "paused": "warning", "stopped": "danger"},
    )
    def status_shown(self, canvas: Canvas) -> tuple[str, str]:
        return canvas.status, canvas.get_status_display()

    @admin.display(description=_("entered"), ordering="entered_total")
    def entered(self, canvas: Any) -> int:
        return int(canvas.entered_total)

    @admin.display(description=_("inside now"), ordering="inside_total")
    def inside(self, canvas: Any) -> int:
        return int(canvas.inside_total)

    @admin.display(description=_("API identifier"))
    def api_id(self, canvas: Canvas) -> str:
        return str(canvas.key)

    def note_move(self, request: HttpRequest, row: Canvas, move: str) -> None:
        self.log_change(request, row, str(golive.ACTIONS[move][1]))

    def has_delete_permission(self, request: HttpRequest, obj: Canvas | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.status == Status.DRAFT)

    def has_change_permission(self, request: HttpRequest, obj: Canvas | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.status != Status.ARCHIVED)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Times are those of the clocks that the Canvas follows."""
        canvas = Canvas.objects.filter(pk=object_id).first() if object_id and object_id.isdigit() else None
        with timezone.override(runs.zone_of(canvas) if canvas else zones.company()):
            answer = super().changeform_view(request, object_id, form_url, extra_context)
            return answer.render() if isinstance(answer, TemplateResponse) else answer

    def delete_model(self, request: HttpRequest, obj: Canvas) -> None:
        """Its live test goes first: nothing else would find it."""
        wipe.everything(obj, timezone.now())
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Canvas]) -> None:
        for canvas in queryset:
            wipe.everything(canvas, timezone.now())
        super().delete_queryset(request, queryset)

    def save_model(self, request: HttpRequest, obj: Canvas, form: Any, change: bool) -> None:
        obj.version += 1
        super().save_model(request, obj, form, change)

    # --- pages

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        ours = [path(where, wrap(partial(show, self)), name=f"canvas_canvas_{name}") for name, where, show in PAGES]
        return ours + list(super().get_urls())

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A name and a template. What is made is a draft, and its map is shown."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewCanvasForm(presets.choices(), request.POST if request.method == "POST" else None)
        if form.is_valid():
            canvas = self._make(request, form.cleaned_data["name"], form.cleaned_data["template"])
            self.message_user(request, _("“%s” is a draft. Build its steps, then launch it.") % canvas)
            return goto("flow", canvas.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("New Canvas"),
            "form": form,
        }
        return TemplateResponse(request, "canvas/new.html", context)

    def _make(self, request: HttpRequest, name: str, template: str) -> Canvas:
        canvas = presets.make(template, name, request.user) if template else setup.create(name, request.user)
        self.log_addition(request, canvas, [{"added": {}}])
        return canvas

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        canvas = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdigit() else None
        extra = {"show_save_and_add_another": False, **(extra_context or {})}
        if canvas:
            extra |= pages.frame(self, request, canvas, "settings")
        return super().change_view(request, object_id, form_url, extra)
