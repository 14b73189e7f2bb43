"""Who is told about endpoint errors, when, and what the mail says."""

from datetime import timedelta

import pytest
import trustme
from django.contrib.auth.models import User
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from config.demo.receiver import Reply, always
from tests.conftest import NOON
from tests.factories import CampaignFactory, ContentFactory, MessageFactory, SenderFactory
from webhooks import alerts, errors, metrics
from webhooks.models import ErrorCount, LogKind
from webhooks.request import Answer
from workspace import certificates, notifications
from workspace.models import Credential, NotificationPreferences, Notified, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def admin():
    return User.objects.create_superuser("root", "root@a.example", "x")


def counted(count, at=NOON, kind=LogKind.WEBHOOK_ERROR, content=0, host="api.example", status=503):
    row = ErrorCount(kind=kind, content_id=content, host=host, status=status, since=at, last_at=at, count=count)
    row.url = f"https://{host}/hook"
    row.save()


def test_one_mail_a_day_once_the_threshold_is_passed():
    counted(100_000)
    alerts.check(NOON)
    assert mail.outbox == []
    counted(1, status=404)
    for minutes in (0, 5, 60, 23 * 60):
        alerts.check(NOON + timedelta(minutes=minutes))
    (sent,) = mail.outbox
    assert sent.to == ["root@a.example"]
    assert "100,001" in sent.subject
    counted(100_001, at=NOON + timedelta(hours=24))
    alerts.check(NOON + timedelta(hours=24, minutes=1))
    assert len(mail.outbox) == 2


def test_the_mail_lists_the_largest_groups_with_their_owner_and_no_query():
    Workspace.objects.update_or_create(pk=1, defaults={"error_threshold": 1})
    campaign = CampaignFactory(name="Spring", url="https://api.example/hook?token=abc")
    counted(7, content=campaign.variants.get().contents.get().pk)
    for status in range(1, 15):
        counted(1, status=400 + status, content=0)
    alerts.check(NOON)
    (sent,) = mail.outbox
    assert "7 × 503  https://api.example/hook" in sent.body
    assert f"Spring › Variant 1: http://localhost:8000/admin/campaigns/campaign/{campaign.pk}/change/" in sent.body
    assert sent.body.count("×") == 10
    assert "abc" not in sent.body


def test_kinds_are_counted_apart():
    counted(60_000)
    counted(60_000, kind=LogKind.CONNECTED_CONTENT_ERROR)
    alerts.check(NOON)
    assert mail.outbox == []


def test_those_who_asked_are_told_instead_of_the_administrators():
    Workspace.objects.get_or_create(pk=1)
    ada = User.objects.create_user("ada", "ada@a.example", is_staff=True)
    NotificationPreferences.objects.create(user=ada, kinds=["webhook_errors"])
    assert notifications.recipients("webhook_errors") == ["ada@a.example"]
    assert notifications.recipients("connected_content_errors") == ["root@a.example"]


def test_a_mail_that_cannot_be_sent_is_tried_again_later_and_shown_meanwhile(settings):
    counted(100_001)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    alerts.check(NOON)
    assert "ConnectionRefusedError" in notifications.unsent()[0]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    alerts.check(NOON + timedelta(minutes=1))
    assert mail.outbox == []  # not at once
    alerts.check(NOON + timedelta(minutes=6))
    alerts.check(NOON + timedelta(minutes=12))
    assert len(mail.outbox) == 1
    assert notifications.unsent() == []


def test_a_sudden_error_rate():
    Workspace.objects.update_or_create(pk=1, defaults={"error_percent": 20, "error_percent_of": 100})
    metrics.note([Answer(200)] * 80 + [Answer(503)] * 19)
    alerts.check(timezone.now())
    assert mail.outbox == []
    metrics.note([Answer(503)])
    alerts.check(timezone.now())
    (sent,) = mail.outbox
    assert "20 of the last 100 requests failed" in sent.body
    alerts.check(timezone.now() + timedelta(minutes=59))
    assert len(mail.outbox) == 1


def test_a_certificate_that_runs_out_is_told_at_thirty_seven_and_one_days():
    until = NOON + timedelta(days=40)
    pem = trustme.CA().issue_cert("a@a.example", not_after=until).private_key_and_cert_chain_pem.bytes().decode()
    Credential.objects.create(name="bank", kind="cert", sealed_value="x", expires_at=certificates.read(pem).expires_at)
    told = []
    for day in range(45):
        before = len(mail.outbox)
        alerts.check(NOON + timedelta(days=day, minutes=1))
        told += [day] * (len(mail.outbox) - before)
    assert told == [10, 32, 38]  # a minute less than 30, 8 and 2 whole days are left


@pytest.mark.django_db(transaction=True)
def test_failed_attempts_are_counted_retries_included_and_others_are_not(sink, pump):
    sender = SenderFactory()
    for status in (503, 422, 200):
        sink.script = always(Reply(status=status))
        content = ContentFactory(url=f"{sink.url}/hook?key=1")
        message = MessageFactory(content=content, sender=sender)
        pump.run()
        type(message).objects.filter(pk=message.pk).update(due_at=NOON)
        pump.run()
    rows = ErrorCount.objects.values_list("status", "count", "url")
    assert list(rows) == [(503, 2, f"{sink.url}/hook")]
    assert errors.recent_rate() == (2, 4)


def test_old_counts_go(settings):
    counted(5, at=NOON - timedelta(days=3))
    alerts.check(NOON)
    assert not ErrorCount.objects.exists()
    assert not Notified.objects.exists()


def test_everybody_has_preferences_of_their_own(client):
    for name in ("ada", "bob"):
        client.force_login(User.objects.create_user(name, is_staff=True))
        page = client.get(reverse("admin:workspace_notificationpreferences_changelist"), follow=True)
        client.post(page.request["PATH_INFO"], {"kinds": ["error_rate"] if name == "ada" else []})
    kinds = dict(NotificationPreferences.objects.values_list("user__username", "kinds"))
    assert kinds == {"ada": ["error_rate"], "bob": []}
    others = NotificationPreferences.objects.get(user__username="ada")
    assert client.get(reverse("admin:workspace_notificationpreferences_change", args=[others.pk])).status_code == 302
