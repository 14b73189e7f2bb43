"""From an empty installation to a first campaign: what to do next, with a tick on what is done."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from audience.models import Profile
from campaigns.models import Campaign
from outreach.models import Outreach, VariantContent
from webhooks.admin.template import compose_url
from webhooks.models import Content, LogKind, MessageActivityLog


@dataclass(frozen=True)
class Step:
    """`is_next` marks the first one that is not done."""

    title: str
    help: str
    url: str
    is_done: bool
    is_next: bool = False


def steps(request: HttpRequest, mine: "QuerySet[Outreach]") -> list[Step]:
    """The way to the first send; empty once something was launched, or for whoever may not make campaigns."""
    if not request.user.has_perm("campaigns.add_campaign") or mine.exclude(launched_at=None).exists():
        return []
    campaign = Campaign.objects.filter(pk__in=mine.values("pk")).order_by("-pk").first()
    content = _content_of(campaign)
    found = [_profiles(), _campaign(campaign), _compose(campaign, content), _test(content), _launch(campaign)]
    first = next((step for step in found if not step.is_done), None)
    return [Step(s.title, s.help, s.url, s.is_done, s is first) for s in found]


def _content_of(campaign: Campaign | None) -> Content | None:
    items = VariantContent.objects.filter(variant__outreach=campaign, variant__is_removed=False)
    item = items.select_related("content").order_by("pk").first() if campaign else None
    return item.content if item else None


def _profiles() -> Step:
    text = _("Import a CSV file of your customers, or add yourself as a first profile.")
    return Step(_("Bring profiles"), text, reverse("admin:audience_import_add"), Profile.objects.exists())


def _campaign(campaign: Campaign | None) -> Step:
    url = reverse("admin:campaigns_campaign_add")
    return Step(_("Name a campaign"), _("Give it a name and choose who gets it."), url, campaign is not None)


def _compose(campaign: Campaign | None, content: Content | None) -> Step:
    url = compose_url(content.pk) if content else reverse("admin:campaigns_campaign_add")
    text = _("The address to call and what to send. Variables are filled in for each profile.")
    return Step(_("Compose its webhook"), text, url, bool(content and content.url.strip()))


def _test(content: Content | None) -> Step:
    tests = MessageActivityLog.objects.filter(kind=LogKind.TEST_SEND)
    url = compose_url(content.pk) if content else reverse("admin:campaigns_campaign_add")
    return Step(_("Send a test"), _("One request, at once, that counts nowhere."), url, tests.exists())


def _launch(campaign: Campaign | None) -> Step:
    name = "admin:campaigns_campaign_launch" if campaign else "admin:campaigns_campaign_add"
    url = reverse(name, args=[campaign.pk] if campaign else [])
    return Step(_("Review and launch"), _("See who gets it and when, then start."), url, is_done=False)
