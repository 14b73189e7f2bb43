"""A campaign as a document: its settings, variants, webhooks and conversion events, without people or numbers.

Copies are made so (`campaigns.copies`), and files (`KIND`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audience.portable import note_unseen_events
from campaigns import history
from campaigns.models import Campaign
from outreach import portable as shared
from outreach import shapes, variants
from outreach.delays import Mode
from outreach.models import ConversionEvent, Status, Variant, VariantContent
from webhooks.models import Sender
from workspace.files import Document, Found, Kind, Links, Named
from workspace.files.document import at, said
from workspace.files.shapes import listed, number, part, shape_of

DATES = ("start_at", "end_at", "winner_at", "end_on")
SETTINGS = (
    *("to_everyone", "filters", "quiet_mode", "quiet_start", "quiet_end", "quiet_waits"),
    *("obeys_caps", "counts_for_caps", "subscribed", "optimisation", "held_share"),
    *("sends_best_anyway", "delivery", "zone", "is_local", "recurrence", "every", "weekdays", "month_days"),
    *("run_count", "triggers", "exceptions", "delay", "portion_start", "portion_end", "portion_waits"),
    *("is_reeligible", "reeligible_seconds", "re_evaluates", "most_recipients", "recipients_per", *DATES),
)


def document_of(campaign: Campaign) -> Document:
    return {
        **shared.head_of(campaign),
        "settings": {name: getattr(campaign, name) for name in SETTINGS},
        "variants": [_variant(arm) for arm in campaign.variants.filter(is_removed=False)],
        "conversions": list(campaign.conversion_events.values("trigger", "window_seconds")),
    }


def _variant(arm: Variant) -> Document:
    items = arm.variant_contents.select_related("content__client_certificate").prefetch_related("content__overrides")
    return {
        "name": arm.name,
        "share": arm.share,
        "is_control": arm.is_control,
        "webhooks": [shared.webhook_of(item.content) for item in items],
    }


@transaction.atomic
def make(document: Mapping[str, Any], name: str, author: Any = None, reason: str = "") -> Campaign:
    """A draft as the document says. What it leaves out is as in a new one."""
    campaign = Campaign(
        name=name,
        description=document.get("description") or "",
        created_by=author,
        sender=Sender.objects.create(name=name),
        subscription_group_id=document.get("subscription_group"),
        **(document.get("settings") or {}),
    )
    campaign.save()
    shared.add_to(campaign, document)
    for position, given in enumerate(document.get("variants") or ()):
        arm = shared.make_variant(campaign, position, given)
        for slot, webhook in enumerate(given.get("webhooks") or ()):
            VariantContent.objects.create(variant=arm, slot=slot, content=shared.make_webhook(webhook))
    if not document.get("variants"):
        variants.first_variant(campaign, _("Variant 1"))
    for position, event in enumerate(document.get("conversions") or ()):
        campaign.conversion_events.create(position=position, **event)
    history.note(campaign, author, reason)
    return campaign


# --- files


def _write(campaign: Campaign) -> Document:
    document, links = document_of(campaign), Named()
    return {
        **shared.written_head(campaign, document, links),
        "variants": [
            {**arm, "webhooks": [shared.without_secrets(webhook) for webhook in arm["webhooks"]]}
            for arm in document["variants"]
        ],
        "conversions": _conversions(document, links),
    }


def _conversions(document: Mapping[str, Any], links: Links) -> list[Document]:
    found = []
    for n, event in enumerate(document.get("conversions") or ()):
        kept = shared.triggers([event["trigger"]], links, at("conversions", n))
        found += [{**event, "trigger": trigger} for trigger in kept]
    return found


def _make(document: Document, links: Found) -> Campaign:
    taken = shared.read_head(document, links)
    taken["variants"] = [
        {
            **arm,
            "webhooks": [
                shared.taken_in(webhook, links, at(at(at("variants", n), "webhooks"), place))
                for place, webhook in enumerate(arm.get("webhooks") or ())
            ],
        }
        for n, arm in enumerate(document.get("variants") or ())
    ]
    taken["conversions"] = _conversions(document, links)
    note_unseen_events(links)
    return make(taken, document["name"], links.user, _("made from a file"))


def _check(document: Document, place: str) -> Sequence[str]:
    faults = [said(at(place, "variants"), text) for text in shapes.arms_problems(document)]
    for n, arm in enumerate(document.get("variants") or ()):
        if arm.get("is_control") and arm.get("webhooks"):
            faults.append(said(at(at(place, "variants"), n), _("The control group sends nothing.")))
    return faults


def _facts(campaign: Campaign) -> Sequence[str]:
    arms = campaign.variants.count()
    contents = VariantContent.objects.filter(variant__outreach=campaign).count()
    return [
        str(campaign.get_delivery_display()),
        ngettext("%d variant", "%d variants", arms) % arms,
        ngettext("%d webhook", "%d webhooks", contents) % contents,
    ]


KIND = Kind(
    "campaign",
    gettext_lazy("campaign"),
    lambda: Campaign.objects.exclude(status=Status.ARCHIVED),
    part(
        "Campaign",
        base=shapes.HEAD,
        settings=shape_of(
            Campaign,
            SETTINGS,
            **shapes.SCHEDULE,
            filters=shapes.TREE,
            triggers=shapes.TRIGGERS,
            exceptions=shapes.TRIGGERS,
            delay=shapes.delay([Mode.NONE, Mode.AFTER, Mode.DAYS, Mode.NEXT_WEEKDAY]),
        ),
        variants=listed(part("Arm", base=shapes.ARM, webhooks=shapes.WEBHOOKS), shapes.MOST_VARIANTS),
        conversions=listed(
            part(
                "Conversion",
                needs="trigger",
                trigger=shapes.TRIGGER,
                window_seconds=number(60, 30 * 86_400),
            ),
            ConversionEvent.MOST,
        ),
    ),
    _write,
    _make,
    _facts,
    _check,
)
