import csv
import io
import tracemalloc

import pytest
from django.urls import reverse
from django.utils import timezone

from config.pages import navigation
from outreach.models import Status
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory, TagFactory, TeamFactory
from webhooks.models import LogKind, MessageActivityLog

pytestmark = pytest.mark.django_db
ALL = {"action": "as_csv", "select_across": "1", "index": "0", "_selected_action": "0"}


def rows(answer) -> list[list[str]]:
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_a_list_is_a_csv_file_of_the_columns_it_shows(admin):
    CampaignFactory(name="=1+1", status=Status.ACTIVE, launched_at=timezone.now())
    header, line = rows(admin.post(reverse("admin:campaigns_campaign_changelist"), ALL))
    assert header[:3] == ["name", "status", "delivery"]
    assert line[:3] == ["'=1+1", "active", "Scheduled"]


def test_filters_and_search_hold_for_the_file(admin):
    SegmentFactory(name="Pro")
    SegmentFactory(name="Free")
    url = reverse("admin:audience_segment_changelist") + "?q=pro"
    assert [line[0] for line in rows(admin.post(url, ALL))[1:]] == ["Pro"]


def test_the_log_comes_with_request_and_response(admin):
    profile = ProfileFactory(external_id="ada")
    MessageActivityLog.objects.create(
        kind=LogKind.WEBHOOK_ERROR, text="503", profile=profile, request={"url": "https://a.example", "body": "né"}
    )
    header, line = rows(admin.post(reverse("admin:webhooks_messageactivitylog_changelist"), ALL))
    assert dict(zip(header, line, strict=True))["request"] == '{"url": "https://a.example", "body": "né"}'
    assert "ada" in line


def test_a_long_log_is_streamed_and_no_cell_of_it_is_a_formula(admin):
    MessageActivityLog.objects.bulk_create(
        MessageActivityLog(
            kind=LogKind.WEBHOOK_ERROR, text="=1+1", request={"body": "x" * 2_000}, response={"body": "@"}
        )
        for _ in range(12_000)
    )
    answer = admin.post(reverse("admin:webhooks_messageactivitylog_changelist"), ALL)
    tracemalloc.start()
    lines = size = 0
    for chunk in answer.streaming_content:
        lines, size = lines + 1, size + len(chunk)
        assert b"'=1+1" in chunk or lines == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines == 12_001
    assert peak < size / 2


def test_every_list_can_be_downloaded(admin):
    for area in navigation.AREAS:
        for place in area.places:
            has_file_of_its_own = place.url == "admin:admin_logentry_changelist"
            if place.url.endswith("_changelist") and not place.is_single and not has_file_of_its_own:
                answer = admin.post(place.link, ALL)
                assert answer.status_code == 200, place.link
                assert rows(answer)[0], place.link


def test_other_teams_rows_are_not_in_the_file(client, editor):
    CampaignFactory(name="Hats").teams.add(TeamFactory())
    client.force_login(editor)
    assert rows(client.post(reverse("admin:campaigns_campaign_changelist"), ALL))[1:] == []


def choose(action: str, *campaigns, **more):
    return {"action": action, "index": "0", "_selected_action": [c.pk for c in campaigns], **more}


def test_many_are_paused_at_once_after_a_question_with_the_numbers(admin):
    url = reverse("admin:campaigns_campaign_changelist")
    running = [CampaignFactory(status=Status.ACTIVE, launched_at=timezone.now()) for _ in range(2)]
    draft = CampaignFactory(name="Not yet")
    answer = admin.post(url, choose("pause_many", *running, draft))
    assert 'data-able="2"' in answer.text
    assert "Not yet · draft" in answer.text
    running[0].refresh_from_db()
    assert running[0].status == Status.ACTIVE
    admin.post(url, choose("pause_many", *running, draft, confirmed="1"))
    for campaign, status in ((running[0], Status.PAUSED), (running[1], Status.PAUSED), (draft, Status.DRAFT)):
        campaign.refresh_from_db()
        assert campaign.status == status
    assert running[0].history.first().history_user is not None


def test_whoever_may_not_launch_is_not_offered_to_stop(client, editor):
    client.force_login(editor)
    campaign = CampaignFactory(status=Status.ACTIVE)
    client.post(reverse("admin:campaigns_campaign_changelist"), choose("stop_many", campaign, confirmed="1"))
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE


def test_a_tag_is_put_on_many(admin):
    tag = TagFactory(name="season/spring")
    campaigns = [CampaignFactory(), CampaignFactory()]
    url = reverse("admin:campaigns_campaign_changelist")
    assert "season/spring" in admin.post(url, choose("tag_many", *campaigns)).text
    admin.post(url, choose("tag_many", *campaigns, confirmed="1", tag=tag.pk))
    assert all(tag in campaign.tags.all() for campaign in campaigns)
