"""Three weeks, a hundred people in five zones, eleven campaigns of all kinds, over a change of the clocks: every
message that arrives is one that the plain model expects, and every one it expects arrives.
"""

import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from audience.ingest.items import By, Identifier
from campaigns import calls
from campaigns.calls import Recipient
from campaigns.models import Campaign
from outreach import counters, lifecycle
from outreach.models import FrequencyRule, Quiet
from tests.campaigns.reference import Model, Person, Plan
from tests.campaigns.world import DAY, HOUR, adds_up, event, reasons
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory
from workspace.models import Workspace

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 0, 10, tzinfo=UTC)  # clocks change in New York on 8 March
END = START + 21 * DAY
STEP = HOUR  # moments lie ten minutes after what is planned for full hours
ZONES = ("Asia/Seoul", "Europe/Paris", "America/New_York", "Pacific/Apia", "")
COMPANY = "Europe/Paris"
NINE = (time(9), time(18))
NIGHT = (time(22), time(8))


def every(days: int, first: date = date(2026, 3, 2), count: int = 30) -> frozenset:
    return frozenset(first + timedelta(days=n * days) for n in range(count))


def mondays_and_thursdays() -> frozenset:
    days = (date(2026, 3, 2) + timedelta(days=n) for n in range(40))
    return frozenset(day for day in days if day.weekday() in (0, 3))


def again(span: timedelta) -> dict[str, object]:
    return {"is_reeligible": True, "reeligible_seconds": int(span.total_seconds())}


def company(day: int, at: time) -> datetime:
    return datetime.combine(date(2026, 3, day), at, ZoneInfo(COMPANY)).astimezone(UTC)


PLANS: list[tuple[Plan, dict[str, object]]] = [
    (Plan("once", frozenset({date(2026, 3, 2)}), time(12)), {"start_at": company(2, time(12))}),
    (
        Plan("daily", every(1), time(9), again=2 * DAY),
        {"start_at": company(2, time(9)), "recurrence": "daily", **again(2 * DAY)},
    ),
    (
        Plan("local", mondays_and_thursdays(), time(8), is_local=True, again=timedelta()),
        {
            "start_at": company(2, time(8)),
            "recurrence": "weekly",
            "weekdays": [0, 3],
            "is_local": True,
            **again(timedelta()),
        },
    ),
    (
        Plan("monthly", frozenset({date(2026, 3, 15), date(2026, 3, 31)}), time(10)),
        {"start_at": company(2, time(10)), "recurrence": "monthly", "month_days": [15, -1]},
    ),
    (
        Plan("cart", trigger="left_cart", delay=3 * HOUR, exception="ordered"),
        {
            "delivery": "action",
            "triggers": [event("left_cart")],
            "exceptions": [event("ordered")],
            "delay": {"mode": "after", "count": 3, "unit": "hours"},
        },
    ),
    (
        Plan("thanks", trigger="ordered", again=DAY, quiet=NIGHT),
        {
            "delivery": "action",
            "triggers": [event("ordered")],
            "quiet_mode": Quiet.OWN,
            "quiet_start": NIGHT[0],
            "quiet_end": NIGHT[1],
            "quiet_waits": True,
            **again(DAY),
        },
    ),
    (
        Plan("visit", trigger="visited", again=timedelta(), portion=NINE, delay=HOUR),
        {
            "delivery": "action",
            "triggers": [event("visited")],
            "portion_start": NINE[0],
            "portion_end": NINE[1],
            "portion_waits": True,
            "delay": {"mode": "after", "count": 1, "unit": "hours"},
            **again(timedelta()),
        },
    ),
    (
        Plan("ending", trigger="visited", delay=DAY, ends_at=START + 9 * DAY, again=12 * HOUR),
        {
            "delivery": "action",
            "triggers": [event("visited")],
            "delay": {"mode": "after", "count": 1, "unit": "days"},
            "end_at": START + 9 * DAY,
            **again(12 * HOUR),
        },
    ),
    (Plan("api", again=6 * HOUR), {"delivery": "api", **again(6 * HOUR)}),
    (
        Plan(
            "tested", every(7), time(15), countries=frozenset({"KR"}), control=30, obeys_caps=False, again=timedelta()
        ),
        {
            "start_at": company(2, time(15)),
            "recurrence": "daily",
            "every": 7,
            "obeys_caps": False,
            **again(timedelta()),
        },
    ),
    (
        Plan("few", every(2), time(17), per_run=10, obeys_caps=False, again=timedelta()),
        {
            "start_at": company(2, time(17)),
            "recurrence": "daily",
            "every": 2,
            "most_recipients": 10,
            "recipients_per": "run",
            "obeys_caps": False,
            **again(timedelta()),
        },
    ),
    (
        Plan("follow", follows="once", delay=DAY),
        {"delivery": "action", "delay": {"mode": "after", "count": 1, "unit": "days"}},
    ),
]
ACTS = {
    START + 5 * DAY: (lifecycle.stop, "daily", "stopped"),
    START + 7 * DAY: (lifecycle.resume, "daily", "active"),
    START + 10 * DAY: (lifecycle.pause, "visit", "paused"),
    START + 11 * DAY: (lifecycle.resume, "visit", "active"),
}


def make_people(chance: random.Random) -> tuple[list, list[Person]]:
    rows, people = [], []
    for number in range(100):
        zone = ZONES[number % len(ZONES)]
        row = ProfileFactory(time_zone=zone, country=chance.choice(["KR", "FR", "US"]))
        rows.append(row)
        people.append(Person(row.pk, ZoneInfo(zone or COMPANY), row.country, number % 17 == 5))
    return rows, people


def make_campaigns() -> dict[str, Campaign]:
    made: dict[str, Campaign] = {}
    for plan, values in PLANS:
        campaign = CampaignFactory(name=plan.name, **values)
        if plan.follows:
            campaign.triggers = [{"kind": "received", "name": str(made[plan.follows].pk)}]
            campaign.save()
        if plan.countries:
            campaign.to_everyone = False
            campaign.save()
            campaign.segments.add(SegmentFactory(filters={"filter": "country", "op": "any_of", "values": ["KR"]}))
        if plan.control:
            campaign.variants.update(share=100 - plan.control)
            campaign.variants.create(name="Control", is_control=True, share=plan.control)
        made[plan.name] = campaign
    return made


@pytest.mark.timeout(900)  # a minute where nothing else runs
def test_three_weeks(world):
    chance = random.Random(11)
    Workspace.objects.update_or_create(pk=1, defaults={"time_zone": COMPANY})
    world.go(START)
    rows, people = make_people(chance)
    campaigns = make_campaigns()
    FrequencyRule.objects.create(most=2, every=1, unit="days")
    for name in (*(n for n in campaigns if n != "once"), "once"):
        world.launch(campaigns[name])
    plans = {plan.name: plan for plan, _values in PLANS}
    for name, plan in plans.items():
        plan.pk, plan.launched_at, plan.status = campaigns[name].pk, START, "active"
    model = Model(people, plans, cap=2, company=ZoneInfo(COMPANY))
    broken = {person.pk for person in people if person.is_broken}
    world.answer = lambda message: 404 if message.profile_id in broken else 200
    names = {campaign.sender_id: name for name, campaign in campaigns.items()}
    seen = 0

    while world.now < END:
        world.go(world.now + STEP)
        now = world.now
        if now in ACTS:
            act, name, status = ACTS[now]
            act(campaigns[name], now)
            if status == "stopped":
                model.waiting = [w for w in model.waiting if w.plan.name != name]
            plans[name].status = status
        for row, person in chance.sample(list(zip(rows, people, strict=True)), 2):
            kind = chance.choice(["left_cart", "ordered", "visited", "visited"])
            world.happens(row, kind, n=str(now))
            model.event(person, kind, now)
        if chance.random() < 0.1:
            row, person = chance.choice(list(zip(rows, people, strict=True)))
            calls.send(campaigns["api"], [Recipient(Identifier(By.EXTERNAL_ID, row.external_id))], now)
            model.consider(plans["api"], person, now, now)
        limited = model.runs(now)
        world.run()
        here = Counter((names[a.sender], a.profile) for a in world.arrived[seen:])
        seen = len(world.arrived)
        assert all(count == 1 or name == "visit" for (name, _pk), count in here.items()), "a message arrived twice"
        for plan, allowed in limited:
            got = {pk for name, pk in here if name == plan.name}
            chosen = {p.pk for p in allowed} - broken
            assert got <= chosen
            assert plan.per_run - len(broken) <= len(got) <= plan.per_run
            here -= Counter((plan.name, pk) for pk in got)
        assert here == model.deliver(now, here), now

    assert seen > 1_000
    compare_reasons(model, campaigns)


def compare_reasons(model: Model, campaigns: dict[str, Campaign]) -> None:
    """Whatever was left out has the reason that the model names, as often."""
    for name, campaign in campaigns.items():
        adds_up(campaign)
        if name == "few":
            continue
        counted = {}
        for reason, count in reasons(campaign).items():
            key = reason.partition(":")[0]
            counted[key] = counted.get(key, 0) + count
        expected = {reason: count for (plan, reason), count in model.reasons.items() if plan == name and count}
        failed = expected.pop("failed", 0)
        assert counters.totals(campaign)["failed"] == failed, name
        held = sum(plan == name for plan, _pk, _at in model.held)
        expected |= {"control_group": held} if held else {}
        for noise in ("http_404", "outreach_inactive", "rejected"):
            counted.pop(noise, None)
        assert {k: v for k, v in counted.items() if not k.startswith("http")} == expected, name
