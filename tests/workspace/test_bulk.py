"""Look-ups of many rows in one statement, the same on both databases."""

import json

import pytest
from django.db import connection

from audience.models import Profile
from tests.conftest import NOON
from tests.factories import ProfileFactory
from webhooks.models import Receipt
from workspace import bulk

pytestmark = pytest.mark.django_db

SOURCE = ("webhooks_receipt", "profile_id", "profile_id, cause", "sender_id = %s AND cause < %s")


def statement() -> str:
    return f"SELECT r.profile_id, r.cause FROM {bulk.rows_of_each(*SOURCE)} ORDER BY r.profile_id, r.cause"


def receipts(people: int) -> None:
    Receipt.objects.bulk_create(
        Receipt(sender_id=sender, profile_id=profile, cause=cause, reserved_at=NOON)
        for sender in (1, 2)
        for profile in range(people)
        for cause in (1, 2, 3)
    )


def test_each_id_gets_its_rows_that_meet_the_condition():
    receipts(4)
    assert bulk.fetch(statement(), [bulk.ids_param([3, 1, 99]), 1, 3]) == [(1, 1), (1, 2), (3, 1), (3, 2)]
    assert bulk.fetch(statement(), [bulk.ids_param([]), 1, 3]) == []


def test_rows_are_looked_up_through_the_index_though_statistics_are_old():
    receipts(2_000)  # the table was empty when it was last looked at
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    plan = str(bulk.fetch(explain + statement(), [bulk.ids_param(range(500)), 1, 3]))
    assert "receipt_" in plan
    assert "Seq Scan on webhooks_receipt" not in plan
    assert "SCAN webhooks_receipt" not in plan


def test_times_are_aware_however_they_are_read():
    made = ProfileFactory()
    (row,) = bulk.fetch("SELECT p.created_at FROM audience_profile AS p WHERE p.id = %s", [made.pk])
    assert bulk.moment(row[0]) == Profile.objects.get(pk=made.pk).created_at


@pytest.mark.parametrize("value", [2**70, "\ud800", "한글 😀", 1.5, None, True, 'a"b\\c\n\u2028'])
def test_rows_travel_whatever_they_hold(value):
    assert json.loads(bulk.as_json([{"value": value}])) == [{"value": value}]


def test_texts_are_found_whatever_they_hold():
    texts = ['a"b', "c\\d", "e,f", "{g}", "", " ", "NULL", "'", "한글 😀", "line\nbreak"]
    made = {text: ProfileFactory(external_id=f"x{text}").pk for text in texts}
    sql = f"SELECT external_id, id FROM audience_profile WHERE {bulk.in_texts('external_id')}"
    assert dict(bulk.fetch(sql, [bulk.texts_param(f"x{text}" for text in texts)])) == {f"x{t}": made[t] for t in texts}
    assert bulk.fetch(sql, [bulk.texts_param(["x", 'x"'])]) == [("x", made[""])]
    assert bulk.fetch(sql, [bulk.texts_param([])]) == []


def test_what_has_no_json_does_not_travel():
    with pytest.raises(TypeError, match=r"object can.t travel"):
        bulk.as_json([{"value": object()}])
