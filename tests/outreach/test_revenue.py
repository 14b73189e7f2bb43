"""Whose money it was: purchases within the primary window, credited to what came last before them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from audience import erasure
from audience.models import CurrencyRate, PendingEvent
from canvas import results as canvas_results
from outreach import reports, results, revenue
from outreach.models import Outreach, Revenue, Variant
from tests.campaigns.conftest import world as world
from tests.campaigns.world import DAY, HOUR, MINUTE, action, event
from tests.canvas import world as journeys
from tests.conftest import NOON
from tests.factories import AdminFactory, CampaignFactory, ProfileFactory

pytestmark = pytest.mark.django_db


def launched(world, window=None, **values):
    campaign = action(event("start"), **({"is_reeligible": True, "reeligible_seconds": 0} | values))
    if window:
        campaign.conversion_events.create(position=0, trigger=event("ordered"), window_seconds=window)
        campaign.conversion_events.create(position=1, trigger=event("opened"), window_seconds=30 * 86_400)
    return world.launch(campaign)


def begin(world, profile):
    world.happens(profile, "start", n=str(world.now))
    world.run()


def buy(world, profile, price=10.0, at=None, **more):
    world.buys(profile, "shoes", price=price, at=at, **more)
    world.run()


def amounts() -> list[Decimal]:
    return list(Revenue.objects.order_by("pk").values_list("amount", flat=True))


@pytest.mark.parametrize(
    ("window", "after", "counts"),
    [
        (None, 3 * DAY, True),
        (None, 3 * DAY + timedelta(seconds=1), False),
        (86_400, DAY, True),
        (86_400, DAY + timedelta(seconds=1), False),
        (86_400, -MINUTE, False),
    ],
)
def test_a_purchase_counts_within_the_primary_window_or_three_days(world, window, after, counts):
    ada = ProfileFactory()
    launched(world, window)
    begin(world, ada)
    world.go(NOON + 4 * DAY if after > 2 * DAY else NOON + 2 * DAY)
    buy(world, ada, at=NOON + after)
    assert amounts() == ([Decimal(10)] if counts else [])


def test_pieces_refunds_and_other_currencies(world):
    ada = ProfileFactory()
    campaign = launched(world)
    CurrencyRate.objects.create(code="EUR", rate=Decimal("1.5"))
    begin(world, ada)
    world.wait(HOUR)
    buy(world, ada, 10.25, quantity=3)
    buy(world, ada, -10.25)
    buy(world, ada, 2, currency="EUR")
    buy(world, ada, 1_000, currency="JPY")  # without a rate it is worth nothing
    assert amounts() == [Decimal("30.75"), Decimal("-10.25"), Decimal(3)]
    (line,) = results.table(campaign)
    assert line.revenue == Decimal("23.5")


def test_a_late_purchase_belongs_to_the_receipt_before_it_and_two_days_later_to_none(world):
    ada = ProfileFactory()
    launched(world, 86_400)
    begin(world, ada)
    world.go(NOON + 12 * HOUR)
    begin(world, ada)
    world.go(NOON + DAY)
    buy(world, ada, 5, at=NOON + HOUR)
    world.go(NOON + 3 * DAY)
    buy(world, ada, 7, at=NOON + 2 * HOUR)
    world.wait(MINUTE)
    buy(world, ada, 9, at=NOON + 2 * HOUR)
    assert amounts() == [5, 7]
    assert set(Revenue.objects.values_list("exposed_at", flat=True)) == {NOON}


def test_every_campaign_gets_it_in_full_and_the_control_group_its_own(world):
    ada, bob = ProfileFactory(), ProfileFactory()
    first = launched(world)
    second = action(event("start"))
    control = Variant.objects.create(outreach=second, name="Control", is_control=True, share=100)
    second.variants.filter(is_control=False).update(share=0)
    world.launch(second)
    begin(world, ada)
    world.wait(HOUR)
    buy(world, ada)
    buy(world, bob)  # received nothing
    assert revenue.total(first, ("variant",)) == {first.variants.get().pk: 10}
    assert revenue.total(second, ("variant",)) == {control.pk: 10}


def test_reacting_again_counts_once_and_other_events_are_not_asked_about(world, django_assert_num_queries):
    ada = ProfileFactory()
    launched(world)
    begin(world, ada)
    world.wait(HOUR)
    world.buys(ada, "shoes")
    pending = list(PendingEvent.objects.filter(kind="purchase"))
    revenue.react(pending, world.now)
    revenue.react(pending, world.now)
    assert len(amounts()) == 1
    with django_assert_num_queries(0):
        assert revenue.listener({PendingEvent.Kind.CUSTOM_EVENT: {"ordered"}}) == {}
        revenue.react([event for event in pending if event.kind == "event"], world.now)


def test_nothing_is_listened_for_before_the_first_launch(world):
    ProfileFactory()
    occurred = {PendingEvent.Kind.PURCHASE: {"shoes"}}
    campaign = CampaignFactory()
    assert revenue.listener(occurred) == {}
    world.launch(campaign)
    assert revenue.listener(occurred) == occurred


def test_the_money_stays_when_the_person_is_deleted(world):
    ada = ProfileFactory()
    campaign = launched(world)
    begin(world, ada)
    world.wait(HOUR)
    buy(world, ada)
    erasure.erase([ada.pk])
    assert [line.revenue for line in results.table(campaign)] == [10]


def test_pages_report_and_csv_show_it(world, client):
    client.force_login(AdminFactory())
    ada = ProfileFactory()
    campaign = launched(world)
    begin(world, ada)
    world.wait(HOUR)
    buy(world, ada, 1234.5)
    page = reverse("admin:campaigns_campaign_results", args=[campaign.pk])
    assert "<td data-revenue>1,234.50</td>" in client.get(page, {"first": "2026-05-01"}).text
    assert "<td data-revenue>0.00</td>" in client.get(page, {"first": "2026-05-01", "last": "2026-05-02"}).text
    everything = Outreach.objects.all()
    for breakdown, part in (("", ""), ("day", "2026-05-06"), ("variant", campaign.variants.get().name)):
        rows = reports.rows(everything, NOON.date(), NOON.date(), breakdown)
        assert {row.part: row.revenue for row in rows if row.revenue} == {part: Decimal("1234.5")}
    assert reports.as_csv(rows).splitlines()[1].endswith(",1234.50")
    report = reverse("admin:campaigns_campaign_report")
    assert "<td>1,234.50</td>" in client.get(report, {"first": "2026-05-01", "last": "2026-05-07"}).text


def test_a_canvas_is_credited_from_the_entry_and_the_step_whose_message_came_last(client):
    client.force_login(AdminFactory())
    ada = ProfileFactory()
    canvas = journeys.go_live(
        journeys.build([journeys.message("m1"), journeys.delay("wait"), journeys.message("m2")]), NOON
    )
    journeys.let_in(canvas, ada)
    journeys.run(NOON)
    journeys.buys(ada, "shoes", NOON + HOUR, 20)
    journeys.run(NOON + DAY)
    journeys.buys(ada, "hat", NOON + 3 * DAY, 5)
    journeys.buys(ada, "hat", NOON + 3 * DAY + timedelta(seconds=1), 5)  # too late
    (arm,) = canvas_results.arms(canvas)
    assert arm.revenue == 25
    m1, m2 = (journeys.step_named(canvas, name) for name in ("m1", "m2"))
    assert revenue.total(canvas, ("step",)) == {m1: 20, m2: 5}
    page = client.get(reverse("admin:canvas_canvas_results", args=[canvas.pk])).text
    assert "<td data-revenue>25.00</td>" in page
    lines = client.get(reverse("admin:canvas_canvas_results", args=[canvas.pk]), {"as": "csv"}).text.splitlines()
    assert lines[0].endswith(",revenue")
    assert any(line.endswith(",20.00") for line in lines)


def test_only_the_latest_journey_is_credited_and_not_for_the_purchase_that_began_it():
    ada = ProfileFactory()
    purchase = {"kind": "purchase", "name": ""}
    again = {"reentry": "after", "reentry_seconds": 0}
    canvas = journeys.build([journeys.delay("wait")], entry="action", triggers=[purchase], **again)
    journeys.go_live(canvas, NOON)
    for hours, price in ((1, 10), (2, 20), (3, 40)):
        journeys.buys(ada, "shoes", NOON + hours * HOUR, price)
    assert amounts() == [20, 40]
    causes = list(Revenue.objects.order_by("pk").values_list("cause", flat=True))
    assert causes == list(canvas.journeys.order_by("pk").values_list("pk", flat=True))[:2]
