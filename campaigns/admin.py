"""The campaign pages: set up, compose, launch, follow."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from campaigns import launch
from campaigns.forms import AddVariantForm, CampaignForm, VariantFormSet
from campaigns.models import Campaign
from outreach import counters, lifecycle, reach, variants
from outreach.errors import NotLaunchable, OutreachError
from outreach.models import Metric, Outreach, Status, Variant
from webhooks.admin.template import compose_url
from webhooks.models import Sender

ACTIONS: dict[str, Callable[..., None]] = {
    "pause": lifecycle.pause,
    "resume": lifecycle.resume,
    "stop": lifecycle.stop,
    "archive": lifecycle.archive,
}


class VariantInline(TabularInline):
    model = Variant
    formset = VariantFormSet
    fields = ("name", "share", "is_control", "webhooks")
    readonly_fields = ("webhooks",)
    extra = 0
    verbose_name_plural = _("Variants")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        return super().get_queryset(request).filter(is_removed=False).prefetch_related("variant_contents__content")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # "Add variant" below the list offers copies

    @admin.display(description=_("Webhooks"))
    def webhooks(self, variant: Variant) -> str:
        if variant.is_control:
            return str(_("sends nothing"))
        links = [
            (compose_url(item.content_id), item.content.name or item.content.url[:60] or _("Compose the webhook"))
            for item in variant.variant_contents.all()
        ]
        return format_html_join(" · ", '<a class="hl-link" href="{}">{}</a>', links)


@admin.register(Campaign)
class CampaignAdmin(ModelAdmin):
    form = CampaignForm
    inlines = [VariantInline]
    list_display = ("name", "status_shown", "delivery", "received", "failed", "launched_at", "updated_at")
    list_filter = ("status", "delivery", "teams", "tags")
    search_fields = ("name", "description")
    autocomplete_fields = ("teams", "tags", "segments")
    warn_unsaved_form = True
    change_form_outer_before_template = "campaigns/overview.html"
    change_form_outer_after_template = "campaigns/add_variant.html"
    fieldsets = (
        (None, {"fields": ("name", "description", "edited_version")}),
        (_("Target audience"), {"fields": ("to_everyone", "segments")}),
        (_("Delivery"), {"fields": ("delivery", "start_at")}),
        (_("Teams and tags"), {"fields": ("teams", "tags")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        def total(metric: str) -> Any:
            return Coalesce(Sum("daily_counts__count", filter=Q(daily_counts__metric=metric)), 0)

        rows = super().get_queryset(request)
        return rows.annotate(received_total=total(Metric.RECEIVED), failed_total=total(Metric.FAILED))

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

    def get_inlines(self, request: HttpRequest, obj: Campaign | None) -> Any:
        return self.inlines if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.status == Status.DRAFT)

    def may_launch(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("campaigns.launch_campaign"))

    # --- saving

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
            obj.sender = Sender.objects.create(name=obj.name)
        else:
            obj.version += 1
        super().save_model(request, obj, form, change)
        if not change:
            variants.first_variant(obj, str(_("Variant 1")))

    def response_add(self, request: HttpRequest, obj: Campaign, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(request, _("“%s” is a draft. Compose its webhook, then launch it.") % obj)
        return HttpResponseRedirect(page_url(obj.pk))

    # --- pages

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        ours = [
            path("<int:pk>/counts/", wrap(self.counts_view), name="campaigns_campaign_counts"),
            path("<int:pk>/launch/", wrap(self.launch_view), name="campaigns_campaign_launch"),
            path("<int:pk>/variants/add/", wrap(self.add_variant_view), name="campaigns_campaign_add_variant"),
            path("<int:pk>/<str:action>/now/", wrap(self.action_view), name="campaigns_campaign_action"),
        ]
        return ours + list(super().get_urls())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        campaign = Campaign.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        extra = {"show_save_and_add_another": False, **(extra_context or {})}
        if campaign:
            arms = list(campaign.variants.filter(is_removed=False))
            extra |= {"campaign": campaign, "add_variant_form": AddVariantForm(arms), **_counts(campaign)}
            extra |= {
                "may_launch": self.may_launch(request),
                "may_change": self.has_change_permission(request, campaign),
            }
        return super().change_view(request, object_id, form_url, extra)

    def counts_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Counts by status, as a fragment that refreshes itself while messages wait."""
        campaign = self._visible(request, pk)
        return TemplateResponse(request, "campaigns/counts.html", {"campaign": campaign, **_counts(campaign)})

    def launch_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What will happen, and what stands in the way. POST launches."""
        campaign = self._visible(request, pk)
        if not self.may_launch(request):
            raise PermissionDenied
        now = timezone.now()
        if request.method == "POST":
            return self._launch(request, campaign)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Launch “%s”") % campaign.name,
            "opts": self.opts,
            "campaign": campaign,
            "problems": launch.problems(campaign, now),
            "audience_size": reach.audience(campaign, now).count(),
            "variants": campaign.variants.filter(is_removed=False).prefetch_related("contents"),
        }
        return TemplateResponse(request, "campaigns/launch.html", context)

    def _launch(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        try:
            launch.start(campaign, timezone.now())
        except NotLaunchable as error:
            for problem in error.problems:
                self.message_user(request, problem, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:campaigns_campaign_launch", args=[campaign.pk]))
        except OutreachError as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            self.log_change(request, campaign, str(_("Launched.")))
            self.message_user(request, _("“%s” was launched.") % campaign)
        return HttpResponseRedirect(page_url(campaign.pk))

    def action_view(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """Pause, resume, stop or archive; GET asks first, with the number of waiting messages."""
        campaign = self._visible(request, pk)
        if action not in ACTIONS or not self.may_launch(request):
            raise PermissionDenied
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("“%s”: please confirm") % campaign.name,
                "campaign": campaign,
                "action": action,
                **_counts(campaign),
            }
            return TemplateResponse(request, "campaigns/confirm.html", context)
        try:
            ACTIONS[action](campaign, timezone.now())
        except OutreachError as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            self.log_change(request, campaign, campaign.get_status_display())
            self.message_user(
                request, _("“%(name)s” is %(status)s.") % {"name": campaign, "status": campaign.get_status_display()}
            )
        return HttpResponseRedirect(page_url(pk))

    def add_variant_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Add an arm; POST only. Shares are evened out and can be changed on the page."""
        campaign = self._visible(request, pk)
        if request.method != "POST" or not self.has_change_permission(request, campaign):
            raise PermissionDenied
        arms = list(campaign.variants.filter(is_removed=False))
        form = AddVariantForm(arms, request.POST)
        if form.is_valid():
            source = next((v for v in arms if str(v.pk) == form.cleaned_data["source"]), None)
            variants.add(campaign, form.cleaned_data["name"], source, is_control=form.cleaned_data["is_control"])
            self.message_user(request, _("The variant was added and the shares were evened out."))
        for errors in form.errors.values():
            self.message_user(request, " ".join(str(error) for error in errors), messages.ERROR)
        return HttpResponseRedirect(page_url(pk))

    def _visible(self, request: HttpRequest, pk: int) -> Campaign:
        campaign = get_object_or_404(Campaign, pk=pk)
        if not self.has_view_permission(request, campaign):
            raise PermissionDenied
        return campaign


def page_url(pk: int) -> str:
    return reverse("admin:campaigns_campaign_change", args=[pk])


def _counts(campaign: Outreach) -> dict[str, Any]:
    totals = counters.totals(campaign)
    order = ("planned", "received", "pending", "failed", "aborted", "skipped", "cancelled", "errors")
    names = dict(Metric.choices) | {"pending": _("waiting")}
    ended = totals["planned"] - totals["pending"]
    return {
        "figures": [(key, names[key], totals[key]) for key in order],
        "percent": round(100 * ended / totals["planned"]) if totals["planned"] else 0,
        "totals": totals,
        "is_moving": campaign.status == Status.ACTIVE and bool(totals["pending"] or not totals["planned"]),
    }
