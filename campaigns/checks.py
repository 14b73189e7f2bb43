"""The checks before sending that only campaigns have (campaigns specification, section 8.2, rows 3, 4, 5 and 7)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from audience import segments
from campaigns import admission, events, waiting
from campaigns.models import Campaign
from outreach import delays, history, matching, properties, reach, zones
from outreach.checks import Verdicts, aborted
from outreach.delays import Mode
from outreach.matching import Happening
from webhooks.claims import Claimed
from webhooks.hooks import Hold, Verdict
from workspace import bulk
from workspace.models import Workspace
from workspace.remembered import Recent

DURATION, EXCEPTIONS, AUDIENCE, ELIGIBILITY = 30, 40, 50, 70
FRESH = timedelta(minutes=1)  # what is sent this soon after it was due is not judged twice


def _first_attempts(batch: Sequence[Claimed]) -> dict[int, tuple[Campaign, list[Claimed]]]:
    """First attempts of campaigns, by sender; the campaigns as they were a second ago at most."""
    first = [message for message in batch if not message.attempts]
    rows = _recent.of({m.sender_id for m in first})
    found: dict[int, tuple[Campaign, list[Claimed]]] = {sender: (campaign, []) for sender, campaign in rows.items()}
    for message in first:
        if message.sender_id in found:
            found[message.sender_id][1].append(message)
    return found


def _load(senders: set[int]) -> dict[int, Campaign]:
    return {campaign.sender_id: campaign for campaign in Campaign.objects.filter(sender_id__in=senders)}


_recent = Recent(_load)


def is_in_time(batch: Sequence[Claimed], now: datetime) -> Verdicts:
    """Row 3: past the end it is dropped; outside the portion of the day it waits or is dropped."""
    found: dict[int, Verdict] = {}
    for campaign, messages in _first_attempts(batch).values():
        if campaign.end_at and now > campaign.end_at:
            found |= {m.id: aborted("outside_duration", "The campaign has ended") for m in messages}
        elif portion := events.portion_of(campaign):
            places = zones.of_profiles({m.profile_id for m in messages})
            for message in messages:
                zone = places[message.profile_id]
                if portion.holds(now, zone):
                    continue
                found[message.id] = (
                    Hold(portion.opens(now, zone), "outside_portion_of_day")
                    if campaign.portion_waits
                    else aborted("outside_portion_of_day", "Outside the portion of the day")
                )
    return found


def has_no_exception(batch: Sequence[Claimed], now: datetime) -> Verdicts:
    """Row 4: an exception event that was stored, though nobody has reacted to it yet, counts too."""
    found: dict[int, Verdict] = {}
    for campaign, messages in _first_attempts(batch).values():
        if not campaign.exceptions or not messages:
            continue
        asked = [waiting.of(m.id, m.profile_id, m.context) for m in messages]
        first = min(each.triggered_at for each in asked)
        listened = matching.names_of(campaign.exceptions)
        scope = properties.scope_at(now, Workspace.current().time_zone)
        done: dict[int, list[Happening]] = {}
        for happening in history.read(listened, {m.profile_id for m in messages}, first, now):
            done.setdefault(happening.profile_id, []).append(happening)
        for each in asked:
            is_over = any(
                events.is_exception(campaign, each.triggered_at, each.properties, each.source, happening, scope)
                for happening in done.get(each.profile_id, ())
            )
            if is_over:
                found[each.id] = aborted("exception_event", "An exception event happened")
    return found


def is_in_audience(batch: Sequence[Claimed], now: datetime) -> Verdicts:
    """Row 5: the audience again, if the campaign asks for it and time has passed."""
    found: dict[int, Verdict] = {}
    for campaign, messages in _first_attempts(batch).values():
        asked = _judged_again(campaign, messages, now)
        if asked:
            members = segments.among(reach.audience(campaign, now), {m.profile_id for m in asked})
            gone = [m for m in asked if m.profile_id not in members]
            found |= {m.id: aborted("no_longer_in_audience", "No longer in the audience") for m in gone}
    return found


def _judged_again(campaign: Campaign, messages: Sequence[Claimed], now: datetime) -> Sequence[Claimed]:
    if campaign.is_local:
        return messages
    if not campaign.judges_again:
        return []
    if delays.read(campaign.delay or {}).mode is not Mode.NONE:
        return messages
    return [message for message in messages if now - message.due_at > FRESH]


def is_eligible(batch: Sequence[Claimed], now: datetime) -> Verdicts:
    """Row 7: something of the campaign may have arrived since the message was made."""
    found: dict[int, Verdict] = {}
    for campaign, messages in _first_attempts(batch).values():
        wait = admission.wait_of(campaign)
        if not messages or wait == timedelta(0):
            continue
        since = now - wait if wait else None
        others = _receipts(campaign, messages, since)
        for message in messages:
            if others.get(message.profile_id, set()) - {message.cause}:
                found[message.id] = aborted("already_received", "Received it meanwhile")
    return found


def _receipts(campaign: Campaign, messages: Sequence[Claimed], since: datetime | None) -> Mapping[int, set[int]]:
    """The reasons for which these profiles have received it, or would have; by profile."""
    received = bulk.rows_of_each(
        "webhooks_receipt", "profile_id", "profile_id, cause", "sender_id = %s AND received_at > %s"
    )
    entered = bulk.rows_of_each(
        "outreach_controlentry", "profile_id", "profile_id, cause", "outreach_id = %s AND entered_at > %s"
    )
    sql = f"SELECT r.profile_id, r.cause FROM {received} UNION ALL SELECT r.profile_id, r.cause FROM {entered}"
    ids, after = bulk.ids_param({m.profile_id for m in messages}), bulk.time_param(since or waiting.EARLIEST)
    found: dict[int, set[int]] = {}
    for profile, cause in bulk.fetch(sql, [ids, campaign.sender_id, after, ids, campaign.pk, after]):
        found.setdefault(profile, set()).add(cause)
    return found
