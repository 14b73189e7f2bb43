from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import escape

from audience.models import Import
from canvas.models import Journey
from config.demo.receiver import Reply
from outreach import counters
from outreach.models import Approval, DailyCount, HourlyCount, Metric, Status
from tests.canvas.world import build, delay, go_live, let_in, message
from tests.factories import CampaignFactory, ContentFactory, MessageFactory, ProfileFactory, TeamFactory
from webhooks.models import Lane, LogKind, MessageActivityLog
from workspace.models import Notified

pytestmark = pytest.mark.django_db


def count(campaign, metric: str, number: int) -> None:
    DailyCount.objects.create(outreach=campaign, day=counters.today(timezone.now()), metric=metric, count=number)


def running(name: str = "Spring <b>", planned: int = 200, received: int = 50):
    campaign = CampaignFactory(name=name, status=Status.ACTIVE, launched_at=timezone.now())
    Lane.objects.create(sender=campaign.sender, host="example.com")
    count(campaign, Metric.PLANNED, planned)
    count(campaign, Metric.RECEIVED, received)
    return campaign


def test_an_empty_installation_says_what_to_do_first(admin):
    answer = admin.get("/admin/")
    assert "Your first campaign" in answer.text
    assert 'aria-current="step"' in answer.text
    assert [step.is_done for step in answer.context["steps"]] == [False] * 5
    ProfileFactory()
    campaign = CampaignFactory()
    steps = admin.get("/admin/").context["steps"]
    assert [step.is_done for step in steps] == [True, True, True, False, False]
    assert steps[-1].url == f"/admin/campaigns/campaign/{campaign.pk}/launch/"


def test_the_steps_are_gone_after_the_first_launch(admin):
    CampaignFactory(launched_at=timezone.now())
    assert admin.get("/admin/").context["steps"] == []


def test_what_is_sending_is_shown_with_how_far_it_is(admin):
    running()
    answer = admin.get("/admin/")
    assert "Spring &lt;b&gt;" in answer.text
    assert "50 of 200 messages" in answer.text
    assert "<strong>25 %</strong>" in answer.text
    assert answer.context["today"]["received"] == 50


def test_large_numbers_are_grouped(admin):
    running(planned=1_200_000, received=54_321)
    page = admin.get("/admin/").text
    assert "54,321 of 1,200,000 messages" in page
    assert '<dd class="hl-figure" data-today="received">54,321</dd>' in page


def test_the_last_24_hours_have_bars_that_lead_to_the_log(admin):
    campaign, now = running(), timezone.now().replace(minute=0, second=0, microsecond=0)
    hours = ((0, "received", 1_200), (0, "errors", 3), (5, "errors", 7), (24, "received", 99))
    for ago, metric, number in hours:
        HourlyCount.objects.create(outreach=campaign, hour=now - timedelta(hours=ago), metric=metric, count=number)
    answer = admin.get("/admin/")
    bars = answer.context["hours"]["bars"]
    assert [(bar["hour"].received, bar["hour"].errors) for bar in bars[-6:]] == [(0, 7), *[(0, 0)] * 4, (1_200, 3)]
    assert sum(bar["hour"].received for bar in bars) == 1_200  # a day ago is another hour
    assert [column["height"] for column in bars[-1]["columns"]] == [120, 1]  # few are seen beside many
    assert "received 1,200, errors 3." in answer.text
    at = now - timedelta(hours=5)
    row = {"kind": LogKind.WEBHOOK_ERROR, "text": "503 Service Unavailable"}
    inside = MessageActivityLog.objects.create(at=at + timedelta(minutes=59), **row)
    MessageActivityLog.objects.create(at=at + timedelta(minutes=60), **row)
    log = admin.get(bars[-6]["hour"].log)
    assert list(log.context["cl"].result_list) == [inside]


@pytest.mark.django_db(transaction=True)
def test_what_is_delivered_is_counted_by_the_hour_and_forgotten_after_days(sink, pump):
    replies = iter([Reply(503), Reply(200)])
    sink.script = lambda request, nth: next(replies)
    campaign = CampaignFactory(status=Status.ACTIVE, sender__is_open=True)
    MessageFactory.create_batch(2, sender=campaign.sender, content=ContentFactory(url=sink.url))
    pump.run()
    counted = HourlyCount.objects.values_list("outreach", "metric", "count")
    assert set(counted) == {(campaign.pk, "received", 1), (campaign.pk, "errors", 1)}
    counters.prune_hours(timezone.now() + timedelta(days=2))
    assert counted.all().count() == 2
    counters.prune_hours(timezone.now() + timedelta(days=3, hours=1))
    assert counted.all().count() == 0


def test_a_finished_send_is_not_sending(admin):
    running(planned=50, received=50)
    assert admin.get("/admin/").context["sending"] == []


def test_the_moving_part_is_a_fragment_that_asks_for_itself_again(admin):
    running()
    answer = admin.get("/admin/sending/")
    assert 'hx-trigger="every 3s"' in answer.text
    assert "<html" not in answer.text


def test_what_wants_attention_is_said_with_a_way_there(admin):
    campaign = running("Spring")
    count(campaign, Metric.FAILED, 3)
    CampaignFactory(name="Autumn", status=Status.PAUSED)
    denied = CampaignFactory(name="Winter")
    Approval.objects.create(outreach=denied, section="audience", state="denied", comment="Too many.")
    Import.objects.create(name="people.csv", status="failed")
    texts = [concern.text for concern in admin.get("/admin/").context["concerns"]]
    assert texts[0] == "“Spring”: 3 messages failed for good today. See why, then send them again."
    assert "“Autumn” is paused: what waits goes out when you resume it." in texts
    assert "“Winter”: target audience was not approved. Too many." in texts
    assert "Import “people.csv”: failed." in texts


def test_an_alert_that_was_not_sent_is_shown(admin):
    Notified.objects.create(about="webhook_errors", error="ConnectionRefusedError: 111")
    assert "An email could not be sent: ConnectionRefusedError: 111." in admin.get("/admin/").text


def test_journeys_that_are_late_are_named(admin):
    canvas = go_live(build([delay("wait"), message("hello")], name="Welcome", entry="api"))
    let_in(canvas, ProfileFactory())
    Journey.objects.update(wake_at=timezone.now() - timedelta(hours=2))
    assert "“Welcome”: 1 journeys are more than an hour late." in admin.get("/admin/").text


def test_messages_that_are_late_ask_for_the_workers(admin):
    due = timezone.now() - timedelta(minutes=6)
    MessageFactory(due_at=due)
    assert "Are the workers running?" in admin.get("/admin/").text


def test_hosts_that_fail_are_listed_with_their_errors(admin):
    for _ in range(3):
        MessageActivityLog.objects.create(kind=LogKind.WEBHOOK_ERROR, host="down.example.com", text="503")
    assert admin.get("/admin/").context["hosts"] == [
        {
            "host": "down.example.com",
            "errors": 3,
            "is_halted": False,
            "url": "/admin/webhooks/messageactivitylog/?q=down.example.com",
        }
    ]


def test_other_teams_campaigns_stay_out_of_the_home_page(client, editor):
    campaign = running("Hats")
    campaign.teams.add(TeamFactory())
    count(campaign, Metric.FAILED, 3)
    client.force_login(editor)
    answer = client.get("/admin/")
    assert "Hats" not in answer.text
    assert answer.context["today"]["received"] == 0
    assert answer.context["concerns"] == []


def test_it_takes_few_queries_however_much_is_sending(admin, django_assert_max_num_queries):
    for number in range(6):
        running(f"Campaign {number}")
    with django_assert_max_num_queries(24):
        admin.get("/admin/")


@pytest.mark.parametrize("name", ["מבצע אביב 🌷", "x" * 255, '"><script>alert(1)</script>'])
def test_any_name_is_shown_as_it_is(admin, name):
    running(name)
    assert escape(name) in admin.get("/admin/").text
