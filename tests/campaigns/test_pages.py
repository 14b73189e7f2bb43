"""The tabs of a campaign, review, results, why, and the report builder."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse
from django.utils import timezone

from campaigns import launch
from campaigns.models import Campaign
from config import roles
from outreach import plan
from outreach.models import DailyCount, FrequencyRule, Optimisation, Status
from tests.campaigns.world import event
from tests.factories import (
    AdminFactory,
    CampaignFactory,
    ProfileFactory,
    SegmentFactory,
    TagFactory,
    TeamFactory,
    TemplateFactory,
    content_of,
)
from webhooks.models import LogKind, Message, MessageActivityLog, Receipt
from workspace.models import Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory(username="mina"))
    return client


def url(name: str, *args: object, tab: str = "") -> str:
    return reverse(f"admin:campaigns_campaign_{name}", args=args) + (f"?tab={tab}" if tab else "")


def delivery(campaign: Campaign, **changes: object) -> dict[str, object]:
    data = {
        "delivery": campaign.delivery,
        "every": 1,
        "quiet_mode": "workspace",
        "obeys_caps": "on",
        "delay_mode": "none",
        "edited_version": campaign.version,
    }
    return data | changes


def save(admin, campaign: Campaign, tab: str, data: dict[str, object]):
    answer = admin.post(url("change", campaign.pk, tab=tab), data)
    campaign.refresh_from_db()
    return answer


def faults(answer) -> str:
    return " ".join(str(error) for errors in answer.context["errors"] for error in errors)


# --- Delivery


def test_a_recurring_schedule_in_the_companys_time(admin):
    Workspace.objects.update_or_create(pk=1, defaults={"time_zone": "Asia/Seoul"})
    campaign = CampaignFactory(zone="Asia/Seoul")
    data = delivery(
        campaign, start_at_0="2030-05-06", start_at_1="09:00", recurrence="weekly", weekdays=["0", "2"], every=2
    )
    answer = save(admin, campaign, "delivery", data)
    assert answer.status_code == 302, faults(answer)
    assert campaign.start_at == datetime(2030, 5, 6, tzinfo=UTC)
    assert (campaign.weekdays, campaign.every, campaign.recurrence) == ([0, 2], 2, "weekly")
    assert "09:00" in admin.get(url("change", campaign.pk, tab="delivery")).text


def test_an_action_based_campaign_with_conditions_delay_and_exception(admin):
    campaign = CampaignFactory(delivery="action")
    data = delivery(
        campaign,
        **{
            "triggers-0-kind": "event",
            "triggers-0-name": "left_cart",
            "triggers-0-conditions-0-name": "total",
            "triggers-0-conditions-0-test": "number:more",
            "triggers-0-conditions-0-value": "50",
            "exceptions-0-kind": "purchase",
            "delay_mode": "after",
            "delay_count": 2,
            "delay_unit": "hours",
            "is_reeligible": "on",
            "reeligible_count": 1,
            "reeligible_unit": "weeks",
        },
    )
    answer = save(admin, campaign, "delivery", data)
    assert answer.status_code == 302, faults(answer)
    (trigger,) = campaign.triggers
    assert trigger["conditions"] == [{"name": "total", "type": "number", "op": "more", "value": 50}]
    assert campaign.exceptions == [{"kind": "purchase"}]
    assert campaign.delay == {"mode": "after", "count": 2, "unit": "hours"}
    assert campaign.reeligible_seconds == 604_800
    shown = admin.get(url("change", campaign.pk, tab="delivery")).text
    assert "left_cart" in shown


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"start_at_0": "2020-01-01", "start_at_1": "09:00"}, "start_at", "has passed"),
        (
            {"start_at_0": "2030-01-02", "start_at_1": "9:00", "end_at_0": "2030-01-01", "end_at_1": "9:00"},
            "end_at",
            "ends before it starts",
        ),
        ({"recurrence": "weekly"}, "weekdays", "never run: choose the weekdays"),
        ({"recurrence": "monthly", "days_of_month": ""}, "days_of_month", "never run"),
        ({"recurrence": "monthly", "days_of_month": "32"}, "days_of_month", "not a day of the month"),
        (
            {"recurrence": "daily", "start_at_0": "2030-01-02", "start_at_1": "9:00", "end_on": "2030-01-01"},
            "end_on",
            "never run",
        ),
        (
            {"start_at_0": "2030-03-31", "start_at_1": "02:30"},
            "start_at",
            "02:30 does not exist on 2030-03-31 in Europe/Paris: the clocks go forward. Choose 03:00",
        ),
        ({"quiet_mode": "own", "quiet_start": "22:00"}, "quiet_end", "begin and end"),
        ({"quiet_mode": "own", "quiet_start": "22:00", "quiet_end": "22:00"}, "quiet_end", "same time"),
        ({"portion_start": "09:00"}, "portion_end", "needs a start and an end"),
        ({"delay_mode": "after"}, "delay_count", "how long it waits"),
        ({"delay_mode": "days", "delay_count": "1"}, "delay_at", "time of day"),
        ({"delay_mode": "after", "delay_count": "53", "delay_unit": "weeks"}, "delay_count", "365 days"),
        ({"is_reeligible": "on", "reeligible_count": "721", "reeligible_unit": "days"}, "reeligible_count", "720"),
    ],
)
def test_a_mistake_is_shown_on_its_field(admin, changes, field, words):
    campaign = CampaignFactory(zone="Europe/Paris")
    answer = save(admin, campaign, "delivery", delivery(campaign, **changes))
    assert answer.status_code == 200
    assert words in " ".join(answer.context["adminform"].form.errors[field])


def test_the_delivery_type_stays_after_the_launch(admin):
    ProfileFactory()
    campaign = CampaignFactory()
    launch.start(campaign, timezone.now())
    campaign.refresh_from_db()
    save(admin, campaign, "delivery", delivery(campaign, delivery="api"))
    assert campaign.delivery == "scheduled"


def test_two_people_editing_the_second_is_told_what_changed(admin):
    campaign = CampaignFactory()
    stale = delivery(campaign, obeys_caps="")
    save(
        admin, campaign, "delivery", delivery(campaign, is_reeligible="on", reeligible_count=1, reeligible_unit="days")
    )
    answer = save(admin, campaign, "delivery", stale)
    said = faults(answer)
    assert "mina saved this campaign" in said
    assert "86400" in said
    assert campaign.obeys_caps


def test_saving_does_not_write_over_what_a_send_counts_meanwhile(admin):
    campaign = CampaignFactory()
    Campaign.objects.filter(pk=campaign.pk).update(dispatched_count=7)
    save(admin, campaign, "delivery", delivery(campaign))
    assert campaign.dispatched_count == 7


# --- Audience, conversions, variants


def test_the_audience_with_filters_and_a_winner(admin):
    campaign = CampaignFactory(to_everyone=False)
    data = {
        "segments": [SegmentFactory().pk],
        "filters": '{"filter": "country", "op": "any_of", "values": ["KR"]}',
        "subscribed": "email",
        "most_recipients": 100,
        "recipients_per": "run",
        "optimisation": "winner",
        "held_share": 40,
        "winner_at_0": "2030-01-01",
        "winner_at_1": "10:00",
        "edited_version": campaign.version,
    }
    answer = save(admin, campaign, "audience", data)
    assert answer.status_code == 302, faults(answer)
    assert campaign.filters["filter"] == "country"
    assert (campaign.subscribed, campaign.most_recipients, campaign.held_share) == ("email", 100, 40)


def conversions(campaign: Campaign, *rows: dict[str, object]) -> dict[str, object]:
    data: dict[str, object] = {
        "edited_version": campaign.version,
        "conversion_events-TOTAL_FORMS": len(rows),
        "conversion_events-INITIAL_FORMS": 0,
    }
    for number, row in enumerate(rows):
        data |= {f"conversion_events-{number}-{key}": value for key, value in row.items()}
    return data


def test_conversion_events_with_their_windows(admin):
    campaign = CampaignFactory()
    first = {"what-0-kind": "event", "what-0-name": "paid", "count": 3, "unit": "days"}
    second = {"what-0-kind": "purchase", "count": 1, "unit": "weeks"}
    answer = save(admin, campaign, "conversions", conversions(campaign, first, {"count": 3, "unit": "days"}, second))
    assert answer.status_code == 302, faults(answer)
    found = [(e.position, e.trigger["kind"], e.window_seconds) for e in campaign.conversion_events.all()]
    assert found == [(0, "event", 259_200), (1, "purchase", 604_800)]


def test_a_window_of_more_than_thirty_days_is_refused(admin):
    campaign = CampaignFactory()
    row = {"what-0-kind": "purchase", "count": 31, "unit": "days"}
    answer = save(admin, campaign, "conversions", conversions(campaign, row))
    assert "from one minute to 30 days" in answer.text
    assert not campaign.conversion_events.exists()


def test_conversion_events_stay_after_the_launch(admin):
    ProfileFactory()
    campaign = CampaignFactory()
    campaign.conversion_events.create(trigger=event("paid"))
    launch.start(campaign, timezone.now())
    campaign.refresh_from_db()
    save(admin, campaign, "conversions", conversions(campaign))
    assert campaign.conversion_events.count() == 1
    assert "can't be changed after the launch" in admin.get(url("change", campaign.pk, tab="conversions")).text


def test_a_variant_from_the_gallery_from_a_saved_template_and_a_second_webhook(admin):
    campaign = CampaignFactory()
    template = TemplateFactory(content__url="https://example.com/saved")
    admin.post(url("add_variant", campaign.pk), {"name": "B", "source": "gallery:slack"})
    admin.post(url("add_variant", campaign.pk), {"name": "C", "source": f"template:{template.pk}"})
    urls = {v.name: v.contents.get().url for v in campaign.variants.all()}
    assert urls["B"].startswith("https://hooks.slack.com/")
    assert urls["C"] == "https://example.com/saved"
    first = campaign.variants.get(name="Variant 1")
    answer = admin.post(url("add_webhook", campaign.pk), {"variant": first.pk, "source": "gallery:zapier"})
    assert "/webhooks/content/" in answer["Location"]
    assert first.contents.count() == 2
    extra = first.contents.last()
    admin.post(url("remove_webhook", campaign.pk, extra.pk))
    assert first.contents.count() == 1
    answer = admin.post(url("remove_webhook", campaign.pk, first.contents.get().pk), follow=True)
    assert "Keep at least one webhook" in answer.text


def test_a_removed_variant_gives_its_share_to_the_others(admin):
    campaign = CampaignFactory()
    for name in ("B", "C"):
        admin.post(url("add_variant", campaign.pk), {"name": name, "source": ""})
    admin.post(url("remove_variant", campaign.pk, campaign.variants.get(name="B").pk))
    shares = {v.name: v.share for v in campaign.variants.filter(is_removed=False)}
    assert sum(shares.values()) == 100
    assert "B" not in shares


# --- Review


def test_the_review_says_who_when_how_often_and_what_is_wrong(admin):
    ProfileFactory.create_batch(4)
    campaign = CampaignFactory(
        zone="Europe/Paris",
        start_at=datetime(2030, 5, 6, 7, tzinfo=UTC),
        recurrence="daily",
        end_on=date(2030, 5, 7),
        is_reeligible=True,
        reeligible_seconds=604_800,
    )
    campaign.variants.update(share=97)
    page = admin.get(url("launch", campaign.pk)).text
    assert 'data-audience="4"' in page
    assert "Every day at 09:00, Europe/Paris" in page
    assert "Monday, 6 May 2030 at 09:00 Europe/Paris (05-06 07:00 UTC)" in page
    assert "Tuesday, 7 May 2030" in page
    assert "8 May 2030" not in page
    assert "Each person at most once in 1 week" in page
    assert "Shares add up to 97 %" in page
    assert "There is no conversion event" in page


def test_the_review_counts_whom_the_settings_leave_out(admin):
    opted, *others = ProfileFactory.create_batch(5)
    opted.email_subscribe = "opted_in"
    opted.save()
    campaign = CampaignFactory(subscribed="email_opted_in")
    Receipt.objects.create(
        sender=campaign.sender, profile=others[0], cause=1, reserved_at=timezone.now(), received_at=timezone.now()
    )
    page = admin.get(url("launch", campaign.pk)).text
    assert "received it already" in page
    assert "not subscribed" in page
    assert 'data-left-out="3"' in page
    assert 'data-reached="1"' in page


def test_the_review_of_a_local_send_names_the_zones_that_are_past(admin):
    now = timezone.now()
    for zone, count in (("Pacific/Kiritimati", 2), ("Pacific/Pago_Pago", 3)):
        ProfileFactory.create_batch(count, time_zone=zone)
    campaign = CampaignFactory(zone="UTC", is_local=True, start_at=now + timedelta(hours=2))
    page = admin.get(url("launch", campaign.pk)).text
    assert "Pacific/Kiritimati (2)" in page
    assert "Pacific/Pago_Pago" not in page
    assert "Local time in less than 24 hours" in page


def test_the_profile_page_leads_to_why(admin):
    campaign = sent(1)
    profile = Message.objects.get().profile
    page = admin.get(reverse("admin:audience_profile_change", args=[profile.pk])).text
    assert f"/admin/campaigns/campaign/{campaign.pk}/why/?profile={profile.external_id}" in page
    assert "waits" in page


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"end_at": timezone.now() - timedelta(days=1)}, "The end has passed"),
        ({"start_at": timezone.now() - timedelta(hours=3)}, "has passed. Choose a later time"),
        ({"recurrence": "weekly"}, "never run: choose the weekdays"),
        ({"delivery": "action"}, "Choose at least one trigger"),
        ({"delivery": "action", "triggers": [{"kind": "event"}]}, "Name the custom event"),
        (
            {
                "delivery": "action",
                "triggers": [event("a")],
                "delay": {"mode": "after", "count": 3, "unit": "days"},
                "end_at": timezone.now() + timedelta(days=2, hours=1),
            },
            "Waits 3 days, but the campaign ends after 2 days. Nobody would receive it.",
        ),
        ({"delivery": "action", "triggers": [event("a")], "exceptions": [event("b")]}, "Set a delay, or remove them"),
        (
            {
                "delivery": "action",
                "triggers": [{"kind": "session"}],
                "exceptions": [{"kind": "session"}],
                "delay": {"mode": "after", "count": 1, "unit": "days"},
            },
            "can&#x27;t be both",
        ),
        (
            {
                "portion_start": time(9),
                "portion_end": time(12),
                "quiet_mode": "own",
                "quiet_start": time(8),
                "quiet_end": time(13),
            },
            "lies within the quiet hours",
        ),
        ({"optimisation": Optimisation.WINNER}, "needs at least two variants"),
        ({"optimisation": Optimisation.WINNER, "is_reeligible": True}, "can&#x27;t be combined with re-eligibility"),
        ({"optimisation": Optimisation.SELECTION}, "needs a conversion event"),
        ({"to_everyone": False}, "Choose an audience"),
        ({"subscribed": "group"}, "Choose the subscription group"),
        ({"is_local": True}, "Local time needs a day and a time"),
    ],
)
def test_problems_block_the_launch(admin, settings, words):
    ProfileFactory()
    campaign = CampaignFactory(**settings)
    assert words in admin.get(url("launch", campaign.pk)).text
    admin.post(url("launch", campaign.pk))
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"obeys_caps": False}, "Frequency caps are off for this campaign"),
        ({"recurrence": "daily", "is_reeligible": True}, "each run goes to the whole audience"),
        ({"recurrence": "daily", "is_reeligible": True, "reeligible_seconds": 86_400}, "Choose an hour less"),
        ({"delivery": "action", "triggers": [event("paid")]}, "is the trigger itself"),
        ({}, "since it was last changed"),
    ],
)
def test_warnings_do_not_block(admin, settings, words):
    ProfileFactory()
    campaign = CampaignFactory(**settings)
    campaign.conversion_events.create(trigger=event("paid"))
    assert words in admin.get(url("launch", campaign.pk)).text
    admin.post(url("launch", campaign.pk))
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE


def test_a_local_send_is_warned_of_an_audience_that_looks_back_two_days_or_less(admin):
    ProfileFactory()
    campaign = CampaignFactory(is_local=True, start_at=timezone.now() + timedelta(days=3), to_everyone=False)
    words = "less than 48 hours"
    for filters, is_warned in (
        ({"filter": "purchase_recent", "op": "more", "value": 1, "within": 1}, True),
        ({"filter": "purchase_recent", "op": "more", "value": 1, "within": 47, "unit": "hours"}, True),
        ({"filter": "purchase_recent", "op": "more", "value": 1, "within": 3}, False),
        ({"filter": "last_active", "op": "less_than_days_ago", "days": 1}, True),
    ):
        campaign.filters = filters
        campaign.save()
        assert (words in admin.get(url("launch", campaign.pk)).text) is is_warned


def test_a_webhook_that_was_tried_after_its_last_change_needs_no_test(admin):
    ProfileFactory()
    campaign = CampaignFactory()
    content = content_of(campaign)
    row = MessageActivityLog.objects.create(kind=LogKind.TEST_SEND, content_id=content.pk)
    assert "No test was sent" not in admin.get(url("launch", campaign.pk)).text
    MessageActivityLog.objects.filter(pk=row.pk).update(at=content.updated_at - timedelta(seconds=1))
    assert "No test was sent" in admin.get(url("launch", campaign.pk)).text


def test_an_audience_that_is_too_complex_names_its_largest_segment(admin):
    ProfileFactory()
    few, many = ({"any": [{"filter": "country", "op": "any_of", "values": ["KR"]}] * n} for n in (100, 401))
    campaign = CampaignFactory(to_everyone=False)
    campaign.segments.add(SegmentFactory(name="Small", filters=few), SegmentFactory(name="VIP list", filters=many))
    page = admin.get(url("launch", campaign.pk)).text
    assert "The audience has 504 filters" in page
    assert "The largest segment is “VIP list” with 401." in page


def test_a_filter_that_cannot_be_read_is_no_fault_of_the_review(admin):
    ProfileFactory()
    gone = {"filter": "segment", "op": "in", "segments": [987_654, "x"]}
    broken = {"filter": "last_active", "op": "less_than_days_ago", "days": "soon"}
    campaign = CampaignFactory(is_local=True, to_everyone=False, filters={"any": [gone, broken] * 251})
    assert "The audience has 502 filters" in admin.get(url("launch", campaign.pk)).text


def test_a_rate_that_takes_more_than_three_days_blocks(admin):
    ProfileFactory.create_batch(3)
    campaign = CampaignFactory()
    campaign.sender.rate_per_minute = 10
    campaign.sender.save()
    assert launch.rate_problems(campaign, 10 * 60 * 72) == []
    assert "longer than 72 hours" in launch.rate_problems(campaign, 10 * 60 * 72 + 10)[0]


def test_a_large_launch_asks_to_type_the_number(admin):
    Workspace.objects.update_or_create(pk=1, defaults={"confirm_above": 10})
    ProfileFactory.create_batch(12)
    campaign = CampaignFactory()
    for typed in ("", "5", "twelve"):
        answer = admin.post(url("launch", campaign.pk), {"number": typed}, follow=True)
        assert "Type the number of profiles, 12" in answer.text
    admin.post(url("launch", campaign.pk), {"number": "12"})
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE


def test_approvals_stand_in_the_way_until_given(admin):
    Workspace.objects.update_or_create(pk=1, defaults={"approves_campaigns": True})
    ProfileFactory()
    campaign = CampaignFactory()
    assert "has not been approved" in admin.get(url("launch", campaign.pk)).text
    answer = admin.post(url("approve", campaign.pk), {"section": "messages", "state": "denied"}, follow=True)
    assert "Say why it is denied." in answer.text
    for section in ("messages", "delivery", "audience", "conversions"):
        admin.post(url("approve", campaign.pk), {"section": section, "state": "approved"})
    admin.post(url("launch", campaign.pk))
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE


def test_duplicating_says_which_dates_were_cleared(admin):
    campaign = CampaignFactory(name="Spring", start_at=timezone.now() - timedelta(days=1))
    answer = admin.post(url("duplicate", campaign.pk), follow=True)
    assert "“Copy of Spring” is a draft." in answer.text
    assert "Dates that have passed were cleared." in answer.text


def test_changes_are_listed_with_before_and_after(admin):
    campaign = CampaignFactory(name="Spring <b>")
    save(
        admin, campaign, "delivery", delivery(campaign, is_reeligible="on", reeligible_count=1, reeligible_unit="days")
    )
    page = admin.get(url("changes", campaign.pk)).text
    assert "mina" in page
    assert "86400" in page
    assert "Spring <b>" not in page


# --- Results, why, report


def sent(people: int = 3) -> Campaign:
    ProfileFactory.create_batch(people)
    campaign = CampaignFactory()
    launch.start(campaign, timezone.now())
    plan.plan_due(timezone.now())
    return campaign


def test_results_of_a_new_campaign_say_what_to_do(admin):
    page = admin.get(url("results", CampaignFactory().pk)).text
    assert "Nothing happened in this period" in page
    assert "Nobody was left out." in page


def test_results_show_reasons_and_link_failures_to_the_log(admin):
    campaign = sent()
    day = timezone.now().date()
    variant = campaign.variants.get()
    for metric, reason, count in (("received", "", 5), ("failed", "http_404", 2), ("turned_away", "suppressed", 4)):
        DailyCount.objects.create(
            outreach=campaign, day=day, metric=metric, reason=reason, count=count, variant=variant.pk
        )
    page = admin.get(url("results", campaign.pk)).text
    assert "on a suppression list" in page
    assert f"sender__id__exact={campaign.sender_id}" in page
    assert "<svg" in page


def test_why_answers_for_whoever_was_sent_to_and_for_whoever_was_not(admin):
    campaign = sent()
    receiver, waiting, _third = Message.objects.values_list("profile__external_id", flat=True)
    message = Message.objects.get(profile__external_id=receiver)
    message.finished_at, message.outcome = timezone.now(), "received"
    message.save()
    Receipt.objects.create(
        sender=campaign.sender,
        profile_id=message.profile_id,
        cause=message.cause,
        reserved_at=timezone.now(),
        received_at=timezone.now(),
    )
    newcomer = ProfileFactory(external_id="new")
    assert "They received it." in admin.get(url("why", campaign.pk), {"profile": receiver}).text
    assert "A message waits for them" in admin.get(url("why", campaign.pk), {"profile": waiting}).text
    page = admin.get(url("why", campaign.pk), {"profile": newcomer.external_id}).text
    assert "Nothing would hold it back now." in page
    assert "Nobody is called" in admin.get(url("why", campaign.pk), {"profile": "nobody"}).text


def test_why_names_the_check_that_fails_for_a_campaign_never_sent(admin):
    ProfileFactory(external_id="a", email_subscribe="unsubscribed")
    rule = FrequencyRule.objects.create(most=1, every=1, unit="days")
    campaign = CampaignFactory(subscribed="email", to_everyone=False)
    campaign.segments.add(SegmentFactory(filters={"filter": "country", "op": "any_of", "values": ["KR"]}))
    page = admin.get(url("why", campaign.pk), {"profile": "a"}).text
    assert page.count('data-check="no"') == 3  # a draft, not in the audience, not subscribed
    assert "would not: the campaign is active" in page
    assert f"at most {rule.most} in" in page


def counted(name: str, received: int, converted: int, tag=None, team=None, day=None) -> Campaign:
    campaign = CampaignFactory(name=name)
    if tag:
        campaign.tags.add(tag)
    if team:
        campaign.teams.add(team)
    rows = {"planned": received + 1, "received": received, "converted": converted}
    for metric, count in rows.items():
        DailyCount.objects.create(outreach=campaign, day=day or timezone.now().date(), metric=metric, count=count)
    return campaign


def test_the_report_compares_by_tag_team_and_period(admin):
    spring, summer = TagFactory(name="season/spring"), TagFactory(name="season/summer")
    parent = TagFactory(name="season")
    team = TeamFactory()
    old = timezone.now().date() - timedelta(days=60)
    counted("One", 100, 10, spring, team)
    counted("Two", 50, 1, summer)
    counted("Three", 7, 0, None, None, old)
    report = reverse("admin:campaigns_campaign_report")
    assert all(name in admin.get(report).text for name in ("One", "Two", "Three"))
    page = admin.get(report, {"tags": [parent.pk]}).text
    assert "10.0 %" in page
    assert "/results/" in page
    table = admin.get(report, {"tags": [parent.pk]}).context["rows"]
    assert [row.name for row in table] == ["One", "Two"]
    assert [row.name for row in admin.get(report, {"teams": [team.pk]}).context["rows"]] == ["One"]
    (three,) = [r for r in admin.get(report).context["rows"] if r.name == "Three"]
    assert three.counts["received"] == 0  # before the period
    days = admin.get(report, {"breakdown": "day", "first": f"{old}", "last": f"{timezone.now().date()}"}).context[
        "rows"
    ]
    assert {row.part for row in days} == {f"{old}", f"{timezone.now().date()}"}


def test_the_report_as_csv_holds_no_formulas(admin):
    counted("=cmd()", 10, 1)
    answer = admin.get(reverse("admin:campaigns_campaign_report"), {"as": "csv", "first": "", "last": ""})
    text = answer.content.decode("utf-8-sig")
    assert answer["Content-Type"].startswith("text/csv")
    assert "'=cmd()" in text
    assert ",10," in text


def test_a_period_that_ends_before_it_begins_is_refused(admin):
    page = admin.get(reverse("admin:campaigns_campaign_report"), {"first": "2026-02-01", "last": "2026-01-01"}).text
    assert "The period ends before it begins." in page


# --- teams and roles


def member(client, role: str, *teams) -> User:
    user = User.objects.create(username=f"{role}-{User.objects.count()}", is_staff=True)
    roles.make(Group, Permission)
    user.groups.add(Group.objects.get(name=role))
    for team in teams:
        team.memberships.create(user=user)
    client.force_login(user)
    return user


@pytest.mark.parametrize(
    ("role", "sees", "edits", "launches"),
    [
        ("Viewer", True, False, False),
        ("Editor", True, True, False),
        ("Launcher", True, True, True),
        ("Admin", True, True, True),
    ],
)
def test_what_each_role_may_do(client, role, sees, edits, launches):
    ProfileFactory()
    member(client, role)
    campaign = CampaignFactory()
    assert (client.get(url("change", campaign.pk)).status_code == 200) == sees
    assert client.get(url("results", campaign.pk)).status_code == 200
    assert client.get(url("why", campaign.pk)).status_code == 200
    saved = client.post(url("change", campaign.pk, tab="delivery"), delivery(campaign))
    assert (saved.status_code == 302) == edits
    assert (client.post(url("add_variant", campaign.pk), {"name": "B"}).status_code == 302) == edits
    assert (client.post(url("launch", campaign.pk)).status_code == 302) == launches
    assert (client.get(reverse("admin:outreach_frequencyrule_add")).status_code == 200) == launches


def test_an_editor_can_not_edit_what_is_live(client):
    ProfileFactory()
    member(client, "Editor")
    campaign = CampaignFactory()
    launch.start(campaign, timezone.now())
    campaign.refresh_from_db()
    assert client.post(url("change", campaign.pk, tab="delivery"), delivery(campaign)).status_code == 403
    assert client.post(url("add_variant", campaign.pk), {"name": "B"}).status_code == 403


def test_a_campaign_of_another_team_can_not_be_found_by_any_page(client):
    mine, theirs = TeamFactory(), TeamFactory()
    member(client, "Launcher", mine)
    campaign, own = CampaignFactory(name="Secret"), CampaignFactory(name="Ours")
    campaign.teams.add(theirs)
    own.teams.add(mine)
    listed = client.get(url("changelist")).text
    assert "Ours" in listed
    assert "Secret" not in listed
    for name in ("launch", "results", "why", "changes", "counts"):
        assert client.get(url(name, campaign.pk)).status_code == 404
        assert client.get(url(name, own.pk)).status_code == 200
    for name, args in (
        ("action", ["stop"]),
        ("approve", []),
        ("duplicate", []),
        ("add_variant", []),
        ("add_webhook", []),
    ):
        assert client.post(url(name, campaign.pk, *args)).status_code == 404
    assert client.get(url("change", campaign.pk)).status_code == 302  # Django's "does not exist"
    report = client.get(reverse("admin:campaigns_campaign_report"), {"only": [campaign.pk], "first": "", "last": ""})
    assert "Secret" not in report.text
    content = reverse("admin:webhooks_content_change", args=[content_of(campaign).pk])
    assert client.get(content).status_code == 403
    assert client.get(reverse("admin:webhooks_content_change", args=[content_of(own).pk])).status_code == 200


def test_a_team_member_must_give_one_of_their_teams(client):
    mine, theirs = TeamFactory(), TeamFactory()
    member(client, "Editor", mine)
    data = {"name": "New", "delivery": "scheduled", "to_everyone": "on"}
    assert "This field is required" in client.post(url("add"), data).text
    assert "Select a valid choice" in client.post(url("add"), data | {"teams": [theirs.pk]}).text
    assert client.post(url("add"), data | {"teams": [mine.pk]}).status_code == 302
    assert Campaign.objects.get().teams.get() == mine
