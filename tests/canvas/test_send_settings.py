"""What every message of a Canvas obeys, and schedules that let profiles in: the same code as campaigns'."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from canvas import counts, launch, setup
from canvas.counts import StepMetric
from canvas.models import Canvas, Journey
from outreach import plan
from outreach.models import FrequencyRule, Occurrence
from tests.canvas.world import (
    DAY,
    HOUR,
    MINUTE,
    becomes,
    build,
    delay,
    go_live,
    has,
    journey,
    let_in,
    message,
    run,
    split,
    step_named,
    trace,
)
from tests.conftest import NOON
from tests.factories import AdminFactory, ProfileFactory
from webhooks.models import Message, MessageActivityLog, Outcome
from workspace.models import Tag, Workspace

pytestmark = pytest.mark.django_db(transaction=True)

SEOUL = ZoneInfo("Asia/Seoul")
NIGHT = {"quiet_mode": "own", "quiet_start": time(22), "quiet_end": time(8)}


@pytest.fixture(autouse=True)
def company():
    Workspace.objects.update_or_create(pk=1, defaults={"time_zone": "Asia/Seoul"})


def seoul(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 5, day, hour, minute, tzinfo=SEOUL).astimezone(UTC)


def live(steps, **values) -> Canvas:
    return go_live(build(steps, entry="api", **values), seoul(6, 12))


def only_message() -> Message:
    return Message.objects.get()


# --- quiet hours


def test_a_message_of_the_night_waits_for_the_morning_and_its_profile_with_it():
    canvas = live([message("hello"), message("later")], quiet_waits=True, **NIGHT)
    profile = ProfileFactory(time_zone="Asia/Seoul")
    let_in(canvas, profile, now=seoul(6, 23, 30))
    run(seoul(6, 23, 30))
    held = only_message()
    assert (held.outcome, held.attempts) == ("", 0)
    assert seoul(7, 8) <= held.due_at <= seoul(7, 8, 5)
    run(seoul(7, 3))
    assert trace(canvas, profile) == ["hello"]
    run(seoul(7, 8, 6))
    assert trace(canvas, profile) == ["hello", "later"]
    assert set(Message.objects.values_list("outcome", flat=True)) == {Outcome.RECEIVED}


def test_or_it_is_dropped_and_the_profile_goes_on(client):
    canvas = live([message("hello"), delay("wait"), message("later")], **NIGHT)
    profile = ProfileFactory(time_zone="Asia/Seoul")
    let_in(canvas, profile, now=seoul(6, 23, 30))
    run(seoul(6, 23, 30))
    dropped = only_message()
    assert (dropped.outcome, dropped.reason) == (Outcome.ABORTED, "quiet_hours")
    assert trace(canvas, profile) == ["hello", "wait"]
    assert journey(profile).ended_at is None
    client.force_login(AdminFactory())
    page = client.get(reverse("admin:canvas_canvas_step", args=[canvas.pk, step_named(canvas, "hello")]))
    assert page.context["unsent"] == [("in quiet hours", 1)]
    assert "<li>in quiet hours: 1</li>" in page.text


def test_a_step_may_send_in_the_night_all_the_same():
    canvas = live([message("code", ignores_quiet=True), message("news")], **NIGHT)
    profile = ProfileFactory(time_zone="Asia/Seoul")
    let_in(canvas, profile, now=seoul(6, 23, 30))
    run(seoul(6, 23, 30))
    outcomes = Message.objects.order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == [Outcome.RECEIVED, Outcome.ABORTED]


def test_only_messages_keep_quiet_steps_move_in_the_night():
    canvas = live([delay("wait", count=30, unit="minutes"), split("vip?", has("vip", "y"))], **NIGHT)
    profile = ProfileFactory(time_zone="Asia/Seoul")
    let_in(canvas, profile, now=seoul(6, 23))
    run(seoul(6, 23))
    run(seoul(6, 23, 30))
    assert trace(canvas, profile) == ["wait", "vip?"]


def test_who_no_longer_fits_in_the_morning_leaves_without_the_message():
    steps = [message("hello", audience=has("wants", "yes"))]
    canvas = live(steps, quiet_waits=True, **NIGHT)
    profile = ProfileFactory(time_zone="Asia/Seoul", custom_attributes={"wants": "yes"})
    let_in(canvas, profile, now=seoul(6, 23, 30))
    run(seoul(6, 23, 30))
    becomes(profile, seoul(7, 2), wants="no")
    run(seoul(7, 8, 6))
    assert only_message().outcome != Outcome.RECEIVED
    assert journey(profile).exit_reason == "delivery_validation_failed"


# --- caps


def received_before(profile, **tags) -> Canvas:
    """Another Canvas from which the profile has just had a message."""
    other = go_live(build([message("before")], name="other"))
    other.tags.set(tags.get("tags", ()))
    let_in(other, profile, source="run:0")
    run(NOON)
    return other


def test_who_is_capped_goes_on_at_once_without_the_message():
    FrequencyRule.objects.create(most=1, every=1, unit="weeks")
    profile = ProfileFactory()
    received_before(profile)
    canvas = go_live(build([message("hello"), delay("wait"), message("later")]))
    let_in(canvas, profile, now=NOON + MINUTE)
    run(NOON + MINUTE)
    row = Message.objects.get(sender=canvas.sender)
    assert row.outcome == Outcome.ABORTED
    assert row.reason.startswith("frequency_cap")
    assert trace(canvas, profile) == ["hello", "wait"]
    assert MessageActivityLog.objects.filter(kind="capped").count() == 1


def test_a_canvas_that_does_not_obey_caps_sends():
    FrequencyRule.objects.create(most=1, every=1, unit="weeks")
    profile = ProfileFactory()
    received_before(profile)
    canvas = go_live(build([message("hello")], obeys_caps=False))
    let_in(canvas, profile, now=NOON + MINUTE)
    run(NOON + MINUTE)
    assert Message.objects.get(sender=canvas.sender).outcome == Outcome.RECEIVED


def test_a_cap_by_tag_looks_at_the_tags_of_now():
    tag = Tag.objects.create(name="promo")
    FrequencyRule.objects.create(most=1, every=1, unit="weeks", tag=tag)
    profile = ProfileFactory()
    other = received_before(profile, tags=[tag])
    canvas = build([message("hello"), message("again")])
    canvas.tags.set([tag])
    go_live(canvas)
    let_in(canvas, profile, now=NOON + MINUTE)
    other.tags.clear()
    run(NOON + MINUTE)
    outcomes = dict(Message.objects.filter(sender=canvas.sender).values_list("pk", "outcome"))
    assert sorted(outcomes.values()) == [Outcome.ABORTED, Outcome.RECEIVED]  # the second is one too many of its own


# --- subscription


def test_who_is_not_subscribed_gets_nothing_and_goes_on():
    canvas = live([message("hello"), delay("wait")], subscribed="email")
    profile = ProfileFactory(email_subscribe="unsubscribed")
    let_in(canvas, profile)
    run(NOON)
    assert (only_message().outcome, only_message().reason) == (Outcome.ABORTED, "not_subscribed")
    assert trace(canvas, profile) == ["hello", "wait"]


def test_who_unsubscribes_between_two_messages_gets_the_first_alone_and_one_line_says_why():
    canvas = live([message("first"), delay("wait"), message("second"), delay("rest", count=30)], subscribed="email")
    profile = ProfileFactory(email_subscribe="subscribed")
    let_in(canvas, profile)
    run(NOON)
    becomes(profile, NOON + HOUR, email_subscribe="unsubscribed")
    for minutes in range(100):
        run(NOON + DAY + timedelta(minutes=minutes))
    outcomes = Message.objects.order_by("pk").values_list("outcome", "reason")
    assert [*outcomes] == [(Outcome.RECEIVED, ""), (Outcome.ABORTED, "not_subscribed")]
    assert MessageActivityLog.objects.filter(profile=profile).count() == 1
    assert trace(canvas, profile) == ["first", "wait", "second", "rest"]


# --- schedules


def planned(canvas: Canvas) -> list[datetime]:
    return list(Occurrence.objects.filter(outreach=canvas).order_by("planned_at").values_list("planned_at", flat=True))


def test_a_daily_canvas_lets_in_every_day_whoever_may_enter():
    first, second = ProfileFactory(), None
    canvas = build([delay("wait")], start_at=seoul(7, 9), recurrence="daily", run_count=3)
    launch.start(canvas, seoul(6, 12))
    assert planned(canvas) == [seoul(7, 9)]
    for hours in range(24 * 5):
        now = seoul(6, 12) + HOUR * hours
        if hours == 30:
            second = ProfileFactory()
        plan.plan_due(now + MINUTE)
    assert planned(canvas) == [seoul(7, 9), seoul(8, 9), seoul(9, 9)]
    entered = dict(Journey.objects.values_list("profile", "entered_at"))
    assert set(entered) == {first.pk, second.pk}
    assert seoul(8, 9) <= entered[second.pk] <= seoul(8, 10)


def test_a_time_that_the_clocks_skip_comes_once():
    Workspace.objects.update(time_zone="Europe/Paris")
    paris = ZoneInfo("Europe/Paris")
    start = datetime(2026, 3, 28, 2, 30, tzinfo=paris)
    ProfileFactory()
    canvas = build([delay("wait")], start_at=start, recurrence="daily", run_count=3)
    launch.start(canvas, start.astimezone(UTC) - DAY)
    for hours in range(24 * 5):
        plan.plan_due(start.astimezone(UTC) - DAY + HOUR * hours + MINUTE)
    shown = [at.astimezone(paris).strftime("%d %H:%M") for at in planned(canvas)]
    assert shown == ["28 02:30", "29 03:00", "30 02:30"]


def test_in_local_time_each_zone_enters_when_its_clocks_show_the_time():
    people = {
        zone: ProfileFactory(time_zone=zone)
        for zone in ("Pacific/Kiritimati", "Asia/Seoul", "Europe/Paris", "America/New_York", "Pacific/Honolulu", "")
    }
    canvas = build([delay("wait")], start_at=seoul(9, 9), is_local=True)
    launch.start(canvas, seoul(6, 12))
    for quarters in range(4 * 24 * 5):
        plan.plan_due(seoul(6, 12) + 15 * MINUTE * quarters)
    for zone, profile in people.items():
        entered = journey(profile).entered_at.astimezone(ZoneInfo(zone or "Asia/Seoul"))
        assert (entered.day, entered.hour, entered.minute) == (9, 9, 0), zone
    assert Journey.objects.count() == len(people)


def test_the_audience_of_a_local_run_is_asked_when_each_zone_gets_there():
    tree = has("wants", "yes")["filters"]
    west = ProfileFactory(time_zone="Pacific/Honolulu", custom_attributes={"wants": "yes"})
    east = ProfileFactory(time_zone="Asia/Seoul", custom_attributes={"wants": "yes"})
    canvas = build([delay("wait")], to_everyone=False, filters=tree, start_at=seoul(9, 9), is_local=True)
    launch.start(canvas, seoul(6, 12))
    for hours in range(24 * 5):
        now = seoul(6, 12) + HOUR * hours
        if now == seoul(9, 12):
            becomes(west, now, wants="no")
        plan.plan_due(now)
    assert list(Journey.objects.values_list("profile", flat=True)) == [east.pk]


def test_a_daily_local_canvas_goes_on_though_days_overlap():
    people = [ProfileFactory(time_zone=zone) for zone in ("Pacific/Kiritimati", "Pacific/Honolulu")]
    canvas = build(
        [delay("wait", count=1, unit="seconds")],
        start_at=seoul(9, 9), is_local=True, recurrence="daily", run_count=3, reentry="after", reentry_seconds=60,
    )  # fmt: skip
    launch.start(canvas, seoul(6, 12))
    for hours in range(24 * 8):
        now = seoul(6, 12) + HOUR * hours
        plan.plan_due(now)
        run(now + MINUTE)
    for profile in people:
        days = [
            at.astimezone(ZoneInfo(profile.time_zone)).strftime("%d %H")
            for at in Journey.objects.filter(profile=profile)
            .order_by("entered_at")
            .values_list("entered_at", flat=True)
        ]
        assert days == ["09 09", "10 09", "11 09"]


def test_a_limit_for_each_run_counts_the_zones_of_a_day_together():
    for zone in ("Asia/Seoul", "Europe/Paris"):
        ProfileFactory.create_batch(3, time_zone=zone)
    canvas = build([delay("wait")], start_at=seoul(9, 9), is_local=True, entry_limit=4, entry_cadence="run")
    launch.start(canvas, seoul(6, 12))
    for hours in range(24 * 5):
        plan.plan_due(seoul(6, 12) + HOUR * hours)
    assert Journey.objects.count() == 4
    assert counts.reasons(canvas.pk, StepMetric.REFUSED) == {(0, "capped"): 2}


# --- its page


def form_of(canvas: Canvas, **values: object) -> dict[str, object]:
    return {
        "name": canvas.name, "to_everyone": "on", "entry": "scheduled", "every": 1, "recurrence": "", "filters": "{}",
        "reentry": "never", "entry_cadence": "lifetime", "quiet_mode": "workspace", "subscribed": "", "triggers": "[]",
        **values,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"recurrence": "weekly"}, "weekdays"),
        ({"recurrence": "monthly"}, "days_of_month"),
        ({"recurrence": "monthly", "days_of_month": "1, 40"}, "days_of_month"),
        ({"quiet_mode": "own", "quiet_start": "22:00"}, "quiet_end"),
        ({"subscribed": "group"}, "subscription_group"),
    ],
)
def test_settings_that_make_no_sense_are_refused_on_their_field(admin_client, values, field):
    canvas = setup.create("journey")
    page = admin_client.post(reverse("admin:canvas_canvas_change", args=[canvas.pk]), form_of(canvas, **values))
    assert page.status_code == 200
    assert field in page.context["adminform"].form.errors


def test_settings_are_kept_and_copied(admin_client):
    canvas = setup.create("journey")
    values = {
        "recurrence": "monthly", "days_of_month": "1, last", "start_at_0": "2026-12-01", "start_at_1": "09:00",
        "quiet_mode": "own", "quiet_start": "22:00", "quiet_end": "08:00", "obeys_caps": "on",
    }  # fmt: skip
    page = admin_client.post(reverse("admin:canvas_canvas_change", args=[canvas.pk]), form_of(canvas, **values))
    assert page.status_code == 302, page.context["adminform"].form.errors
    canvas.refresh_from_db()
    assert canvas.month_days == [1, -1]
    assert canvas.start_at == datetime(2026, 12, 1, 9, tzinfo=SEOUL)
    twin = setup.duplicate(canvas)
    assert (twin.month_days, twin.quiet_start, twin.recurrence) == ([1, -1], time(22), "monthly")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"start_at": NOON - DAY}, "has passed"),
        ({"is_local": True}, "Choose a start"),
        ({"recurrence": "weekly", "weekdays": []}, "never run"),
    ],
)
def test_a_schedule_that_cannot_run_stands_in_the_way(values, words):
    canvas = build([delay("wait")], **values)
    ProfileFactory()
    assert any(words in finding.text for finding in launch.problems(canvas, NOON))


def test_a_local_start_within_a_day_is_warned_of():
    canvas = build([delay("wait")], start_at=NOON + timedelta(hours=20), is_local=True)
    assert any("within 24 hours" in finding.text for finding in launch.warnings(canvas, NOON))
