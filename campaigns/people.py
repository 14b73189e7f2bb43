"""What campaigns know about a person (registered with `audience.person`): one click from the profile to the reason."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from audience.models import Profile
from audience.person import Cell, Section
from campaigns.models import Campaign
from outreach.models import Enrolment
from outreach.reasons import in_words
from webhooks.models import Message, Outcome, Receipt

SHOWN = 50


def campaigns(profile: Profile) -> Section | None:
    """The campaigns that considered the profile, what became of it, and a link to why."""
    rows = Enrolment.objects.filter(profile=profile.pk, outreach__in=Campaign.objects.values("pk"))
    found = list(rows.select_related("outreach", "variant").order_by("-enrolled_at")[:SHOWN])
    latest = _latest(profile, [row.outreach.sender_id for row in found])
    lines = [
        (
            Cell(row.outreach.name, reverse("admin:campaigns_campaign_why", args=[row.outreach_id]) + _asked(profile)),
            Cell(row.variant.name),
            Cell(latest.get(row.outreach.sender_id, "–")),
        )
        for row in found
    ]
    if not lines:
        return None
    return Section(_("Campaigns"), (_("campaign"), _("variant"), _("what became of it")), lines)


def _asked(profile: Profile) -> str:
    return "?" + urlencode({"profile": profile.external_id or profile.braze_id})


def _latest(profile: Profile, senders: list[int]) -> dict[int, str]:
    """What the last message of each sender came to; of one that is deleted by now, whether it was received."""
    rows = Message.objects.filter(profile=profile.pk, sender__in=senders).order_by("pk")
    receipts = Receipt.objects.filter(profile=profile.pk, sender__in=senders, received_at__isnull=False)
    received = dict.fromkeys(receipts.values_list("sender_id", flat=True), str(Outcome.RECEIVED.label))
    return received | {row.sender_id: _words(row) for row in rows}


def _words(message: Message) -> str:
    if message.finished_at is None:
        return _("waits")
    return in_words(message.reason) if message.reason else str(message.get_outcome_display())
