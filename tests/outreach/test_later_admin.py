"""The page of sends for later."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from audience.ingest.items import By, Identifier
from campaigns import calls, launch
from outreach import direct, plan
from outreach.direct import DirectCall
from outreach.models import DirectSend, Dispatch, ScheduledCall
from outreach.recipients import Recipient
from tests.factories import AdminFactory, CampaignFactory, ProfileFactory

pytestmark = pytest.mark.django_db
KOREA = {"filter": "country", "op": "any_of", "values": ["KR"]}
LIST = reverse("admin:outreach_scheduledcall_changelist")


@pytest.fixture
def call():
    request = {"recipients": [{"external_user_id": "<b>ada</b>"}]}
    return ScheduledCall.objects.create(
        kind="campaign", outreach=CampaignFactory(name="Spring"), request=request, due_at=timezone.now()
    )


def cancel(client, call):
    return client.post(LIST, {"action": "cancel", "_selected_action": [call.pk]}, follow=True)


def test_a_send_is_shown_with_what_whom_and_when_and_can_be_cancelled(client, call):
    client.force_login(AdminFactory())
    page = client.get(LIST).content.decode()
    assert "Spring" in page
    assert "1 recipient" in page
    detail = client.get(reverse("admin:outreach_scheduledcall_change", args=[call.pk])).content.decode()
    assert "&lt;b&gt;ada&lt;/b&gt;" in detail
    assert "1 send was cancelled." in cancel(client, call).content.decode()
    call.refresh_from_db()
    assert call.result == "cancelled"
    assert "0 sends were cancelled." in cancel(client, call).content.decode()


def test_who_may_only_look_cannot_cancel(client, call):
    viewer = User.objects.create_user("eve", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_scheduledcall"))
    client.force_login(viewer)
    assert client.get(LIST).status_code == 200
    cancel(client, call)
    call.refresh_from_db()
    assert call.finished_at is None


def test_a_broadcast_is_shown_with_what_was_asked_for(client):
    ProfileFactory()
    campaign = CampaignFactory(name="Spring", delivery="api")
    launch.start(campaign, timezone.now())
    calls.broadcast(campaign, timezone.now(), trigger_properties={"shop": "<i>Berlin</i>"}, audience=KOREA)
    calls.send(campaign, [Recipient(Identifier(By.EXTERNAL_ID, "x"))], timezone.now())
    plan.plan_due(timezone.now())
    client.force_login(AdminFactory())
    page = client.get(reverse("admin:outreach_dispatch_changelist")).content.decode()
    assert "everybody it is for" in page
    assert "named recipients" in page
    first = Dispatch.objects.order_by("pk").first()
    detail = client.get(reverse("admin:outreach_dispatch_change", args=[first.pk])).content.decode()
    assert "&lt;i&gt;Berlin" in detail
    assert "any_of" in detail


def test_composed_messages_are_listed(client):
    ProfileFactory(external_id="ada")
    webhook = {"url": "https://example.com/hook", "request_method": "POST"}
    direct.send(DirectCall(external_user_ids=["ada"], messages={"webhook": webhook}), timezone.now())
    client.force_login(AdminFactory())
    page = client.get(reverse("admin:outreach_directsend_changelist")).content.decode()
    assert str(DirectSend.objects.get().key) in page
