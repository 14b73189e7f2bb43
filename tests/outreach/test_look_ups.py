"""What is looked up for a batch of people costs a look-up each, also for an outreach that statistics know nothing of.

A campaign launched today is such a one: PostgreSQL counts its rows as hardly any, and every index that begins with the
sender looks as good as the one that goes on with the profile.
"""

import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns import checks, waiting
from campaigns.models import Campaign
from outreach import eligibility
from tests.conftest import NOON
from tests.factories import CampaignFactory
from webhooks.claims import Claimed
from webhooks.models import Lane

pytestmark = pytest.mark.django_db
PEOPLE, ASKED = 20_000, range(1, 51)


def fill(campaign: Campaign) -> None:
    """Everybody has received it once, and is to receive it again."""
    lane, _ = Lane.objects.get_or_create(sender=campaign.sender, host="")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO webhooks_receipt (sender_id, profile_id, cause, variant, content_id, reserved_at, received_at,
                counts_for_caps)
            SELECT %s, n, 1, 0, 1, now(), now(), TRUE FROM generate_series(1, %s) AS n
            """,
            [campaign.sender_id, PEOPLE],
        )
        cursor.execute(
            """
            INSERT INTO webhooks_message (sender_id, lane_id, content_id, profile_id, cause, slot, variant, due_at,
                attempts, outcome, reason, lease)
            SELECT %s, %s, 1, n, 1, 0, 0, now(), 0, '', '', 0 FROM generate_series(1, %s) AS n
            """,
            [campaign.sender_id, lane.pk, PEOPLE],
        )


def blocks_read(ask: Callable[[], object]) -> int:
    """How many blocks PostgreSQL looks at for what that asks."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    found = 0
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query['sql']}")
            (shown,) = cursor.fetchone()
            plan = (json.loads(shown) if isinstance(shown, str) else shown)[0]["Plan"]
            found += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return found


def claimed(campaign: Campaign) -> list[Claimed]:
    return [Claimed(n, campaign.sender_id, 1, 1, n, 2, 0, 0, NOON, 0, None, None) for n in ASKED]


@pytest.mark.parametrize(
    "ask",
    [
        lambda campaign: eligibility.waiting_for(campaign, ASKED, 2),
        lambda campaign: eligibility.last_receipts(campaign, ASKED, 2),
        lambda campaign: waiting.messages(campaign, ASKED),
        lambda campaign: checks.is_eligible(claimed(campaign), NOON),
    ],
    ids=["waiting_for", "last_receipts", "waiting.messages", "is_eligible"],
)
def test_a_batch_costs_a_look_up_for_each(ask):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite keeps to the order of the indexes' columns")
    fill(CampaignFactory())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_receipt, webhooks_message")
    new = CampaignFactory()
    fill(new)
    assert ask(new)
    assert blocks_read(lambda: ask(new)) < 12 * len(ASKED)
