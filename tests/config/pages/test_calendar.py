from datetime import UTC, datetime, time

import pytest
import time_machine

from campaigns.models import Recurrence
from canvas import setup
from outreach.models import Status
from tests.factories import CampaignFactory, TeamFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


def at(day: int, hour: int = 10) -> datetime:
    return datetime.combine(datetime(2026, 11, day), time(hour), UTC)


def test_a_month_shows_what_starts_on_which_day(admin):
    CampaignFactory(name="Once", status=Status.ACTIVE, start_at=at(10))
    weekly = {"recurrence": Recurrence.WEEKLY, "weekdays": [4]}
    CampaignFactory(name="Fridays", status=Status.ACTIVE, start_at=at(6), **weekly)
    CampaignFactory(name="Draft", start_at=at(11))
    canvas = setup.create("Welcome", None)
    type(canvas).objects.filter(pk=canvas.pk).update(start_at=at(12), status=Status.ACTIVE)
    again = setup.create("Daily", None)
    daily = {"recurrence": Recurrence.DAILY, "every": 5, "run_count": 3}
    type(again).objects.filter(pk=again.pk).update(start_at=at(10), status=Status.ACTIVE, **daily)
    answer = admin.get("/admin/calendar/")
    found = {(day.day, start.name, start.is_certain) for day, starts in answer.context["agenda"] for start in starts}
    assert {(10, "Once", True), (11, "Draft", False), (12, "Welcome", True)} <= found
    assert {day for day, name, _certain in found if name == "Fridays"} >= {6, 13, 20, 27}
    assert {day for day, name, _certain in found if name == "Daily"} == {10, 15, 20}
    assert "hl-uncertain" in answer.text


def test_only_what_is_certain_comes_up_on_the_home_page(admin):
    CampaignFactory(name="Once", status=Status.ACTIVE, start_at=at(10))
    CampaignFactory(name="Draft", start_at=at(11))
    assert [start.name for start in admin.get("/admin/").context["upcoming"]] == ["Once"]


def test_months_are_walked_through_and_nonsense_is_this_month(admin):
    CampaignFactory(name="Later", status=Status.ACTIVE, start_at=datetime(2026, 12, 24, 8, tzinfo=UTC))
    assert "Later" in admin.get("/admin/calendar/?month=2026-12").text
    answer = admin.get("/admin/calendar/?month=nonsense")
    assert answer.context["month"].month == 11
    assert "Nothing is scheduled from now on in this month." in answer.text


def test_other_teams_plans_stay_theirs(client, editor):
    CampaignFactory(name="Hats", status=Status.ACTIVE, start_at=at(10)).teams.add(TeamFactory())
    client.force_login(editor)
    assert "Hats" not in client.get("/admin/calendar/").text
