"""Subscription groups for other systems: who is in, who goes in or out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from audience.ingest import outbox, resolve, standard, subscriptions
from audience.ingest.items import By, Identifier
from audience.ingest.subscriptions import Wish
from audience.ingest.track import track
from audience.models import PendingEvent, Profile, SubscriptionGroup, SubscriptionState

UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class People:
    """People named one way: by external ID, else by email address or phone number, each of which may be many's."""

    external_ids: Sequence[str] = ()
    emails: Sequence[str] = ()
    phones: Sequence[str] = ()

    def profiles(self) -> "QuerySet[Profile]":
        """Everybody meant; with an external ID the addresses are not looked at."""
        if self.external_ids:
            found = resolve.find(Identifier(By.EXTERNAL_ID, value) for value in self.external_ids)
            return Profile.objects.filter(pk__in=found.values())
        numbers = {number for text in self.phones if (number := standard.e164(text))}
        rows = Profile.objects.annotate(address=Lower("email"))
        test = Q(address__in=[text.lower() for text in self.emails]) if self.emails else Q(pk=None)
        test |= Q(phone__in=numbers) if numbers else Q(pk=None)
        raw = [text for text in self.phones if not standard.e164(text)]
        return rows.filter(test | Q(phone="", unformatted_phone__in=raw) if raw else test)


def group(key: Any) -> SubscriptionGroup | None:
    """The group that goes by that identifier and takes changes."""
    return subscriptions.groups([key]).get(key) if isinstance(key, str) else None


def set_state(chosen: SubscriptionGroup, state: str, people: People, now: datetime) -> None:
    """Put people in or out. Who is unknown is passed over; somebody who listens is told of each change."""
    with transaction.atomic():
        wishes = [Wish(pk, chosen.pk, state) for pk in people.profiles().values_list("pk", flat=True)]
        changes = subscriptions.apply(wishes, {chosen.pk: chosen}, now)
        kind = PendingEvent.Kind.SUBSCRIPTION
        outbox.put([outbox.changed(c.profile, kind, {c.group_key: (c.before or None, c.after)}, now) for c in changes])


def set_email_state(addresses: Sequence[str], state: str, now: datetime) -> int:
    """Set the email subscription of every profile with one of the addresses; how many there were."""
    people = People(emails=addresses).profiles().values_list("braze_id", flat=True)
    rows = [{"braze_id": str(key), "email_subscribe": state} for key in people]
    if rows:
        track(attributes=rows, now=now)
    return len(rows)


def unsubscribed(
    since: datetime | None, until: datetime | None, email: str, *, newest_first: bool
) -> "QuerySet[Profile]":
    """Who is unsubscribed from email, in the order of when that was; between two moments, or with that address."""
    rows = Profile.objects.filter(email_subscribe="unsubscribed").exclude(email="").exclude(email_subscribe_at=None)
    rows = rows.annotate(address=Lower("email")).filter(address=email.lower()) if email else rows
    rows = rows.filter(email_subscribe_at__gte=since) if since else rows
    rows = rows.filter(email_subscribe_at__lt=until) if until else rows
    return rows.order_by("-email_subscribe_at" if newest_first else "email_subscribe_at", "pk")


def states(chosen: SubscriptionGroup, profiles: Collection[int]) -> dict[int, str]:
    """What each of these profiles said: Subscribed, Unsubscribed or Unknown."""
    rows = SubscriptionState.objects.filter(group=chosen, profile__in=profiles).values_list("profile_id", "state")
    known = {profile: state.capitalize() for profile, state in rows}
    return {profile: known.get(profile, UNKNOWN) for profile in profiles}


def groups_of(profiles: Sequence[Profile]) -> dict[int, list[dict[str, Any]]]:
    """The groups that each of these said anything about."""
    rows = SubscriptionState.objects.filter(profile__in=profiles).select_related("group").order_by("group__name")
    found: dict[int, list[dict[str, Any]]] = {profile.pk: [] for profile in profiles}
    for row in rows:
        found[row.profile_id].append(
            {
                "id": str(row.group.key),
                "name": row.group.name,
                "channel": row.group.channel,
                "status": row.state.capitalize(),
            }
        )
    return found
