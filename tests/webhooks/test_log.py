"""The log stays in bounds, and says how much it left out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.conftest import NOON
from tests.factories import ContentFactory, SenderFactory
from webhooks import log
from webhooks.models import LogHour, LogKind, MessageActivityLog

pytestmark = pytest.mark.django_db(transaction=True)


def rows(count: int, **values) -> list[MessageActivityLog]:
    return [
        MessageActivityLog(**{"at": NOON, "kind": LogKind.WEBHOOK_ERROR, "text": "503", **values}) for _ in range(count)
    ]


def test_beyond_the_bound_one_row_has_the_number(monkeypatch):
    monkeypatch.setattr(log, "DETAILED", 10)
    sender = SenderFactory()
    log.write(rows(8, sender=sender))
    log.write(rows(7, sender=sender))
    log.write(rows(5, sender=sender))
    assert MessageActivityLog.objects.filter(text="503").count() == 10
    summary = MessageActivityLog.objects.exclude(text="503").get()
    assert (summary.covers, summary.text) == (10, "and 10 more like these in this hour")
    assert LogHour.objects.get().count == 20


def test_each_type_content_and_hour_has_a_bound_of_its_own(monkeypatch):
    monkeypatch.setattr(log, "DETAILED", 2)
    content = ContentFactory()
    log.write(
        [
            *rows(3),
            *rows(3, kind=LogKind.LIQUID_ERROR),
            *rows(3, content_id=content.pk),
            *rows(3, at=NOON + timedelta(hours=1)),
        ]
    )
    assert MessageActivityLog.objects.filter(text="503").count() == 8
    assert MessageActivityLog.objects.exclude(text="503").count() == 4


def test_old_rows_go(settings):
    settings.LOG_DAYS_KEPT = 30
    now = timezone.now()
    log.write([*rows(3, at=now - timedelta(days=31)), *rows(2, at=now - timedelta(days=29))])
    assert log.prune(now) == 3
    assert MessageActivityLog.objects.count() == 2
    assert LogHour.objects.count() == 1
