"""The checks before sending that campaigns and Canvases share (campaigns specification, section 8.2).

Registered with `webhooks.hooks`; each is asked for a whole batch and takes a few queries. Positions are ten times the
specification's row.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from audience.models import Profile, SubscriptionState
from audience.models import Subscription as State
from outreach import controls, suppression, zones
from outreach.controls import Controls
from outreach.counters import CONTROL_REASON
from outreach.messages import CONTROL_CONTENT
from outreach.models import Status, Subscribed
from webhooks.claims import Claimed
from webhooks.hooks import Hold, Verdict
from webhooks.models import LogKind, Outcome
from webhooks.request import Refusal

ACTIVE, SUPPRESSION, SUBSCRIPTION, QUIET, CAPS, CONTROL = 10, 60, 80, 90, 120, 125
STALE = timedelta(hours=72)
LOOK_AGAIN = timedelta(seconds=2)  # longer than a pause that has ended is remembered
QUICK_RETRIES = timedelta(minutes=30)  # retries later than that obey quiet hours
Verdicts = Mapping[int, Verdict]


quiet_spared: list[Callable[[Sequence[Claimed]], Collection[int]]] = []
"""Higher apps that name the messages (by id) which may be sent in quiet hours too."""


def is_active(batch: Sequence[Claimed], now: datetime) -> Verdicts:
    """Checks 1 and 3: what was stopped meanwhile is cancelled, what a pause caught waits, what is stale is dropped."""
    known = controls.of({m.sender_id for m in batch})
    found: dict[int, Verdict] = {}
    for message in batch:
        own = known.get(message.sender_id)
        if own and own.status in (Status.STOPPED, Status.ARCHIVED):
            found[message.id] = Refusal(Outcome.CANCELLED, "outreach_inactive", "")
        elif own and own.status != Status.ACTIVE:
            found[message.id] = Hold(max(message.due_at, now + LOOK_AGAIN), "outreach_paused")
        elif own and not message.attempts and now - message.due_at > STALE:
            found[message.id] = aborted("late_72h", _("Held up for more than 72 hours"), LogKind.RATE_LIMITED)
    return found


def aborted(reason: str, text: str = "", kind: LogKind = LogKind.ABORTED) -> Refusal:
    """The message ends here, with a row in the log."""
    return Refusal(Outcome.ABORTED, reason, text, kind)


def is_reachable(batch: Sequence[Claimed], now: datetime) -> Verdicts:
    """Check 6: suppression lists always, the global control group at the first attempt."""
    owners = controls.of({m.sender_id for m in batch})
    people: dict[int, set[int]] = {own.id: set() for own in owners.values()}
    for message in batch:
        if own := owners.get(message.sender_id):
            people[own.id].add(message.profile_id)
    out = suppression.kept_out({own.id: own.tags for own in owners.values()}, people, now)
    found: dict[int, Verdict] = {}
    for message in batch:
        owner = owners.get(message.sender_id)
        reason = out.get(owner.id, {}).get(message.profile_id) if owner else None
        if reason == suppression.SUPPRESSED or (reason and not message.attempts):
            found[message.id] = aborted(reason, _TEXTS[reason])
    return found


_TEXTS = {
    suppression.SUPPRESSED: "The profile is on a suppression list",
    suppression.CONTROLLED: "The profile is in the global control group",
}


def is_subscribed(batch: Sequence[Claimed], now: datetime) -> Verdicts:
    """Check 8, at the first attempt."""
    known = controls.of({m.sender_id for m in batch})
    asked = [m for m in batch if not m.attempts and _own(known, m) and _own(known, m).subscribed]  # type: ignore[union-attr]
    if not asked:
        return {}
    ids = {m.profile_id for m in asked}
    rows = Profile.objects.filter(pk__in=ids).values_list("pk", "email_subscribe", "push_subscribe")
    states = {pk: (email, push) for pk, email, push in rows}
    groups = {own.subscription_group_id for own in known.values() if own.subscription_group_id}
    member = set(
        SubscriptionState.objects.filter(group__in=groups, profile__in=ids, state="subscribed").values_list(
            "group_id", "profile_id"
        )
    )
    return {
        m.id: aborted("not_subscribed", "The profile is not subscribed")
        for m in asked
        if not may_receive(known[m.sender_id], m.profile_id, states, member)
    }


def _own(known: Mapping[int, Controls], message: Claimed) -> Controls | None:
    return known.get(message.sender_id)


def may_receive(
    own: Controls, profile: int, states: Mapping[int, tuple[str, str]], member: set[tuple[int, int]]
) -> bool:
    """Whether the subscription setting lets a profile have it: `states` by profile, `member` as (group, profile)."""
    email, push = states.get(profile, ("", ""))
    match own.subscribed:
        case Subscribed.EMAIL:
            return email in (State.SUBSCRIBED, State.OPTED_IN)
        case Subscribed.EMAIL_OPTED_IN:
            return email == State.OPTED_IN
        case Subscribed.PUSH:
            return push in (State.SUBSCRIBED, State.OPTED_IN)
        case Subscribed.PUSH_OPTED_IN:
            return push == State.OPTED_IN
        case Subscribed.GROUP:
            return (own.subscription_group_id or 0, profile) in member
        case _:
            return True


def is_not_quiet(batch: Sequence[Claimed], now: datetime) -> Verdicts:
    """Check 9: held until the quiet hours end in the profile's zone, or dropped. Quick retries ignore them."""
    known = controls.of({m.sender_id for m in batch})
    asked = [m for m in batch if (own := known.get(m.sender_id)) and own.quiet and _obeys_quiet_hours(m, now)]
    for spared in quiet_spared if asked else ():
        loud = spared(asked)
        asked = [message for message in asked if message.id not in loud]
    if not asked:
        return {}
    places = zones.of_profiles({m.profile_id for m in asked})
    found: dict[int, Verdict] = {}
    for message in asked:
        own, zone = known[message.sender_id], places.get(message.profile_id)
        if own.quiet is None or zone is None or not own.quiet.holds(now, zone):
            continue
        if own.quiet_waits or message.attempts:
            found[message.id] = Hold(own.quiet.closes(now, zone) + _spread(message.profile_id), "quiet_hours")
        else:
            found[message.id] = aborted("quiet_hours", "The profile has quiet hours")
    return found


def _obeys_quiet_hours(message: Claimed, now: datetime) -> bool:
    first = message.first_attempt_at
    return not message.attempts or (first is not None and now - first > QUICK_RETRIES)


def _spread(profile: int) -> timedelta:
    """What was held together is let go over five minutes."""
    return timedelta(seconds=profile * 7919 % 300)


def is_not_control(batch: Sequence[Claimed], now: datetime) -> Verdicts:
    """Last of all: whoever is in the control group has passed every check, and gets nothing."""
    held = Refusal(Outcome.SKIPPED, CONTROL_REASON, "")
    return {m.id: held for m in batch if m.content_id == CONTROL_CONTENT}
