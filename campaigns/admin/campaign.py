"""The campaign in the admin: the list, a new one, its tabs, and the addresses of its other pages."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.decorators import display

from campaigns import history
from campaigns.admin import pages, results, review
from campaigns.admin import variants as variant_pages
from campaigns.admin.pages import page_url
from campaigns.forms import (
    AddVariantForm,
    AudienceForm,
    ComposeForm,
    ConversionForm,
    ConversionFormSet,
    DeliveryForm,
    NewCampaignForm,
    VariantFormSet,
)
from campaigns.models import Campaign
from outreach import approvals, counters, experiments, runs, variants, zones
from outreach.admin import BulkMoves
from outreach.models import ConversionEvent, Metric, Optimisation, Status, Variant
from webhooks.admin.template import compose_url
from webhooks.models import Sender
from workspace import teams
from workspace.files.admin import FilePages
from workspace.models import Team

Page = Callable[..., HttpResponse]
PAGES: tuple[tuple[str, str, Page], ...] = (
    ("launch", "<int:pk>/launch/", review.show),
    ("approve", "<int:pk>/approve/", review.approve),
    ("duplicate", "<int:pk>/duplicate/", review.duplicate),
    ("changes", "<int:pk>/changes/", review.changes),
    ("results", "<int:pk>/results/", results.show),
    ("why", "<int:pk>/why/", results.explain),
    ("report", "report/", results.report),
    ("add_variant", "<int:pk>/variants/add/", variant_pages.add),
    ("remove_variant", "<int:pk>/variants/<int:variant>/remove/", variant_pages.remove),
    ("add_webhook", "<int:pk>/webhooks/add/", variant_pages.add_webhook),
    ("remove_webhook", "<int:pk>/webhooks/<int:content>/remove/", variant_pages.remove_webhook),
    ("action", "<int:pk>/<str:action>/now/", review.act),
)
FIELDSETS: dict[str, Any] = {
    "compose": ((None, {"fields": ("name", "description", "teams", "tags", "edited_version")}),),
    "delivery": (
        (None, {"fields": ("delivery", "api_id", "edited_version")}),
        (
            _("Schedule"),
            {
                "fields": (
                    "start_at",
                    "is_local",
                    "recurrence",
                    "every",
                    "weekdays",
                    "days_of_month",
                    "end_on",
                    "run_count",
                )
            },
        ),
        (_("Trigger"), {"fields": ("triggers",)}),
        (
            _("Delay"),
            {
                "fields": (
                    "delay_mode",
                    "delay_count",
                    "delay_unit",
                    "delay_weekday",
                    "delay_at",
                    "delay_zone",
                    "exceptions",
                )
            },
        ),
        (_("Duration and time of day"), {"fields": ("end_at", "portion_start", "portion_end", "portion_waits")}),
        (
            _("How often one person may receive it"),
            {"fields": ("is_reeligible", "reeligible_count", "reeligible_unit", "re_evaluates")},
        ),
        (_("Quiet hours"), {"fields": ("quiet_mode", "quiet_start", "quiet_end", "quiet_waits")}),
        (_("Caps and speed"), {"fields": ("obeys_caps", "counts_for_caps", "speed")}),
    ),
    "audience": (
        (_("Who"), {"fields": ("to_everyone", "segments", "filters", "edited_version")}),
        (_("Subscription"), {"fields": ("subscribed", "subscription_group")}),
        (_("How many"), {"fields": ("most_recipients", "recipients_per")}),
        (_("Optimisation"), {"fields": ("optimisation", "held_share", "winner_at", "sends_best_anyway")}),
    ),
    "conversions": ((None, {"fields": ("edited_version",)}),),
}
FORMS = {"compose": ComposeForm, "delivery": DeliveryForm, "audience": AudienceForm, "conversions": ComposeForm}
_RECURS = "recurrence != ''"
CONDITIONS = {
    "is_local": "delivery == 'scheduled'",
    "recurrence": "delivery == 'scheduled'",
    "every": f"delivery == 'scheduled' && {_RECURS}",
    "weekdays": "delivery == 'scheduled' && recurrence == 'weekly'",
    "days_of_month": "delivery == 'scheduled' && recurrence == 'monthly'",
    "end_on": f"delivery == 'scheduled' && {_RECURS}",
    "run_count": f"delivery == 'scheduled' && {_RECURS}",
    "triggers": "delivery == 'action'",
    "delay_mode": "delivery == 'action'",
    "delay_count": "delivery == 'action' && (delay_mode == 'after' || delay_mode == 'days')",
    "delay_unit": "delivery == 'action' && delay_mode == 'after'",
    "delay_weekday": "delivery == 'action' && delay_mode == 'next_weekday'",
    "delay_at": "delivery == 'action' && (delay_mode == 'days' || delay_mode == 'next_weekday')",
    "delay_zone": "delivery == 'action' && (delay_mode == 'days' || delay_mode == 'next_weekday')",
    "exceptions": "delivery == 'action' && delay_mode != 'none'",
    "reeligible_count": "is_reeligible",
    "reeligible_unit": "is_reeligible",
    "quiet_start": "quiet_mode == 'own'",
    "quiet_end": "quiet_mode == 'own'",
    "counts_for_caps": "!obeys_caps",
    "subscription_group": "subscribed == 'group'",
    "held_share": "optimisation == 'winner'",
    "winner_at": "optimisation == 'winner'",
    "sends_best_anyway": "optimisation == 'winner'",
}


class VariantInline(TabularInline):
    model = Variant
    formset = VariantFormSet
    fields = ("name", "share", "kind", "webhooks")
    readonly_fields = ("kind", "webhooks")
    extra = 0
    can_delete = False
    verbose_name_plural = _("Variants")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        return super().get_queryset(request).filter(is_removed=False).prefetch_related("variant_contents__content")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = field.label  # a table's head is no label to a screen reader
        return field

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # "Add variant" below the list offers copies and templates

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("campaigns.view_campaign")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("campaigns.change_campaign") and (obj is None or obj.status != Status.ARCHIVED)

    @admin.display(description=_("kind"))
    def kind(self, variant: Variant) -> str:
        return str(_("control group") if variant.is_control else _("sends"))

    @admin.display(description=_("Webhooks"))
    def webhooks(self, variant: Variant) -> str:
        if variant.is_control:
            return str(_("sends nothing"))
        links = [
            (compose_url(item.content_id), item.content.name or item.content.url[:60] or _("Compose the webhook"))
            for item in variant.variant_contents.all()
        ]
        return format_html_join(" · ", '<a class="hl-link" href="{}">{}</a>', links)


class ConversionInline(StackedInline):
    model = ConversionEvent
    form = ConversionForm
    formset = ConversionFormSet
    fields = ("what", ("count", "unit"), "position")
    extra = 4
    max_num = ConversionEvent.MOST
    verbose_name_plural = _("Conversion events: the first is the primary one")
    tab = False
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("campaigns.view_campaign")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("campaigns.change_campaign") and (obj is None or obj.status == Status.DRAFT)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


@admin.register(Campaign)
class CampaignAdmin(BulkMoves, FilePages, ModelAdmin):
    bulk_moves = review.ACTIONS
    actions = (*BulkMoves.actions, "as_file")
    file_kind = "campaign"
    empty_text = _(
        "A campaign sends one webhook to many people: at a time, when they do something, or when your own "
        "system asks for it."
    )
    list_display = ("name", "status_shown", "delivery", "received", "failed", "launched_at", "updated_at")
    list_filter = ("status", "delivery", "teams", "tags")
    search_fields = ("name", "description")
    autocomplete_fields = ("teams", "tags", "segments")
    list_per_page = 30
    readonly_fields = ("api_id", "speed")
    warn_unsaved_form = True
    change_form_outer_before_template = "campaigns/overview.html"
    change_form_outer_after_template = "campaigns/add_variant.html"
    change_list_template = "campaigns/list.html"

    class Media:
        js = ("webhooks/composer.js", "outreach/parts.js")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        rows = teams.visible(super().get_queryset(request), request.user).select_related("sender")
        received, failed = counters.total(Metric.RECEIVED), counters.total(Metric.FAILED)
        return rows.annotate(received_total=received, failed_total=failed)

    @display(
        description=_("status"),
        ordering="status",
        label={"draft": "info", "active": "success", "paused": "warning", "stopped": "danger"},
    )
    def status_shown(self, campaign: Campaign) -> tuple[str, str]:
        return campaign.status, campaign.get_status_display()

    @admin.display(description=_("received"), ordering="received_total")
    def received(self, campaign: Any) -> int:
        return int(campaign.received_total)

    @admin.display(description=_("failed"), ordering="failed_total")
    def failed(self, campaign: Any) -> int:
        return int(campaign.failed_total)

    @admin.display(description=_("API identifier"))
    def api_id(self, campaign: Campaign) -> str:
        return str(campaign.key)

    @admin.display(description=_("speed and signing"))
    def speed(self, campaign: Campaign) -> str:
        rate = campaign.sender.rate_per_minute
        text = _("%d a minute") % rate if rate else _("as fast as the endpoint answers")
        url = pages.reverse("admin:webhooks_sender_change", args=[campaign.sender_id])
        return format_html_join("", '<a class="hl-link" href="{}">{}</a>', [(url, text)])

    def note_move(self, request: HttpRequest, row: Campaign, move: str) -> None:
        review.note_status(self, request, row)

    # --- who may

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.status == Status.DRAFT)

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        if obj is not None and obj.status == Status.ARCHIVED:
            return False
        is_live = obj is not None and obj.status != Status.DRAFT
        return super().has_change_permission(request, obj) and (not is_live or pages.may_launch(request))

    # --- tabs

    def _tab(self, request: HttpRequest, obj: Campaign | None) -> str:
        asked = request.GET.get("tab", "compose")
        return asked if obj is not None and asked in FORMS else "compose"

    @property
    def conditional_fields(self) -> dict[str, str]:
        return CONDITIONS

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if "fields" in kwargs and kwargs["fields"] is None:
            return super().get_form(request, obj, change, **kwargs)
        self.form = FORMS[self._tab(request, obj)] if obj else NewCampaignForm
        made = super().get_form(request, obj, change, **kwargs)
        made.user = request.user
        return made

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        if obj is not None:
            return FIELDSETS[self._tab(request, obj)]
        return (
            (None, {"fields": ("name", "description", "delivery")}),
            (_("Target audience"), {"fields": ("to_everyone", "segments")}),
            (_("Teams and tags"), {"fields": ("teams", "tags")}),
        )

    def get_inlines(self, request: HttpRequest, obj: Campaign | None) -> Any:
        if obj is None:
            return []
        return {"compose": [VariantInline], "conversions": [ConversionInline]}.get(self._tab(request, obj), [])

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if not request.user.is_superuser and db_field.name == "segments":
            kwargs["queryset"] = teams.visible(db_field.remote_field.model.objects.all(), request.user)
        if not request.user.is_superuser and db_field.name == "teams" and _teams_of(request).exists():
            kwargs["queryset"], kwargs["required"] = _teams_of(request), True
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    # --- saving

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
            obj.sender = Sender.objects.create(name=obj.name)
            obj.zone = zones.company().key
            super().save_model(request, obj, form, change)
            variants.first_variant(obj, str(_("Variant 1")))
            return
        obj.version += 1
        own = {field.name for field in Campaign._meta.concrete_fields}
        fields = own & ({*form.cleaned_data} | {"delay", "reeligible_seconds", "month_days"})
        obj.skip_history_when_saving = True  # type: ignore[attr-defined] # `save_related` writes the version
        obj.save(update_fields=[*fields, "version", "updated_at"])
        del obj.skip_history_when_saving  # type: ignore[attr-defined]
        Sender.objects.filter(pk=obj.sender_id).update(name=obj.name)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        campaign = form.instance
        history.note(campaign, request.user, "" if change else str(_("made")))
        is_test = campaign.optimisation == Optimisation.WINNER and campaign.status != Status.DRAFT
        if is_test and not campaign.decided_at and any(formset.has_changed() for formset in formsets):
            experiments.invalidate(campaign, timezone.now())
            self.message_user(request, _("The running test was ended: what it compared has changed."), "warning")

    def response_add(self, request: HttpRequest, obj: Campaign, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(request, _("“%s” is a draft. Compose its webhook, then launch it.") % obj)
        return HttpResponseRedirect(page_url(obj.pk))

    def response_change(self, request: HttpRequest, obj: Campaign) -> HttpResponse:
        self.message_user(request, _("“%s” was saved.") % obj)
        return HttpResponseRedirect(page_url(obj.pk, self._tab(request, obj)))

    # --- pages

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        ours = [
            path(where, wrap(partial(show, self)), name=f"campaigns_campaign_{name}") for name, where, show in PAGES
        ]
        ours.append(path("<int:pk>/counts/", wrap(self.counts_view), name="campaigns_campaign_counts"))
        return ours + list(super().get_urls())

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Times are those of the clocks that the campaign follows."""
        campaign = Campaign.objects.filter(pk=object_id).first() if object_id and object_id.isdigit() else None
        with timezone.override(runs.zone_of(campaign) if campaign else zones.company()):
            answer = super().changeform_view(request, object_id, form_url, extra_context)
            return answer.render() if isinstance(answer, TemplateResponse) else answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        campaign = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdigit() else None
        extra = {"show_save_and_add_another": False, "show_save_and_continue": False, **(extra_context or {})}
        if campaign:
            arms = list(campaign.variants.filter(is_removed=False).prefetch_related("contents"))
            tab = self._tab(request, campaign)
            extra |= pages.frame(self, request, campaign, tab)
            extra |= {
                "arms": arms,
                "zone": runs.zone_of(campaign).key,
                "add_variant_form": AddVariantForm(arms) if tab == "compose" else None,
                "needs_approval": approvals.are_needed(campaign),
            }
        return super().change_view(request, object_id, form_url, extra)

    def counts_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Counts by status, as a fragment that refreshes itself while messages wait."""
        campaign = pages.campaign_of(self, request, pk)
        context = {"campaign": campaign, **pages.counts(campaign)}
        return TemplateResponse(request, "campaigns/counts.html", context)


def _teams_of(request: HttpRequest) -> QuerySet[Team]:
    return Team.objects.filter(memberships__user=request.user)  # type: ignore[misc] # signed in: a staff page
