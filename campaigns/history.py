"""Who changed what: every version of a campaign, and what differs between two.

django-simple-history keeps a row for every save. What other tables hold (teams, variants, webhooks, conversion events)
is written into `Campaign.parts` at each change, so a version is whole and two versions can be compared field by field.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import Campaign
from outreach import approvals, experiments, matching
from outreach.models import Optimisation, Status, Variant, VariantContent
from webhooks.models import Content

SHOWN = 200
_NOT_SHOWN = {"id", "outreach_ptr", "key", "sender", "version", "created_by", "created_at", "parts", "zone"}


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after, in words."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One save: when, by whom, why, and what differs from the version before."""

    at: datetime
    who: str
    reason: str
    version: int
    key: int
    changes: list[Change]


def note(campaign: Campaign, user: Any = None, reason: str = "", *, resets_approvals: bool = True) -> None:
    """Write a version of the campaign as it is now. Call it after everything that belongs to the change is saved."""
    campaign.parts = parts_of(campaign)
    campaign._change_reason = reason[:100]  # type: ignore[attr-defined] # read by simple_history
    if user is not None and getattr(user, "pk", None):
        campaign._history_user = user  # type: ignore[attr-defined]
    campaign.save(update_fields=["parts", "version", "updated_at"])
    if resets_approvals:
        approvals.reset(campaign)


def parts_of(campaign: Campaign) -> dict[str, Any]:
    """What other tables say of the campaign."""
    variants = campaign.variants.filter(is_removed=False).prefetch_related("variant_contents__content__overrides")
    return {
        "teams": sorted(campaign.teams.values_list("name", flat=True)),
        "tags": sorted(campaign.tags.values_list("name", flat=True)),
        "segments": sorted(campaign.segments.values_list("name", flat=True)),
        "rate": campaign.sender.rate_per_minute,
        "variants": {f"{arm.pk}": _variant(arm) for arm in variants},
        "conversions": [
            {"event": matching.sentence(e.trigger), "seconds": e.window_seconds}
            for e in campaign.conversion_events.all()
            if not matching.problems(e.trigger)
        ],
    }


def _variant(arm: Variant) -> dict[str, Any]:
    return {
        "name": arm.name,
        "share": arm.share,
        "control": arm.is_control,
        "webhooks": [_webhook(item.content) for item in arm.variant_contents.all()],
    }


def _webhook(content: Content) -> dict[str, Any]:
    """A webhook without secrets."""
    headers = [[h["name"], "***" if h.get("is_secret") else h["value"]] for h in content.headers]
    return {
        "method": content.method,
        "url": content.url,
        "headers": headers,
        "body": content.raw_body if content.body_kind == "raw" else content.pairs,
        "languages": sorted(override.language for override in content.overrides.all()),
    }


def entries(campaign: Campaign, count: int = SHOWN) -> list[Entry]:
    """The latest versions, newest first. Two queries."""
    rows = list(campaign.history.select_related("history_user").order_by("-history_id")[: count + 1])
    found = []
    for place, row in enumerate(rows[:count]):
        before = rows[place + 1] if place + 1 < len(rows) else None
        changes = list(changes_between(before, row)) if before else []
        if changes or row.history_change_reason or before is None:
            who = str(row.history_user) if row.history_user else _("the system")
            reason = row.history_change_reason or (_("made") if before is None else "")
            found.append(Entry(row.history_date, who, reason, row.version, row.history_id, changes))
    return found


def changes_between(before: Any, after: Any) -> Iterator[Change]:
    """What differs between two versions."""
    for field in after.tracked_fields:
        old, new = getattr(before, field.attname), getattr(after, field.attname)
        if field.name not in _NOT_SHOWN and old != new:
            yield Change(str(field.verbose_name), _shown(old), _shown(new))
    yield from _part_changes("", before.parts or {}, after.parts or {})


def _part_changes(path: str, before: Any, after: Any) -> Iterator[Change]:
    """Differences of nested values, down to the smallest that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _part_changes(f"{path} › {key}".strip(" ›"), before.get(key), after.get(key))
    elif before != after and _shown(before) != _shown(after):
        yield Change(path, _shown(before), _shown(after))


def _shown(value: Any) -> str:
    if value is None or value == "" or value == [] or value == {}:
        return "–"
    if isinstance(value, list) and all(isinstance(each, dict) and each.get("kind") in matching.KINDS for each in value):
        return "; ".join(matching.sentence(each) for each in value if not matching.problems(each))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_shown(each)}" for key, each in value.items())[:500]
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return str(value)[:500]


def content_saved(sender: Any, instance: Content, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """A webhook of a campaign was saved: an entry of its history, and the end of a running test (signal receiver).

    It is no new version of the campaign's own pages: who has one of those open may still save it.
    """
    if created or raw:
        return
    item = VariantContent.objects.filter(content=instance).select_related("variant").first()
    campaign = Campaign.objects.filter(pk=item.variant.outreach_id).first() if item else None
    if campaign is None or parts_of(campaign) == campaign.parts:
        return
    note(campaign, reason=str(_("webhook edited")))
    if campaign.status != Status.DRAFT and campaign.optimisation == Optimisation.WINNER and not campaign.decided_at:
        experiments.invalidate(campaign, campaign.updated_at)
