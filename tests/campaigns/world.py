"""A small world for campaigns: a clock that is set by hand, people who do things, and an endpoint that answers at once.

Messages go through every registered check and through the recorder, as in the pump; only the network is left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from audience import dispatch
from audience.ingest.track import track
from audience.models import Profile
from campaigns import launch
from campaigns.models import Campaign
from outreach import counters, plan
from outreach.models import DailyCount, Metric
from tests.factories import CampaignFactory
from webhooks import hooks
from webhooks.attempt import Attempt
from webhooks.claims import Claimed
from webhooks.models import Message
from webhooks.record import record
from webhooks.request import Answer, Refusal, Request
from workspace import remembered

MINUTE, HOUR, DAY, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
REQUEST = Request("POST", "https://example.com/hook", "example.com")


@dataclass(frozen=True)
class Arrived:
    """A message that reached the endpoint."""

    at: datetime
    sender: int
    profile: int
    variant: int
    slot: int = 0


@dataclass
class World:
    """`now` is the time everywhere; `answer` decides what the endpoint says to a message."""

    now: datetime
    travel: Callable[[datetime], None]
    arrived: list[Arrived] = field(default_factory=list)
    answer: Callable[[Claimed], int] = lambda message: 200

    def go(self, to: datetime) -> None:
        self.now = to
        self.travel(to)

    def wait(self, span: timedelta = MINUTE) -> None:
        """Let time pass, then do everything that is due."""
        self.go(self.now + span)
        self.run()

    def walk(self, until: datetime, step: timedelta = HOUR) -> None:
        while self.now < until:
            self.wait(min(step, until - self.now))

    def run(self) -> None:
        """React, plan and deliver until nothing is due."""
        while dispatch.run(lambda: self.now, lambda: False) + plan.plan_due(self.now) + self.deliver():
            pass

    def deliver(self) -> int:
        """Check and answer every due message; how many."""
        remembered.forget_all()
        rows = Message.objects.filter(finished_at=None, sender__is_open=True, due_at__lte=self.now).order_by(
            "due_at", "pk"
        )
        batch = [claimed(row) for row in rows]
        attempts: list[Attempt] = []
        for _position, check in hooks.checks:
            verdicts = check(batch, self.now) if batch else {}
            attempts += [_stopped(m, verdicts[m.id]) for m in batch if m.id in verdicts]
            batch = [m for m in batch if m.id not in verdicts]
        for message in batch:
            status = self.answer(message)
            if 200 <= status <= 299:
                self.arrived.append(
                    Arrived(self.now, message.sender_id, message.profile_id, message.variant, message.slot)
                )
            attempts.append(Attempt(message, REQUEST, Answer(status), began_at=self.now))
        return record(attempts) if attempts else 0

    def launch(self, campaign: Campaign) -> Campaign:
        launch.start(campaign, self.now)
        campaign.refresh_from_db()
        return campaign

    def happens(self, profile: Profile, name: str, at: datetime | None = None, **properties: Any) -> None:
        """The profile performs a custom event; it is stored, not yet reacted to."""
        row = {"braze_id": str(profile.braze_id), "name": name, "time": (at or self.now).isoformat()}
        track(events=[{**row, "properties": properties}], now=self.now)

    def buys(
        self, profile: Profile, product: str, at: datetime | None = None, price: float = 10.0, **more: Any
    ) -> None:
        row = {"braze_id": str(profile.braze_id), "product_id": product, "currency": "USD", "price": price, **more}
        track(purchases=[{**row, "time": (at or self.now).isoformat()}], now=self.now)

    def becomes(self, profile: Profile, **attributes: Any) -> None:
        track(attributes=[{"braze_id": str(profile.braze_id), **attributes}], now=self.now)

    def received_by(self, profile: Profile, campaign: Campaign | None = None) -> list[datetime]:
        return [a.at for a in self.arrived if a.profile == profile.pk and campaign in (None, _of(a, campaign))]


def _of(arrived: Arrived, campaign: Campaign | None) -> Campaign | None:
    return campaign if campaign and campaign.sender_id == arrived.sender else None


def _stopped(message: Claimed, verdict: hooks.Verdict) -> Attempt:
    if isinstance(verdict, Refusal):
        return Attempt(message, refusal=verdict)
    return Attempt(message, hold_until=verdict.due_at)


def claimed(row: Message) -> Claimed:
    return Claimed(
        row.pk,
        row.sender_id,
        row.lane_id,
        row.content_id,
        row.profile_id,
        row.cause,
        row.slot,
        row.variant,
        row.due_at,
        row.attempts,
        row.first_attempt_at,
        row.context,
        row.lease,
    )


def event(name: str, *conditions: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "event", "name": name, "conditions": list(conditions), **more}


def equals(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "type": "text", "op": "any_of", "values": [value]}


def action(*triggers: Mapping[str, Any], **values: Any) -> Campaign:
    """A draft action-based campaign to everybody."""
    return CampaignFactory(delivery="action", triggers=list(triggers), **values)


def reasons(campaign: Campaign) -> dict[str, int]:
    """How many messages were not sent or not made, by reason."""
    rows = DailyCount.objects.filter(outreach=campaign).exclude(reason="").exclude(metric=Metric.CONVERTED)
    found: dict[str, int] = {}
    for reason, count in rows.values_list("reason", "count"):
        found[reason] = found.get(reason, 0) + count
    return found


def adds_up(campaign: Campaign) -> None:
    """planned = received + failed + aborted + skipped + cancelled + pending, as the rows have it."""
    totals = counters.totals(campaign)
    assert totals["pending"] == Message.objects.filter(sender=campaign.sender_id, finished_at=None).count()
    assert totals["planned"] == Message.objects.filter(sender=campaign.sender_id).count()


__all__ = ["DAY", "HOUR", "MINUTE", "WEEK", "Arrived", "World", "action", "adds_up", "equals", "event", "reasons"]
