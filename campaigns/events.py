"""What an event does to action-based campaigns: drops messages it is an exception for, and sets others off.

Registered with `audience.reactions`; exceptions come before entries, so an event that is both restarts the wait.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from audience import segments
from audience.filters.scope import Scope
from audience.models import PendingEvent
from audience.reactions import Names, unseen
from campaigns import admission, waiting
from campaigns.admission import Asked
from campaigns.models import Campaign, Delivery
from outreach import capping, counters, delays, matching, properties, reach, zones
from outreach.delays import Delay
from outreach.matching import Happening, Trigger
from outreach.models import Dispatch, Metric, Status
from outreach.windows import Window
from workspace import bulk
from workspace.models import Workspace

OLDEST = timedelta(hours=72)  # an older event sets nothing off, so that a late import can't burst
RUNNING = (Status.ACTIVE, Status.PAUSED)


def listener(occurred: Names) -> Names:
    """The names that some running campaign waits for. One query, plain: every stored event asks it."""
    rows = bulk.fetch(_LISTENED, [Delivery.ACTION, *RUNNING])
    return matching.wanted(
        matching.names_of(trigger for row in rows for each in row for trigger in bulk.document(each)), occurred
    )


_LISTENED = """
    SELECT c.triggers, c.exceptions FROM campaigns_campaign AS c JOIN outreach_outreach AS o ON o.id = c.outreach_ptr_id
    WHERE c.delivery = %s AND o.status IN (%s, %s)
"""


def _running() -> list[Campaign]:
    rows = Campaign.objects.filter(delivery=Delivery.ACTION, status__in=RUNNING).select_related("sender")
    return list(rows.order_by("pk"))


def _all_triggers(campaign: Campaign) -> Iterable[Trigger]:
    return [*campaign.triggers, *campaign.exceptions]


def _sorted(events: Sequence[PendingEvent]) -> list[Happening]:
    return sorted(map(matching.of_pending, events), key=lambda each: (each.occurred_at, each.serial))


def _scope(now: datetime) -> Scope:
    return properties.scope_at(now, Workspace.current().time_zone)


def fits(
    triggers: Iterable[Trigger], happening: Happening, scope: Scope, trigger_properties: Mapping[str, object]
) -> bool:
    """Whether something that happened is one of the triggers; conditions may name the properties of another event."""
    others = {"trigger": trigger_properties}
    return any(matching.matches(trigger, happening, scope, others) for trigger in triggers)


# --- exceptions


def drop(events: Sequence[PendingEvent], now: datetime) -> None:
    """Abort waiting messages for which an event is an exception."""
    happenings, scope = {h.profile_id: h for h in _sorted(events)}, _scope(now)
    for campaign in _running():
        if not campaign.exceptions:
            continue
        kinds = {matching.KINDS[trigger["kind"]][0] for trigger in campaign.exceptions}
        suspects = [h.profile_id for h in happenings.values() if h.kind in kinds]
        messages = waiting.messages(campaign, suspects)
        excepted = [
            message
            for message in messages
            if is_exception(
                campaign,
                message.triggered_at,
                message.properties,
                message.source,
                happenings[message.profile_id],
                scope,
            )
        ]
        _abort(campaign, [message.id for message in excepted], now)


def is_exception(
    campaign: Campaign,
    triggered_at: datetime,
    trigger_properties: Mapping[str, object],
    source: str,
    happening: Happening,
    scope: Scope,
) -> bool:
    """Whether something that happened after the trigger keeps the message from being sent."""
    if happening.occurred_at <= triggered_at or happening.source == source:
        return False
    return fits(campaign.exceptions, happening, scope, trigger_properties)


def _abort(campaign: Campaign, ids: Sequence[int], now: datetime) -> None:
    ended = waiting.end(ids, "aborted", "exception_event", now)
    capping.give_back({(campaign.sender_id, cause, profile) for _variant, cause, profile in ended})
    totals: dict[counters.Key, int] = {}
    for variant, _cause, _profile in ended:
        key = counters.Key(campaign.pk, counters.today(now), variant, 0, Metric.ABORTED, "exception_event")
        totals[key] = totals.get(key, 0) + 1
    counters.add(totals)


# --- triggers


def set_off(events: Sequence[PendingEvent], now: datetime) -> None:
    """Make the messages of every active campaign that an event triggers. Audiences are those before the event."""
    before, scope = unseen(events), _scope(now)
    happenings = _sorted(events)
    for campaign in _running():
        if campaign.status != Status.ACTIVE:
            continue
        found = [h for h in happenings if _is_in_time(campaign, h, now) and fits(campaign.triggers, h, scope, {})]
        if not found:
            continue
        members = segments.among(reach.audience(campaign, now, before), {h.profile_id for h in found})
        inside = [h for h in found if h.profile_id in members]
        counters.add(admission.turned_away(campaign, {"not_in_audience": len(found) - len(inside)}, now))
        if inside:
            _send(campaign, inside, now)


def _is_in_time(campaign: Campaign, happening: Happening, now: datetime) -> bool:
    """An event counts if it happened after the launch and the start, before the end, and not too long ago."""
    starts = [moment for moment in (campaign.launched_at, campaign.start_at) if moment]
    if any(happening.occurred_at < moment for moment in starts) or now - happening.occurred_at > OLDEST:
        return False
    return campaign.end_at is None or happening.occurred_at <= campaign.end_at


def _send(campaign: Campaign, happenings: Sequence[Happening], now: datetime) -> None:
    delay, portion = delays.read(campaign.delay or {}), portion_of(campaign)
    places, company = zones.of_profiles({h.profile_id for h in happenings}), zones.company()
    due = {
        h.profile_id: due_at(delay, portion, campaign.portion_waits, h.occurred_at, places[h.profile_id], company)
        for h in happenings
    }
    outside = sum(moment is None for moment in due.values())
    counters.add(admission.turned_away(campaign, {"outside_portion_of_day": outside}, now))
    kept = [h for h in happenings if due[h.profile_id] is not None]
    if not kept:
        return
    causes = _dispatches(campaign, kept)
    asked = [Asked(h.profile_id, causes[h.source], max(due[h.profile_id] or now, now), context_of(h)) for h in kept]
    admission.admit(campaign, asked, now)


def portion_of(campaign: Campaign) -> Window | None:
    """The portion of the day in which it may send, if it has one."""
    if campaign.portion_start is None or campaign.portion_end is None:
        return None
    return Window(campaign.portion_start, campaign.portion_end)


def due_at(
    delay: Delay, portion: Window | None, waits: bool, happened_at: datetime, zone: ZoneInfo, company: ZoneInfo
) -> datetime | None:
    """When a message is due that an event set off; None where it falls outside the portion of the day. Pure."""
    moment = delays.due_at(delay, happened_at, zone if delay.uses_profile_zone else company)
    if moment is None or portion is None:
        return moment
    if waits:
        return portion.opens(moment, zone)
    return moment if portion.holds(happened_at, zone) and portion.holds(moment, zone) else None


def context_of(happening: Happening) -> dict[str, object]:
    """What the message remembers of its trigger."""
    return {
        "event_properties": dict(happening.properties),
        "triggered_at": happening.occurred_at.isoformat(),
        "source": happening.source,
    }


def _dispatches(campaign: Campaign, happenings: Sequence[Happening]) -> dict[str, int]:
    """A dispatch for each event, by the event's source."""
    kind = Dispatch.Kind.EVENT
    Dispatch.objects.bulk_create(
        (Dispatch(outreach=campaign, kind=kind, source=h.source) for h in happenings), ignore_conflicts=True
    )
    rows = Dispatch.objects.filter(outreach=campaign, kind=kind, source__in=[h.source for h in happenings])
    return dict(rows.values_list("source", "pk"))
